"""Where cells stopped that run until a wanted precision, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from simstudy.figures.wording import listed
from simstudy.report.words import distinct, grouped
from simstudy.study import precision
from simstudy.study.scenario import Scenario, Study, Target


def replicates(cells: Sequence[Scenario]) -> str:
    """Return the numbers of replicates of a scenario, and the cap where they were decided on by precision."""
    counts = [cell.replicates for cell in cells]
    caps = {cell.stop.cap for cell in cells if cell.stop is not None}
    if not caps:
        return ", ".join(distinct(map(grouped, counts)))
    span = " to ".join(distinct([grouped(min(counts)), grouped(max(counts))]))
    return f"{span} (at most {', '.join(map(grouped, sorted(caps)))})"


def paragraphs(study: Study) -> list[str]:
    """Return what the methods say of stopping: the targets, and the cells that did not meet them; or nothing."""
    cells = [cell for cell in study.scenarios if cell.stop is not None]
    groups = groupby(sorted(cells, key=_targets), key=_targets)
    found = [_until(distinct(cell.name for cell in group), targets, study) for targets, group in groups]
    short = precision.capped(study)
    return [*found, f"{short}."] if short else found


def _targets(cell: Scenario) -> tuple[Target, ...]:
    return cell.precision


def _until(names: list[str], targets: Sequence[Target], study: Study) -> str:
    which = "Every cell" if len(names) == len(study.names) else f"Every cell of {listed(names)}"
    wanted = listed([f"{_wanted(target)} for {target.measure.replace('_', ' ')}" for target in targets])
    return (
        f"{which} ran until its Monte Carlo standard errors were at most {wanted}, or to its cap of replicates; this "
        "was decided at fixed checkpoints, from the replicates so far."
    )


def _wanted(target: Target) -> str:
    return f"{precision.text(target)} of its size" if target.relative else f"{target.mcse:g}"
