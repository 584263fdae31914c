"""How many replicates a wanted precision takes: a pilot in memory, and what its Monte Carlo errors say of longer runs.

A Monte Carlo standard error (MCSE) falls as 1/√R, so R₀ replicates with MCSE m foretell R₀·(m/target)² for a target.
R counts all replicates, converged or not, as the cap of a run does: the pilot's errors are those of its converged
share, which a run has as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from simstudy.analysis.precision import shortfalls
from simstudy.errors import UnusableResultsError
from simstudy.running.block import simulate
from simstudy.running.costs import measured_costs
from simstudy.running.footprint import pilot_bytes
from simstudy.running.plan import Cost, disk_bytes, needed_blocks
from simstudy.running.preflight import memory_faults
from simstudy.running.stopping import FIRST
from simstudy.study.precision import text
from simstudy.study.scenario import Scenario, Study, Target
from simstudy.study.streams import block_size

if TYPE_CHECKING:
    import pandas as pd

DEFAULTS = (
    Target("mean_observed_information", 0.01, True),
    Target("scaled_covariance", 0.01, True),
    Target("coverage", 0.005, False),
)
"""Targets where neither the caller nor the config has any."""
PILOT = 1000
"""Replicates of a pilot, in whole blocks."""
PILOT_DRAWS = 2**25
"""Most draws of a pilot that nobody gave a length: a few seconds of work."""
LEAST_PILOT = 30
"""Fewest replicates of a pilot, whatever they take: fewer say nothing of their own error."""
_ROUGH = 2.0


class Need(NamedTuple):
    """What one target takes in one cell.

    Attributes
    ----------
    scenario, target
        The cell and the target.
    pilot
        Replicates of the pilot.
    share
        Largest MCSE of the pilot over what it may be, NaN where it could not be computed.
    replicates
        Replicates that the target takes, rounded up to two digits, at least what a run has at its first checkpoint;
        None where the pilot cannot tell.
    rough
        Whether the two halves of the pilot disagree on that by more than a factor 2: the MCSE has heavy tails.
    seconds, size
        Seconds of one processor and bytes on disk of so many replicates.
    decides
        Whether no other target of the cell takes more.
    """

    scenario: Scenario
    target: Target
    pilot: int
    share: float
    replicates: int | None
    rough: bool
    seconds: float
    size: int
    decides: bool = False


def needs(study: Study, targets: tuple[Target, ...] = (), pilot: int | None = None) -> list[Need]:
    """Return what the targets take, by cell and target; without targets those of the scenario, or the defaults.

    Raises
    ------
    UnusableResultsError
        If a pilot does not fit in memory.
    """
    if faults := memory_faults([_trial(scenario, pilot) for scenario in study.scenarios], 1, pilot_bytes):
        raise UnusableResultsError("\n".join(faults))
    cost = measured_costs(study.scenarios)
    found: list[Need] = []
    for scenario in study.scenarios:
        found += _decided(_of_cell(scenario, targets or scenario.precision or DEFAULTS, study.seed, pilot, cost))
    return found


def pilot_size(n: int, pilot: int | None = None) -> int:
    """Return the replicates of a pilot: whole blocks, and fewer than usual where n is huge.

    >>> pilot_size(50), pilot_size(2_000_000), pilot_size(10**9), pilot_size(2_000_000, 200)
    (1310, 30, 30, 200)
    """
    wanted = max(LEAST_PILOT, min(PILOT, PILOT_DRAWS // n)) if pilot is None else pilot
    return -(-wanted // block_size(n)) * block_size(n)


def _trial(scenario: Scenario, pilot: int | None) -> Scenario:
    return replace(scenario, replicates=pilot_size(scenario.n, pilot))


def _of_cell(scenario: Scenario, targets: tuple[Target, ...], seed: int, pilot: int | None, cost: Cost) -> list[Need]:
    trial = _trial(scenario, pilot)
    replicates = simulate(trial, seed, 0, needed_blocks(trial) - 1)
    half = len(replicates) // 2
    parts = [replicates, replicates.head(half), replicates.tail(half)]
    shares = [list(shortfalls(trial, part, targets)) for part in parts]
    return [
        _need(scenario, target, len(replicates), whole, (first, second), cost)
        for target, whole, first, second in zip(targets, *shares, strict=True)
    ]


def _need(
    scenario: Scenario, target: Target, pilot: int, share: float, halves: tuple[float, float], cost: Cost
) -> Need:
    replicates = needed(pilot, share)
    if replicates is None:
        return Need(scenario, target, pilot, share, None, False, math.nan, 0)
    rough = replicates > FIRST and max(halves) ** 2 > _ROUGH * min(halves) ** 2
    whole = replace(scenario, replicates=replicates)
    seconds = needed_blocks(whole) * block_size(scenario.n) * cost(scenario)
    return Need(scenario, target, pilot, share, replicates, rough, seconds, disk_bytes(whole))


def _decided(found: list[Need]) -> list[Need]:
    """Mark what decides: the largest share, or what the pilot cannot tell."""
    most = max(range(len(found)), key=lambda i: math.inf if found[i].replicates is None else found[i].share)
    return [need._replace(decides=i == most) for i, need in enumerate(found)]


def needed(pilot: int, share: float) -> int | None:
    """Return the replicates, rounded up to two digits, that bring ``share`` of a pilot down to one; None if unknown.

    >>> needed(1000, 2.0), needed(1310, 1.5), needed(1000, 0.001), needed(1000, float("nan"))
    (4000, 3000, 500, None)
    """
    exact = pilot * share**2
    if not math.isfinite(exact):
        return None
    whole = max(FIRST, math.ceil(exact))
    step = int(10 ** (len(str(whole)) - 2))
    return -(-whole // step) * step


def frame(found: Sequence[Need]) -> pd.DataFrame:
    """Return the table of what targets take, one row each."""
    import pandas as pd

    return pd.DataFrame(
        {
            "scenario": [need.scenario.name for need in found],
            "n": [need.scenario.n for need in found],
            "measure": [need.target.measure for need in found],
            "target": [text(need.target) for need in found],
            "pilot": [need.pilot for need in found],
            "share": [need.share for need in found],
            "replicates": pd.array([need.replicates for need in found], dtype="Int64"),
            "rough": [need.rough for need in found],
            "seconds": [need.seconds for need in found],
            "bytes": [need.size for need in found],
            "decides": [need.decides for need in found],
        }
    )
