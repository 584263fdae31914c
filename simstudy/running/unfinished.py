"""What the manifest says of tasks that could not be done: what happened, to which replicates, and in whose data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from simstudy.running.plan import task_blocks
from simstudy.running.store import Store
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Scenario, Study
from simstudy.study.streams import block_size

KEY = "unfinished"
# The traceback is kept of so many tasks: where more cannot be done, the reason is nearly always the same.
_TRACEBACKS = 100


@dataclass(frozen=True)
class Unfinished:
    """A task that could not be done.

    Attributes
    ----------
    scenario, n
        The cell.
    first, last
        The replicates that are missing.
    replicate
        The first replicate whose data raise an exception, where it could be found.
    kind
        ``raised``, ``out of memory``, ``crashed`` or ``timed out``.
    message, traceback
        What happened, and where.
    """

    scenario: str
    n: int
    first: int
    last: int
    replicate: int | None
    kind: str
    message: str
    traceback: str

    @property
    def suspect(self) -> int:
        """The replicate to look at: the one whose data raise, or else the first that is missing."""
        return self.first if self.replicate is None else self.replicate


def entries(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return what the manifest says of tasks that could not be done, under ``unfinished``."""
    return [asdict(_of(outcome, place < _TRACEBACKS)) for place, outcome in enumerate(outcomes)]


def _of(outcome: Outcome, traced: bool) -> Unfinished:
    task = outcome.task
    return Unfinished(
        scenario=task.scenario.name,
        n=task.scenario.n,
        first=task.first,
        last=task.first + task.rows - 1,
        replicate=outcome.replicate,
        kind=outcome.kind,
        message=outcome.error,
        traceback=outcome.traceback if traced else "",
    )


def recorded(manifest: Mapping[str, Any]) -> tuple[list[Unfinished], list[str]]:
    """Return the tasks that a manifest names, and one line for each entry that cannot be read."""
    found: list[Unfinished] = []
    damaged: list[str] = []
    listed = manifest.get(KEY, [])
    if not isinstance(listed, list):
        return [], [f"{KEY}: damaged: it is no list"]
    for place, entry in enumerate(listed):
        try:
            found.append(_checked(Unfinished(**entry)))
        except (TypeError, ValueError):
            damaged.append(f"{KEY}, entry {place + 1}: damaged: its keys or their values are not those of a task")
    return found, damaged


def _checked(entry: Unfinished) -> Unfinished:
    numbers = [entry.n, entry.first, entry.last, entry.suspect]
    texts = [getattr(entry, field.name) for field in fields(Unfinished) if field.type == "str"]
    sound = all(type(number) is int for number in numbers) and all(isinstance(text, str) for text in texts)
    if not sound or not 0 <= entry.first <= entry.last or entry.n < 1 or entry.suspect < 0:
        raise ValueError
    return entry


def current(found: Iterable[Unfinished], store: Store, study: Study) -> list[Unfinished]:
    """Return those of the tasks that a study still asks for and whose replicates are not stored."""
    cells = {(scenario.name, scenario.n): scenario for scenario in study.scenarios}
    known = [entry for entry in found if (entry.scenario, entry.n) in cells]
    stored = {cell: store.stored(cells[cell]) for cell in dict.fromkeys((entry.scenario, entry.n) for entry in known)}
    return [entry for entry in known if _missing(entry, cells[entry.scenario, entry.n], stored)]


def _missing(entry: Unfinished, scenario: Scenario, stored: Mapping[tuple[str, int], Mapping[int, int]]) -> bool:
    blocks, size = task_blocks(scenario.n, len(scenario.free)), block_size(scenario.n)
    first, last = entry.first // size // blocks * blocks, entry.last // size
    return entry.first < scenario.replicates and stored[entry.scenario, entry.n].get(first, -1) < last


def carried(manifest: Mapping[str, Any], store: Store, study: Study) -> dict[str, Any]:
    """Return what a new manifest takes over from the one before: what is unfinished still; empty where nothing is."""
    left = current(recorded(manifest)[0], store, study)
    return {KEY: [asdict(entry) for entry in left]} if left else {}
