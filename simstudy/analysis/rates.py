"""Rates at which errors fall with n: slopes of log error on log n over all sample sizes of a scenario.

The model is e(n) = exp(a + b·log n) with independent Monte Carlo errors of known standard deviation, the MCSE. It is
fitted by weighted least squares on the log scale, var(log e) = (MCSE/e)² by the delta method, reweighted until it
settles: with ê the fitted error, the working response is log ê + (e − ê)/ê and the weight (ê/MCSE)² (Gauss–Newton).
Weights and responses from the observed e instead would favour points that noise has lifted: slopes then come out too
flat by up to one standard error, where these cover as they claim.

The line is fitted to all points first; then only sample sizes at which ê > 2 MCSE count, at least three of them. The
standard error of b is 1/√Σw(x − x̄)², multiplied by √(χ²/df) where the scatter about the line exceeds what Monte Carlo
noise explains: terms of higher order bend the line at small n, and the slope is then that of a chord.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array

if TYPE_CHECKING:
    from simstudy.analysis.summary import Row

NAME = "rate"
ABOVE = 2.0
"""A point counts where the fitted error is more than so many MCSE."""
LEAST = 3
"""Points that a slope takes."""
ROUNDING = 1e-8
"""Relative errors of matrices below this are those of floating point arithmetic."""
_STEPS = 40
_SETTLED = 20
_EXACT = 1e-9


class Rated(NamedTuple):
    """A measure with a rate: by which estimator, its theoretical slope, and what of it is rounding."""

    estimator: str
    slope: float
    rounding: float = 0.0


RATED = {
    "information_error": Rated("control-variate", -1.0, ROUNDING),
    "covariance_error": Rated("control-variate", -1.0, ROUNDING),
    "bias": Rated("control-variate", -1.0),
    "sd_observed_information": Rated("raw", -0.5),
}
"""Measures of which there are rates, in the order of the summary."""


class Slope(NamedTuple):
    """Slope b of a line on log scales, its standard error, and which points it rests on."""

    value: float
    error: float
    used: NDArray[np.bool_]


def slope(sizes: Array, errors: Array, mcse: Array) -> Slope | None:
    """Return the slope of log|error| on log n, or None where fewer than three points are above the noise.

    Parameters
    ----------
    sizes, errors, mcse : (k,)
        Sample sizes, errors of either sign, and their standard errors.
    """
    usable = np.isfinite(errors) & np.isfinite(mcse)
    noise = np.where(usable, np.maximum(mcse, _EXACT * np.abs(errors)), 1.0)
    x, e = np.log(sizes), np.where(usable, errors, 0.0)
    used = usable & (np.abs(e) > ABOVE * noise)
    e = e * np.sign(np.sum(np.where(used, e / noise, 0.0)))
    start = used & (e > 0.0)
    if start.sum() < LEAST:
        return None
    fitted, value, error = _line(x, np.log(np.where(start, e, 1.0)), np.where(start, np.square(e / noise), 0.0))
    used = usable
    for step in range(_STEPS):
        if step >= _SETTLED:
            used = used & (fitted > ABOVE * noise)
        if used.sum() < LEAST:
            return None
        response = np.log(fitted) + (e - fitted) / fitted
        fitted, value, error = _line(x, response, np.where(used, np.square(fitted / noise), 0.0))
    if not np.isfinite(value):
        return None
    scatter = np.sum(np.square((e - fitted) / noise)[used]) / (used.sum() - 2)
    return Slope(float(value), float(error * np.sqrt(max(1.0, scatter))), used)


def _line(x: Array, y: Array, weights: Array) -> tuple[Array, float, float]:
    """Return exp of the weighted least squares line at x, its slope, and the standard error of that."""
    total = weights.sum()
    centre, height = (weights * x).sum() / total, (weights * y).sum() / total
    spread = (weights * np.square(x - centre)).sum()
    value = (weights * (x - centre) * (y - height)).sum() / spread
    return np.exp(height + value * (x - centre)), value, 1.0 / np.sqrt(spread)


def rates(rows: Sequence[Row], regular: bool) -> list[Row]:
    """Return the rates of one scenario, rows of measure ``rate`` with n = 0.

    ``estimator`` is the measure whose rate it is, ``limit`` its theoretical slope: NaN for an irregular scenario or a
    wrong model, whose orders depend on ends of the sample space or on moments that need not exist. In particular cases
    a leading term vanishes, and an error falls faster than its limit says. There is no row where the error is zero, or
    hidden by noise.

    Parameters
    ----------
    rows
        Rows of all cells of the scenario.
    regular
        Whether its model is right and regular.
    """
    found = []
    for measure, rated in RATED.items():
        chosen = [row for row in rows if (row.measure, row.estimator) == (measure, rated.estimator)]
        for entry in dict.fromkeys((row.row, row.column) for row in chosen if row.column in {"", row.row}):
            own = [row for row in chosen if (row.row, row.column) == entry]
            found += _row(own, rated, regular)
    return found


def _row(rows: Sequence[Row], rated: Rated, regular: bool) -> list[Row]:
    """Return the rate of one entry, if it has one."""
    sizes, errors, mcse = np.array([(row.n, row.value, row.mcse) for row in rows]).T
    with np.errstate(all="ignore"):
        line = slope(sizes, np.where(np.abs(errors) > rated.rounding, errors, np.nan), mcse)
    if line is None:
        return []
    used = [row for row, chosen in zip(rows, line.used, strict=True) if chosen]
    return [
        rows[0]._replace(
            n=0,
            measure=NAME,
            estimator=rows[0].measure,
            value=line.value,
            mcse=line.error,
            limit=rated.slope if regular else float("nan"),
            replicates=sum(row.replicates for row in used),
            failed=sum(row.failed for row in used),
        )
    ]


def with_rates(cells: Iterable[tuple[list[Row], bool]]) -> list[Row]:
    """Return the rows of all cells, the rates of each scenario after its last cell.

    Parameters
    ----------
    cells
        The rows of each cell, and whether its model is right and regular.
    """
    every = [(rows, regular) for rows, regular in cells if rows]
    last = {rows[0].scenario: place for place, (rows, _) in enumerate(every)}
    told: list[Row] = []
    for place, (rows, regular) in enumerate(every):
        told += rows
        name = rows[0].scenario
        if last[name] == place:
            told += rates([row for own, _ in every if own[0].scenario == name for row in own], regular)
    return told
