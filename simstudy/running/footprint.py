"""Memory that a task takes in a worker: what of the size of its data is held at once, and its record.

The data of a block are drawn and fitted whole: one data set where n is large. How many numbers drawing and fitting then
hold for each observation depends on the family alone; it was measured as the peak of all arrays, and a test measures it
again for every family. What is not of the size of the data or the record is in `WORKER_BYTES`.
"""

from __future__ import annotations

from simstudy.families import REGISTRY
from simstudy.running.plan import needed_blocks, task_blocks
from simstudy.running.record import row_bytes
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

WORKER_BYTES = 2**27
"""Bytes of a worker that holds no data: the interpreter, numpy, scipy, and small arrays."""
HELD = {
    **dict.fromkeys(("exponential", "uniform", "shifted_exponential"), 1),
    **dict.fromkeys(("pareto", "rayleigh", "half_normal", "maxwell", "chi_squared", "lindley"), 2),
    **dict.fromkeys(("binomial", "bernoulli"), 2),
    **dict.fromkeys(("normal", "lognormal", "gamma", "laplace", "von_mises"), 3),
    **dict.fromkeys(("poisson", "geometric", "negative_binomial", "zero_inflated_poisson", "categorical"), 3),
    **dict.fromkeys(("weibull", "gumbel", "beta", "kumaraswamy"), 4),
    "cauchy": 5,
    **dict.fromkeys(("generalized_pareto", "inverse_gaussian"), 6),
    "student_t": 7,
    "generalized_extreme_value": 10,
    **dict.fromkeys(("logistic", "log_logistic", "skew_normal"), 11),
}
"""Numbers held at once for each observation of a univariate family."""
_UNKNOWN = 16
_HELD_BY_WIDTH = {"linear_regression": (5, 2), "dirichlet": (3, 3), "bivariate_normal": (5, 2)}
_UNKNOWN_BY_WIDTH = (16, 3)
_WHEN_CUT = 3
_OF_ANOTHER = 4
_COPIES = 4
_NUMBER = 8


def held_numbers(scenario: Scenario) -> int:
    """Return how many numbers drawing and fitting a data set hold at once for each of its observations."""
    most = max(_held(scenario, name) for name in {scenario.family, scenario.fit})
    cut = 0 if scenario.censoring is None else _WHEN_CUT
    return max(most, 0 if scenario.right else _OF_ANOTHER) + cut


def _held(scenario: Scenario, name: str) -> int:
    names = scenario.names if name == scenario.family else scenario.fitted_names
    family = REGISTRY.get(name)
    width = None if family is None else family.member(dict.fromkeys(names)).sample_space.width
    if width is None:
        return HELD.get(name, _UNKNOWN)
    fixed, slope = _HELD_BY_WIDTH.get(name, _UNKNOWN_BY_WIDTH)
    return fixed + slope * width


def data_bytes(scenario: Scenario) -> int:
    """Return the bytes of what is held at once of a block of data sets."""
    return _NUMBER * block_size(scenario.n) * scenario.n * held_numbers(scenario)


def stored_bytes(scenario: Scenario, rows: int) -> int:
    """Return the bytes of the record of so many replicates."""
    return rows * row_bytes(len(scenario.free), len(scenario.stored_intervals))


def table_bytes(scenario: Scenario, rows: int) -> int:
    """Return the bytes that it takes to join the table of so many replicates, with their intervals, from its parts."""
    derived = _NUMBER * len(scenario.free) * (1 + 2 * len(scenario.intervals))
    return 2 * (stored_bytes(scenario, rows) + derived * rows)


def task_bytes(scenario: Scenario) -> int:
    """Return the bytes that a task takes in a worker beyond those that every worker does: its data and its record."""
    blocks = min(needed_blocks(scenario), task_blocks(scenario.n, len(scenario.free)))
    return data_bytes(scenario) + _COPIES * stored_bytes(scenario, blocks * block_size(scenario.n))


def pilot_bytes(scenario: Scenario) -> int:
    """Return the bytes that it takes to simulate all replicates at once."""
    rows = needed_blocks(scenario) * block_size(scenario.n)
    return data_bytes(scenario) + _COPIES * stored_bytes(scenario, rows)


def worker_bytes(scenario: Scenario) -> int:
    """Return the bytes that a worker takes which simulates a task."""
    return WORKER_BYTES + task_bytes(scenario)
