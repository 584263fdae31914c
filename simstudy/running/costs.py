"""What a replicate of each scenario costs, in seconds: from short trials at first, then from the tasks that are done.

No number depends on the costs: they order the queue and tell the time that is left.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from simstudy.running.block import simulate
from simstudy.running.memory import keep_freed_memory
from simstudy.study.scenario import Scenario

_TRIAL_SIZE = 2**16
_TRIAL_BLOCKS = 4
_LEAST_SECONDS = 1e-9
# What is assumed before anything is known: a replicate costs as much as so many observations, and these so much each.
_FIXED = 30.0
_SECONDS = 5e-8


class Costs:
    """Seconds of one processor per replicate, by model (fitted family, parameter names, known ones) and sample size."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], dict[int, tuple[int, float]]] = {}

    def add(self, scenario: Scenario, rows: int, seconds: float) -> None:
        """Learn what so many replicates took."""
        sizes = self._seen.setdefault(_model(scenario), {})
        before, taken = sizes.get(scenario.n, (0, 0.0))
        sizes[scenario.n] = before + rows, taken + max(seconds, _LEAST_SECONDS)

    def __call__(self, scenario: Scenario) -> float:
        """Return the seconds of a replicate: as measured, between two sizes that were, or by what all others took."""
        sizes = self._seen.get(_model(scenario))
        if not sizes:
            return self._scale * _weight(scenario.n)
        rates = {n: seconds / rows for n, (rows, seconds) in sizes.items()}
        return rates[scenario.n] if scenario.n in rates else _between(rates, scenario.n)

    @property
    def _scale(self) -> float:
        """Seconds of an observation over all that was measured."""
        found = [(rows * _weight(n), s) for sizes in self._seen.values() for n, (rows, s) in sizes.items()]
        return sum(s for _, s in found) / sum(weight for weight, _ in found) if found else _SECONDS


def _weight(n: int) -> float:
    return _FIXED + n


def _between(rates: dict[int, float], n: int) -> float:
    """Return the rate at n on the line a + b·n, a, b ≥ 0, through the two measured sizes next to it."""
    sizes = sorted(rates)
    if len(sizes) == 1:
        return rates[sizes[0]] * _weight(n) / _weight(sizes[0])
    above = next((i for i, size in enumerate(sizes) if size > n), len(sizes) - 1)
    low, high = sizes[max(above, 1) - 1], sizes[max(above, 1)]
    slope = max(0.0, (rates[high] - rates[low]) / (high - low))
    return max(0.0, rates[high] - slope * high) + (slope or rates[high] / high) * n


def _model(scenario: Scenario) -> tuple[object, ...]:
    return (
        scenario.family,
        scenario.fit,
        scenario.names,
        scenario.known,
        scenario.censoring is not None,
        scenario.covariates,
        scenario.stored_intervals,
    )


@dataclass(frozen=True)
class Trial:
    """Some blocks of a scenario that are timed and thrown away."""

    scenario: Scenario

    def seconds(self) -> tuple[int, float]:
        """Return how many replicates were simulated, and the seconds they took."""
        simulate(self.scenario, 0, 0, 0)  # the first call pays for imports and caches
        start = time.perf_counter()
        rows = len(simulate(self.scenario, 0, 0, _TRIAL_BLOCKS - 1))
        return rows, time.perf_counter() - start


def trials(scenarios: Iterable[Scenario]) -> list[Trial]:
    """Return the trials that tell the cost of any of the scenarios: of each model its smallest and its largest n."""
    sizes: dict[tuple[object, ...], dict[int, Scenario]] = {}
    for scenario in scenarios:
        n = min(scenario.n, _TRIAL_SIZE)
        sizes.setdefault(_model(scenario), {}).setdefault(n, replace(scenario, n=n))
    return [Trial(found[n]) for found in sizes.values() for n in sorted({min(found), max(found)})]


def measured_costs(scenarios: Iterable[Scenario]) -> Costs:
    """Make all trials in this process and return the costs; each takes some milliseconds."""
    keep_freed_memory()  # as workers do
    costs = Costs()
    for trial in trials(scenarios):
        try:
            costs.add(trial.scenario, *trial.seconds())
        except Exception:
            continue
    return costs
