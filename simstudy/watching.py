"""A fit with all iterations of the solvers that ran, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.errors import SimstudyError
from simstudy.families.status import Status
from simstudy.inference import Fit, mle
from simstudy.inference.fitted import describe, expected_at
from simstudy.inference.likelihood import Likelihood
from simstudy.numerics import trace
from simstudy.parameters import Array
from simstudy.study import models
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

if TYPE_CHECKING:
    import pandas as pd

_VALUE = "log_likelihood"
_LAST_COLUMNS = (_VALUE, "objective", "decrement", "damping", "step", trace.SAFEGUARD)


def beside_itself(scenario: Scenario, data: Array) -> Array:
    """Return a data set beside a copy of itself, where it has company in its block.

    One row alone is laid out otherwise in memory, and its sums may differ in the last bit.
    """
    pair = data[np.newaxis] if block_size(scenario.n) == 1 else np.stack([data, data])
    pair.flags.writeable = False
    return pair


def watched(scenario: Scenario, x: Array) -> tuple[Fit, pd.DataFrame]:
    """Fit a data set that may stand beside its copy, and return the table of all iterations, the estimate last."""
    model = models.fitted(scenario)
    with np.errstate(all="ignore"):
        likelihood = Likelihood(model.family, x, model.parametrisation, model.given)
        with trace.recording() as runs:
            estimates = mle.fit(likelihood)
        lines = list(_lines(runs, likelihood))
        lines[-1]["iteration"] = int(estimates.iterations[0])
        return describe(likelihood, estimates, _expected(likelihood, estimates), single=True), _frame(lines)


def _expected(likelihood: Likelihood, estimates: mle.Estimates) -> list[Any]:
    """Return I(θ̂), NaN where a family's own raises, which a run does not ask for."""
    try:
        return expected_at(likelihood, estimates)
    except (SimstudyError, MemoryError):
        raise
    except Exception:
        size = len(likelihood.free)
        return [np.full(likelihood.rows, np.nan)] * (size * (size + 1) // 2)


def _lines(runs: list[trace.Run], likelihood: Likelihood) -> Iterator[trace.Line]:
    starts = Counter[str]()
    for run in runs:
        for course in run.courses:
            starts[run.solver] += 1
            for iteration, line in enumerate(course):
                value = line[_VALUE] if _VALUE in line else _value(likelihood, line)
                yield {"solver": run.solver, "start": starts[run.solver], "iteration": iteration, **line, _VALUE: value}


def _value(likelihood: Likelihood, line: trace.Line) -> float:
    """Return the log-likelihood where a solver stood, of a profile its maximum there; NaN where that is not known."""
    at = {name: line[name] for name in likelihood.free if name in line}
    if not at or not likelihood.is_base:
        return np.nan
    if len(at) == len(likelihood.free):
        mean, known = likelihood.evaluate([np.asarray(value) for value in at.values()]).value, True
    else:
        held = Likelihood(likelihood.family, likelihood.reduced, likelihood.parametrisation, likelihood.known | at)
        found = mle.fit(held)
        mean, known = found.evaluation.value, bool(found.status[0] == Status.CONVERGED)
    return float(likelihood.reduced.size * np.broadcast_to(mean, likelihood.rows)[0]) if known else np.nan


def _frame(lines: list[trace.Line]) -> pd.DataFrame:
    import pandas as pd

    names = dict.fromkeys(name for line in lines for name in line)
    order = [name for name in names if name not in _LAST_COLUMNS]
    return pd.DataFrame(lines, columns=[*order, *(name for name in _LAST_COLUMNS if name in names)])
