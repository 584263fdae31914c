"""Two studies beside each other: which measures differ beyond Monte Carlo error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simstudy.parameters import Array
from simstudy.results import Results
from simstudy.study.streams import identity

if TYPE_CHECKING:
    import pandas as pd

KEY = ["scenario", "n", "measure", "estimator", "row", "column"]
ROUNDING = 1e-12
"""Largest difference, in the natural size of a measure, of two numbers that are the same but for rounding."""

OF_THE_SIMULATION = ("noise_floor", "replicates_saved")
"""Measures of Monte Carlo error itself, which belong to a number of replicates: there is nothing to compare."""

IDENTICAL, AGREES, DIFFERS = "identical", "agrees", "differs"
NOT_COMPARED, ONLY_FIRST, ONLY_SECOND = "not compared", "only in the first", "only in the second"


def compare(first: str | Path | Results, second: str | Path | Results, level: float = 0.95) -> pd.DataFrame:
    """Compare the summaries of two results folders, row by row.

    Rows are matched by scenario, n, measure, estimator, row and column; the names of the studies do not matter. Of two
    values v with Monte Carlo standard errors m, z = (v₁ − v₂)/√(m₁² + m₂²) is taken for standard normal where both
    estimate the same, and p-values are adjusted over all compared rows (Holm 1979), so that the chance that any row
    is said to differ by accident is at most 1 − level. That holds for many replicates: with a few hundred, skewed
    measures such as the spread of the observed information differ somewhat more often. What differs by no more than
    rounding, 1e-12 of the measure's natural size, agrees, and values without Monte Carlo error are compared so alone.

    Measures of the Monte Carlo error itself, ``noise_floor`` and ``replicates_saved``, are left out.

    Where two studies share seed and mechanism they have seen the same data: their errors are dependent, a difference
    is less noisy than z takes it for, and fewer rows are said to differ than could be.

    Parameters
    ----------
    first, second
        Results folders, or results.
    level
        One minus the chance that any row is said to differ by accident.

    Returns
    -------
    DataFrame
        Columns scenario, n, measure, estimator, row, column, value_1, mcse_1, value_2, mcse_2, z, p, p_adjusted and
        verdict: ``identical`` (the same bits), ``agrees``, ``differs``, ``not compared`` (an estimate or its error is
        missing), ``only in the first``, ``only in the second``. ``attrs["shared"]`` names the scenarios that share
        data, ``attrs["compared"]`` is the number of rows with a p-value.

    Raises
    ------
    UnusableResultsError
        If results cannot be read.
    """
    one, other = (each if isinstance(each, Results) else Results(each) for each in (first, second))
    table = judged(one.summary(), other.summary(), level)
    table.attrs["shared"] = _shared(one, other)
    return table


def judged(first: pd.DataFrame, second: pd.DataFrame, level: float) -> pd.DataFrame:
    """Compare two summaries, as `compare` does."""
    first, second = (each[~each["measure"].isin(OF_THE_SIMULATION)] for each in (first, second))
    columns = [*KEY, "value", "mcse"]
    table = first[columns].merge(
        second[columns], on=KEY, how="outer", suffixes=("_1", "_2"), indicator=True, validate="one_to_one", sort=False
    )
    table = _in_order(table, first, second)
    values, errors = (table[[f"{name}_1", f"{name}_2"]].to_numpy(dtype=float).T for name in ("value", "mcse"))
    matched = (table["_merge"] == "both").to_numpy()
    with np.errstate(all="ignore"):  # a number may be missing, or infinite in both
        table["z"] = np.where(matched, _z(values, errors), np.nan)
        same = np.abs(values[0] - values[1]) <= ROUNDING * _natural_size(table, values)
    table["p"] = _two_sided(table["z"].to_numpy())
    table["p_adjusted"] = holm(table["p"].to_numpy())
    table["verdict"] = _verdicts(table["p_adjusted"].to_numpy(), values, errors, same, level)
    table.loc[table["_merge"] == "left_only", "verdict"] = ONLY_FIRST
    table.loc[table["_merge"] == "right_only", "verdict"] = ONLY_SECOND
    table = table.drop(columns="_merge")
    table.attrs["compared"] = int(table["p"].notna().sum())
    return table


def _in_order(table: pd.DataFrame, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the order of the first summary, then what only the second has."""
    import pandas as pd

    keys = pd.concat([first[KEY], second[KEY]]).drop_duplicates()
    return keys.merge(table, on=KEY, how="left", validate="one_to_one")


def _z(values: Array, errors: Array) -> Array:
    """Return z (k,), NaN where an estimate or an error is missing or both errors are 0."""
    spread = np.hypot(*errors)
    usable = np.isfinite(values).all(axis=0) & np.isfinite(spread) & (spread > 0.0)
    return np.where(usable, (values[0] - values[1]) / spread, np.nan)


def _two_sided(z: Array) -> Array:
    from scipy import special

    return np.asarray(2.0 * special.ndtr(-np.abs(z)))


def holm(p: Array) -> Array:
    """Return p-values adjusted for their number by the step-down method of Holm (1979); NaN stays NaN.

    >>> holm(np.array([0.01, 0.04, np.nan, 0.03]))
    array([0.03, 0.06,  nan, 0.06])
    """
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _natural_size(table: pd.DataFrame, values: Array) -> Array:
    """Return the size (k,) below 1e-12 of which a number is rounding: its own, or a larger one that it is part of.

    Numbers of all parameters together have no unit and a natural size of 1; entry (i, j) of a matrix has √(vᵢᵢvⱼⱼ).
    """
    own = np.abs(values).max(axis=0)
    head = ["scenario", "n", "measure", "estimator"]
    diagonal = table.assign(size=own)[table["row"] == table["column"]].set_index([*head, "row"])["size"]
    sides = [
        table[[*head, side]].rename(columns={side: "row"}).join(diagonal, on=[*head, "row"])["size"].to_numpy()
        for side in ("row", "column")
    ]
    scalar = (table["row"] == "").to_numpy()
    return np.asarray(np.fmax(own, np.where(scalar, 1.0, np.sqrt(sides[0] * sides[1]))))


def _verdicts(p_adjusted: Array, values: Array, errors: Array, near: NDArray[np.bool_], level: float) -> Array:
    tested = np.where((p_adjusted < 1.0 - level) & ~near, DIFFERS, AGREES)
    exact = (errors == 0.0).all(axis=0) & np.isfinite(values).all(axis=0)
    untested = np.where(exact, np.where(near, AGREES, DIFFERS), NOT_COMPARED)
    verdict = np.where(np.isfinite(p_adjusted), tested, untested)
    same = (values[0] == values[1]) & ((errors[0] == errors[1]) | np.isnan(errors).all(axis=0))
    same |= np.isnan(values).all(axis=0)
    return np.where(same, IDENTICAL, verdict).astype(object)


def _shared(first: Results, second: Results) -> list[str]:
    """Return the scenarios some of whose data sets are the same in both studies."""
    seen = {(cell.name, identity(cell, first.study.seed)) for cell in first.study.scenarios}
    again = [cell.name for cell in second.study.scenarios if (cell.name, identity(cell, second.study.seed)) in seen]
    return list(dict.fromkeys(again))
