"""One queue over all cells of a study: trials first, then always the longest task that is left."""

from __future__ import annotations

from collections.abc import Iterator

from simstudy.running.costs import Costs, Trial
from simstudy.running.plan import Task

Job = Task | Trial
"""What a worker is given."""


class Agenda:
    """Tasks by cell, in their order within it; they are made when their turn comes, so that any number may wait.

    The longest task of all is done next, by the costs known at that time, so that no long one is left for the end.
    """

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self._trials: list[Trial] = []
        self._next: list[tuple[Task, Iterator[Task]]] = []

    def __bool__(self) -> bool:
        return bool(self._trials or self._next)

    def try_out(self, trials: list[Trial]) -> None:
        """Put trials before everything else."""
        self._trials += trials

    def add(self, tasks: Iterator[Task]) -> None:
        """Add tasks of one cell."""
        first = next(tasks, None)
        if first is not None:
            self._next.append((first, tasks))

    def pop(self) -> Job:
        """Return what is to be done next."""
        if self._trials:
            return self._trials.pop(0)
        at = max(range(len(self._next)), key=lambda i: self._seconds(self._next[i][0]))
        task, rest = self._next[at]
        following = next(rest, None)
        if following is None:
            del self._next[at]
        else:
            self._next[at] = following, rest
        return task

    def rest(self) -> Iterator[Task]:
        """Take out all tasks that are left."""
        while self._next:
            task, others = self._next.pop()
            yield task
            yield from others

    def _seconds(self, task: Task) -> float:
        return task.rows * self.costs(task.scenario)
