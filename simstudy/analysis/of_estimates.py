"""The performance measures of a user's own simulation: estimates in, a table of measures out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from simstudy.analysis import intervals, shape
from simstudy.analysis import performance as of_estimator
from simstudy.analysis.given import arrange, check_settings, checked
from simstudy.analysis.influence import Estimate
from simstudy.analysis.sample import Sample
from simstudy.analysis.streaming import Steps, run
from simstudy.analysis.table6 import textbook
from simstudy.errors import ConfigError, nearest

if TYPE_CHECKING:
    import pandas as pd

MCSE = ("influence", "table6")
_OF_ESTIMATES = {
    "bias": of_estimator.bias,
    "relative_bias": of_estimator.relative_bias,
    "median_bias": of_estimator.median_bias,
    "empirical_se": of_estimator.empirical_se,
    "model_se": of_estimator.model_se,
    "relative_error_model_se": of_estimator.relative_error_model_se,
    "mse": of_estimator.mse,
    "rmse": of_estimator.rmse,
    "coverage": intervals.coverage,
    "bias_eliminated_coverage": intervals.bias_eliminated_coverage,
    "interval_width": intervals.interval_width,
    "rejection_rate": intervals.rejection_rate,
    "skewness": shape.skewness,
    "kurtosis": shape.kurtosis,
}
"""Measures in the order of the table, each with the function that a study uses."""
_OF_TRUTH = {"bias", "relative_bias", "median_bias", "mse", "rmse", "coverage"}


def performance(
    estimates: ArrayLike,
    standard_errors: ArrayLike | None = None,
    *,
    true: float | None = None,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    level: float = 0.95,
    null: float = 0.0,
    mcse: str = "influence",
) -> pd.DataFrame:
    """Return the performance measures of the estimates of one parameter, each with its Monte Carlo standard error.

    Parameters
    ----------
    estimates : (R,)
        One estimate for each replicate; NaN where the method failed.
    standard_errors : (R,)
        Their standard errors; without them there is no model standard error.
    true
        The true value; without it there are no bias, mean squared error and coverage.
    lower, upper : (R,)
        Ends of the confidence intervals; by default θ̂ ∓ z·se with the normal quantile z.
    level
        Nominal coverage of the intervals that are not given.
    null
        The value whose rejection is counted.
    mcse
        ``influence``, which assumes nothing of the distribution of the estimates, or ``table6``, the formulas of
        Morris, White & Crowther (2019), for comparison.

    Returns
    -------
    DataFrame
        Columns ``measure``, ``value``, ``mcse``, ``replicates`` (R) and ``failed``: replicates with a NaN in any of the
        arrays, which are left out. Measures that lack what they are made of are not there; those that fewer than two
        replicates cannot tell are NaN.

    Raises
    ------
    ConfigError
        If the arrays differ in length or are no numbers, or an argument is out of its range.

    Examples
    --------
    >>> table = performance([1.1, 0.9, 1.3, 0.7], [0.2, 0.2, 0.3, 0.2], true=1.0)
    >>> table[table["measure"] == "coverage"][["value", "replicates", "failed"]]
        value  replicates  failed
    8     1.0           4       0
    """
    import pandas as pd

    if mcse not in MCSE:
        message = f"mcse: {' or '.join(MCSE)} is wanted, got '{mcse}'{nearest(str(mcse), MCSE)}"
        raise ConfigError(message)
    check_settings(true, level, null)
    arrays = checked(estimates, standard_errors, lower, upper)
    failed = np.logical_or.reduce([np.isnan(values) for values in arrays.values()])
    with np.errstate(all="ignore"):
        sample = arrange(arrays, true, level, null)
        found = run(sample, _measured(sample, true is not None, mcse))
    table = [(name, float(one.value[0]), float(one.mcse[0]), len(failed), int(failed.sum())) for name, one in found]
    return pd.DataFrame(table, columns=["measure", "value", "mcse", "replicates", "failed"])


def _measured(sample: Sample, of_truth: bool, mcse: str) -> Steps[list[tuple[str, Estimate]]]:
    """Return the first estimator, the raw one, of each measure that the sample has."""
    wanted = {name: measure for name, measure in _OF_ESTIMATES.items() if of_truth or name not in _OF_TRUTH}
    found: Mapping[str, Mapping[str, Estimate]] = yield wanted
    if mcse == "table6":
        found = yield {name: textbook(name, estimates, sample) for name, estimates in found.items()}
    return [(name, next(iter(estimates.values()))) for name, estimates in found.items() if estimates]
