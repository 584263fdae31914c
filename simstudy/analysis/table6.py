"""The textbook Monte Carlo standard errors of Morris, White & Crowther (2019, Statistics in Medicine 38, Table 6).

Selected by ``mcse: table6``, for comparison with other software. They assume normal estimates where the
influence functions assume nothing, and no covariance between model and empirical standard errors. For the raw
estimators of bias, mean squared error and model standard error, and by the delta method for those of relative
bias and root mean squared error, the two are the same formula, so that these need no entry here. All that is
not in Table 6 keeps its influence function: control variates, estimates on the boundary, medians, interval
widths, efficiency, the shape, and matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simstudy.analysis import performance
from simstudy.analysis.influence import Estimate
from simstudy.analysis.sample import Sample
from simstudy.analysis.streaming import Steps
from simstudy.parameters import Array

Formula = Callable[[Sample, str, Array], Steps[Array]]
"""MCSE of the values (p,) of one estimator of a sample."""


def _empirical_se(sample: Sample, _: str, value: Array) -> Steps[Array]:
    """EmpSE/√(2(R−1))."""
    yield ()
    return np.asarray(value / np.sqrt(2.0 * (sample.count - 1)))


def _relative_error(sample: Sample, estimator: str, value: Array) -> Steps[Array]:
    """100(ModSE/EmpSE)√(var(V)/(4R·ModSE⁴) + 1/(2(R−1))); the first term is (MCSE(ModSE)/ModSE)²."""
    model = (yield performance.model_se)[estimator]
    share = np.square(model.mcse / model.value) + 0.5 / (sample.count - 1)
    return np.asarray((100.0 + value) * np.sqrt(share))


def _proportion(sample: Sample, _: str, value: Array) -> Steps[Array]:
    """√(p(1−p)/R): zero at 0 and 1."""
    yield ()
    return np.asarray(np.sqrt(value * (1.0 - value) / sample.count))


FORMULAS: Mapping[str, Formula] = {
    "empirical_se": _empirical_se,
    "relative_error_model_se": _relative_error,
    "coverage": _proportion,
    "bias_eliminated_coverage": _proportion,
    "rejection_rate": _proportion,
}
"""The measures whose textbook formula differs from the influence function."""

_BEYOND = ("with-boundary",)
"""Estimators that the textbook does not know."""


def textbook(measure: str, found: Mapping[str, Estimate], sample: Sample) -> Steps[dict[str, Estimate]]:
    """Return the estimates of a measure, by name, with the MCSE of Table 6 where that has one of its own."""
    formula = FORMULAS.get(measure)
    if formula is None:
        return dict(found)
    errors = yield {name: formula(sample, name, one.value) for name, one in found.items() if name not in _BEYOND}
    return {name: Estimate(one.value, errors.get(name, one.mcse)) for name, one in found.items()}
