"""Measures of a cell whose replicates are read in parts: what they ask for, answered for all of them in one pass.

A measure is a generator, its `Steps`: it yields what it needs of all rows, is sent the answer, and returns what it is
for. So a standard deviation about a mean reads

    mean = (yield Moments(errors)).mean
    square = (yield Moments(lambda part: np.square(errors(part) - mean[:, None]))).mean

What may be yielded is

- a `Reduction`, folded over the parts in replicate order;
- the steps of something else, or a `Shared` result, which is found once for all that ask for it;
- a tuple or a mapping of these, which are then found side by side.

All steps of a cell go forward together: what they wait for is reduced in one pass over the parts, and again, until all
have returned. So there are as many passes as the longest chain of answers that rest on each other, whatever the number
of measures, and only one part is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from functools import cached_property, update_wrapper
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from simstudy.parameters import Array

T = TypeVar("T")
S = TypeVar("S", bound=Callable[..., Any])
Steps = Generator[Any, Any, T]
"""What yields requests, is sent their answers, and returns a result."""
Rows = Callable[[Any], Array]
"""A function of a part: numbers (k, m) of its m rows, or of those of them that it speaks of."""


class Sample(Protocol):
    """Replicates in parts."""

    def parts(self) -> Iterator[Any]:
        """Return a new reading of the parts, in replicate order."""


class Reduction(Protocol):
    """A summary of all rows; equal ones have equal answers."""

    def fold(self, state: Any, part: Any) -> Any:
        """Return the summary of one part more; the state is None before the first."""


class Part:
    """Rows whose numbers may be derived once for all reductions of a pass."""

    @cached_property
    def _derived(self) -> dict[Hashable, Any]:
        return {}

    def derived(self, of: Callable[[Any], T]) -> T:
        """Return a function of this part, kept until the pass is over."""
        if of not in self._derived:
            self._derived[of] = of(self)
        return self._derived[of]  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Let go of what was derived."""
        self._derived.clear()


class Shared(Generic[T]):
    """Steps whose result is found once for all that yield it; called with a sample, it is found at once."""

    def __init__(self, steps: Callable[[Any], Steps[T]]) -> None:
        self.steps = steps
        update_wrapper(self, steps)

    def __call__(self, sample: Any) -> T:
        """Return the result for one sample."""
        return run(sample, self)  # type: ignore[no-any-return]


def together(requests: Mapping[str, Steps[T] | Shared[T]]) -> Steps[dict[str, T]]:
    """Return the answers to requests by name, found side by side."""
    found: dict[str, T] = yield requests
    return found


def asked(function: Callable[[Any], T], sample: Any) -> Steps[T]:
    """Return what a function of a sample, whether shared steps or a plain one, says of it."""
    return (yield function) if isinstance(function, Shared) else function(sample)


def run(sample: Sample, request: Any) -> Any:
    """Return the answer to a request.

    Numbers that cannot be computed are NaN or infinite, and tell it themselves: floating point warnings are off.
    """
    answers: list[Any] = []
    running = _Run(sample)
    with np.errstate(all="ignore"):
        running.ask(request, answers.append)
        while running.pending:
            running.make_pass()
    (answer,) = answers
    return answer


class _Run:
    """The requests of one sample: what is known, and who waits for what is not."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.known: dict[Hashable, Any] = {}
        self.waiting: dict[Hashable, list[Callable[[Any], None]]] = {}
        self.pending: list[Any] = []

    def ask(self, request: Any, then: Callable[[Any], None]) -> None:
        """Call ``then`` with the answer, now or when it is known."""
        if isinstance(request, Mapping):
            names = tuple(request)
            self._ask_all(tuple(request.values()), lambda found: then(dict(zip(names, found, strict=True))))
        elif isinstance(request, tuple):
            self._ask_all(request, then)
        elif isinstance(request, Generator):
            self._advance(request, None, then)
        else:
            self._ask_once(request, then)

    def _ask_all(self, requests: tuple[Any, ...], then: Callable[[Any], None]) -> None:
        found: dict[int, Any] = {}

        def note(place: int, answer: Any) -> None:
            found[place] = answer
            if len(found) == len(requests):
                then(tuple(found[place] for place in range(len(requests))))

        for place, request in enumerate(requests):
            self.ask(request, lambda answer, place=place: note(place, answer))  # type: ignore[misc]
        if not requests:
            then(())

    def _advance(self, steps: Steps[Any], answer: Any, then: Callable[[Any], None]) -> None:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            then(end.value)
        else:
            self.ask(request, lambda found: self._advance(steps, found, then))

    def _ask_once(self, request: Any, then: Callable[[Any], None]) -> None:
        if request in self.known:
            then(self.known[request])
        elif request in self.waiting:
            self.waiting[request].append(then)
        else:
            self.waiting[request] = [then]
            if isinstance(request, Shared):
                self._advance(request.steps(self.sample), None, lambda answer: self._answer(request, answer))
            else:
                self.pending.append(request)

    def _answer(self, request: Hashable, answer: Any) -> None:
        self.known[request] = answer
        for then in self.waiting.pop(request):
            then(answer)

    def make_pass(self) -> None:
        """Reduce all that is waited for in one reading of the parts."""
        reductions, self.pending = self.pending, []
        states: list[Any] = [None] * len(reductions)
        for part in self.sample.parts():
            for place, reduction in enumerate(reductions):
                states[place] = reduction.fold(states[place], part)
            part.forget()
        for reduction, state in zip(reductions, states, strict=True):
            self._answer(reduction, state)
