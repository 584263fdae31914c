"""Join what shards have stored into one results folder: all is read and compared first, then copied.

Of copies of a task the longest whole one counts. A damaged one is passed over where another folder has the task whole.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from simstudy.errors import ForeignResultsError, SimstudyError, UnusableResultsError
from simstudy.files import refuse_links, remove_leftovers, replaced, told
from simstudy.running import manifest, paths, quarantine
from simstudy.running.lacking import unfinished_cells
from simstudy.running.plan import Task, needed_blocks, task_blocks
from simstudy.running.sources import Source, all_runs
from simstudy.running.store import Store
from simstudy.study.config import to_dict
from simstudy.study.scenario import Scenario


@dataclass
class Plan:
    """What joining takes.

    Attributes
    ----------
    wanted
        Tasks in all.
    copies
        Files, and where a copy of each is to appear.
    passed
        What is wrong with files that are whole elsewhere.
    errors, conflicts
        Files that are whole nowhere, and files of the same task that differ.
    missing
        Tasks that no folder has, by cell.
    """

    wanted: int = 0
    copies: list[tuple[Path, Path]] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    errors: list[SimstudyError] = field(default_factory=list)
    conflicts: list[SimstudyError] = field(default_factory=list)
    missing: dict[tuple[str, int], list[Task]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class _Copy:
    """A file that may be taken; ``check`` raises where it may not."""

    path: Path
    check: Callable[[], object]


def planned(into: Path, sources: Sequence[Source], largest: Source) -> Plan:
    """Read every file that counts, and plan how a folder gets all that the largest study asks for; nothing is written.

    Raises
    ------
    UnusableResultsError
        If tasks are missing, damaged or of another study, all of them named.
    ForeignResultsError
        If two folders hold different files of the same task.
    """
    plan, study = Plan(), largest.study
    stores = [Store(source.folder, study.seed) for source in sources]
    for scenario in study.scenarios:
        _plan_cell(plan, Store(into, study.seed), stores, scenario)
    for each in paths.all_nested(study):
        found = [source.folder for source in sources if each.file(source.folder).exists()]
        _choose(plan, each.file(into), [_Copy(each.file(it), partial(_check_paths, it, each)) for it in found])
    if errors := [*plan.conflicts, *plan.errors, *unfinished_cells(plan.missing, into, sources, largest)]:
        kind = ForeignResultsError if plan.conflicts else UnusableResultsError
        raise kind("\n".join(dict.fromkeys(map(str, errors))))
    return plan


def _check_paths(folder: Path, nested: paths.Nested) -> None:
    if paths.missing(folder, nested):
        raise _OldError


class _OldError(Exception):
    """Paths at other sample sizes: they are made again."""


def _plan_cell(plan: Plan, into: Store, stores: Sequence[Store], scenario: Scenario) -> None:
    """Choose a file for every task of a cell."""
    stored: dict[int, dict[int, list[Store]]] = {}
    for store in stores:
        for first, lasts in store.files(scenario).items():
            for last in lasts:
                stored.setdefault(first, {}).setdefault(last, []).append(store)
    size, needed = task_blocks(scenario.n, len(scenario.free)), needed_blocks(scenario)
    for first in range(0, needed, size):
        plan.wanted += 1
        least = min(first + size, needed) - 1
        faults = len(plan.errors)
        for last in sorted((last for last in stored.get(first, ()) if last >= least), reverse=True):
            copies = [_copy(store, scenario, first, last) for store in stored[first][last]]
            if _choose(plan, into.path(scenario, first, last), copies):
                plan.passed += [str(error) for error in plan.errors[faults:]]
                del plan.errors[faults:]
                break
            if into.path(scenario, first, last).exists():  # damaged, and it would hide a shorter one
                break
        else:
            if len(plan.errors) == faults:
                have = max(stored.get(first, ()), default=first - 1)
                plan.missing[scenario.place].append(Task(scenario, first, least, have))


def _copy(store: Store, scenario: Scenario, first: int, last: int) -> _Copy:
    return _Copy(store.path(scenario, first, last), partial(store.read_blocks, scenario, first, last))


def _choose(plan: Plan, target: Path, copies: Sequence[_Copy]) -> bool:
    """Plan to take the first whole copy, unless it is there already; tell whether there is one."""
    whole, faults = list[Path](), list[SimstudyError]()
    for copy in copies:
        try:
            copy.check()
        except (UnusableResultsError, ForeignResultsError) as error:
            faults.append(error)
        except _OldError:
            continue
        else:
            whole.append(copy.path)
    if not whole:
        plan.errors += faults
        return False
    plan.passed += map(str, faults)
    for other in whole[1:]:
        if not _equal(whole[0], other):
            said = "both are whole files of the same replicates, and differ; delete the wrong one"
            plan.conflicts.append(ForeignResultsError(f"{whole[0]}, {other}: {said}"))
    if not any(_same_place(path, target) for path in whole):
        plan.copies.append((whole[0], target))
    return True


def _same_place(path: Path, other: Path) -> bool:
    return path.resolve() == other.resolve()


def _equal(one: Path, other: Path) -> bool:
    with told(other, "read"):
        return one.samefile(other) or one.read_bytes() == other.read_bytes()


def join(plan: Plan, into: Path, sources: Sequence[Source], largest: Source) -> None:
    """Do what is planned; call it under the folder's lock. A kill at any time leaves what may be done again.

    Parameters
    ----------
    largest
        The source whose study is wanted.
    """
    refuse_links(into, quarantine.WRITTEN)
    own = [each for each in sources if _same_place(each.folder, into)]
    same = [each for each in own if to_dict(each.study) == to_dict(largest.study)]
    state = (same or [largest])[0].manifest | {"runs": all_runs(sources)}
    if not own or state != own[0].manifest:
        manifest.write(into, state)
    remove_leftovers(into)
    for source, target in plan.copies:
        _copy_whole(source, target)
    store = Store(into, largest.study.seed)
    for scenario in largest.study.scenarios:
        store.remove_superseded(scenario)
    paths.complete(into, largest.study)


def _copy_whole(source: Path, target: Path) -> None:
    """Make a copy of a file appear at once; of a link, what befalls one folder would befall the other."""
    with told(target.parent, "made"):
        target.parent.mkdir(parents=True, exist_ok=True)
    with replaced(target) as temporary:
        shutil.copyfile(source, temporary)
