"""Progress for people: a bar on a terminal, a plain line every few seconds elsewhere, nothing when quiet."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TextIO

from simstudy.running.plan import Cost, Task, human_seconds
from simstudy.running.worker import Outcome
from simstudy.study.scenario import Scenario

LINE_SECONDS = 5.0
"""Least time between two plain lines."""
BAR_COLUMNS = 60
"""Width below which the text beside a bar would be cut off."""


class Display(Protocol):
    """What shows the state of a run."""

    def show(self, state: State) -> None:
        """Show progress."""

    def note(self, line: str) -> None:
        """Tell of something that happened on the way."""


class State:
    """How far a run has come, in replicates and in their cost, by which the time left is told.

    The time left is that of all replicates that are not done, by the costs as known now, less what the tasks under way
    have behind them, shared among the slots; but no less than the longest of these tasks takes.

    Parameters
    ----------
    lacking
        Cells, and the replicates that each lacks.
    costs
        Seconds per replicate; they may change as tasks are done.
    bound
        Whether the replicates are the most that there can be; those found unnecessary are spared.
    """

    def __init__(self, lacking: Sequence[tuple[Scenario, int]], costs: Cost, *, bound: bool = False) -> None:
        self.costs, self.bound = costs, bound
        self.cells = {cell.place: cell for cell, _ in lacking}
        self.left = {cell.place: rows for cell, rows in lacking}
        self.rows = sum(self.left.values())
        self.done_rows = self.failed = 0
        self.done_seconds = 0.0
        self.start = time.monotonic()
        self.slots = 1
        self.under_way: Mapping[Task, float] = {}

    def advance(self, outcome: Outcome) -> None:
        """Count a finished task."""
        self.done_rows += outcome.rows
        self.failed += outcome.failed
        self.done_seconds += outcome.seconds
        self.left[outcome.task.scenario.place] -= outcome.rows

    def spare(self, cell: Scenario) -> None:
        """Take out what is left of a cell."""
        self.rows -= self.left[cell.place]
        self.left[cell.place] = 0

    @property
    def finished(self) -> bool:
        """Whether all is done."""
        return self.done_rows >= self.rows

    @property
    def seconds_left(self) -> float:
        """Estimated time to the end, in seconds."""
        total = {task: task.rows * self.costs(task.scenario) for task in self.under_way}
        rest = {task: max(total[task] - spent, 0.0) for task, spent in self.under_way.items()}
        work = sum(rows * self.costs(self.cells[place]) for place, rows in self.left.items() if rows)
        work += sum(rest.values()) - sum(total.values())
        return max(work / max(self.slots, 1), max(rest.values(), default=0.0), 0.0)

    @property
    def share(self) -> float:
        """Share of the work that is done."""
        if self.finished:
            return 1.0
        left = self.seconds_left * max(self.slots, 1)
        return self.done_seconds / (self.done_seconds + left) if self.done_seconds else 0.0

    @property
    def text(self) -> str:
        """Replicates, rate, time left and failures, in plain ASCII."""
        elapsed = max(time.monotonic() - self.start, 1e-9)
        most = "at most " if self.bound and not self.finished else ""
        counted = f"{self.done_rows:,} of {most}{self.rows:,} replicates, {self.done_rows / elapsed:,.0f}/s"
        left = f"{most}{human_seconds(self.seconds_left)} left" if self.done_rows and not self.finished else ""
        return ", ".join(filter(None, (counted, left, f"{self.failed:,} failures")))


class Silent:
    """Shows nothing."""

    def show(self, state: State) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Tell nothing."""


class Lines:
    """Writes a plain line every few seconds, and one at the end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.last = time.monotonic()

    def show(self, state: State) -> None:
        """Write a line if it is time."""
        now = time.monotonic()
        if state.finished or now - self.last >= LINE_SECONDS:
            self.last = now
            self.note(f"{100 * state.share:.0f}%: {state.text}")

    def note(self, line: str) -> None:
        """Write a line."""
        with contextlib.suppress(OSError, ValueError):  # a reader that went away is no reason to stop
            self.stream.write(f"{line}\n")
            self.stream.flush()


class Bar:
    """A bar that rich redraws in place, from the first state on."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[text]}", markup=False))
        self.progress = Progress(*columns, console=Console(file=stream, markup=False, highlight=False))
        self.task = self.progress.add_task("", total=1.0, text="")

    def show(self, state: State) -> None:
        """Move the bar."""
        self.progress.start()
        self.progress.update(self.task, completed=state.share, text=state.text)

    def note(self, line: str) -> None:
        """Write a line above the bar."""
        self.progress.console.print(line)


def draws_in_place(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that wants and can show a bar."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") in {"dumb", "unknown"}
    wide = shutil.get_terminal_size().columns >= BAR_COLUMNS
    return stream.isatty() and wide and not plain and "utf" in (stream.encoding or "").lower()


@contextlib.contextmanager
def display(quiet: bool) -> Iterator[Display]:
    """Choose what to show on standard error, and leave the terminal as it was."""
    stream = sys.stderr
    if quiet or stream is None or stream.closed:
        yield Silent()
    elif draws_in_place(stream):
        bar = Bar(stream)
        try:
            yield bar
        finally:
            bar.progress.stop()
    else:
        yield Lines(stream)
