"""The verb that lists what failed, with the commands that replay it."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from simstudy.cli_options import Plugins, ResultsFolder, load_plugins
from simstudy.cli_process import complain, say

if TYPE_CHECKING:
    from simstudy.failing import Failed, Failures
    from simstudy.running.unfinished import Unfinished

DAMAGED = 5
"""Exit code where a file cannot be read, so that the list is not whole."""


def failures(
    results: ResultsFolder,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only of this scenario.", show_default=False)
    ] = None,
    n: Annotated[int | None, typer.Option("--n", help="Only at this sample size.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=0, help="Failed replicates to list; 0 lists all.")] = 20,
    plugin: Plugins = None,
) -> None:
    """List failed replicates and unfinished tasks, each with its replay command."""
    from simstudy.failing import Failures
    from simstudy.redrawn import check_cell

    load_plugins(plugin)
    found = Failures(results, scenario, n)
    check_cell(found.results.study, scenario, n)
    total = _say_counts(found)
    _say_replicates(found, limit or total, total)
    _say_tasks(found)
    for line in found.unreadable:
        complain(f"error: {line}")
    raise typer.Exit(DAMAGED if found.unreadable else 0)


def _say_counts(found: Failures) -> int:
    """Say how many failed, by cell and status; return how many in all."""
    from simstudy.families.status import Status

    counts: Counter[tuple[str, int, Status]] = Counter()
    looked: Counter[tuple[str, int]] = Counter()
    for part in found.parts():
        cell = part.scenario.name, part.scenario.n
        looked[cell] += len(part.status)
        for status in Status:
            counts[*cell, status] += int((part.status == status).sum())
    failed = {key: count for key, count in counts.items() if count and key[2] is not Status.CONVERGED}
    total = sum(failed.values())
    say(f"{total:,} of {sum(looked.values()):,} replicates did not converge")
    for (name, n, status), count in failed.items():
        say(f"  {name}, n = {n}: {count:,} of {looked[name, n]:,} {status}: {status.sentence}")
    for scenario in found.cells:
        if (have := looked[scenario.name, scenario.n]) < scenario.replicates:
            of = f"{have:,} of {scenario.replicates:,} replicates are stored and readable"
            say(f"  {scenario.name}, n = {scenario.n}: {of}")
    return total


def _say_replicates(found: Failures, limit: int, total: int) -> None:
    """Say each failed replicate, up to a limit, with the command that replays it."""
    if total:
        say("")
    for failed in islice(found.failed(), limit):
        say(_line(found, failed))
    if total > limit:
        say(f"… and {total - limit:,} more; --limit 0 lists all")


def _line(found: Failures, failed: Failed) -> str:
    cell, replicate, status = failed
    command = found.command(cell, replicate)
    return f"{cell.name}, n = {cell.n}, replicate {replicate}: {status}\n  {command}"


def _say_tasks(found: Failures) -> None:
    """Say which tasks could not be done."""
    tasks, damaged = found.tasks()
    if tasks:
        say(f"\n{len(tasks):,} tasks could not be done; run the study again to try them once more")
    for task in tasks:
        say(_task(found, task))
    for line in damaged:
        complain(f"{found.results.folder / 'manifest.json'}: {line}")


def _task(found: Failures, task: Unfinished) -> str:
    cell = found.results.study.cell(task.scenario, task.n)
    of = "" if task.replicate is None else f", replicate {task.replicate}"
    where = f"{task.scenario}, n = {task.n}, replicates {task.first}-{task.last}{of}"
    return f"{where}: {task.kind}: {task.message}\n  {found.command(cell, task.suspect)}"
