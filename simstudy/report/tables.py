"""The summary as tables that can be read: one line per entry, one column per sample size, the limit last."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.wording import number, split_error

PER_CENT = dict.fromkeys(
    (
        "relative_bias",
        "coverage",
        "bias_eliminated_coverage",
        "rejection_rate",
        "conditional_coverage",
        "information_matrix_test",
        "information_error",
        "covariance_error",
        "noise_floor",
        "failure_rate",
    ),
    100.0,
)
"""Measures that are fractions and shown in per cent."""

TITLES = {
    "mean_observed_information": "Mean observed information",
    "sd_observed_information": "Standard deviation of single J",
    "quantile_observed_information": "Quantiles of single J",
    "scaled_covariance": "n · Cov(θ̂)",
    "rate_covariance": "n^(rᵢ + rⱼ) · Cov(θ̂), errors of order 1/nʳ",
    "bias": "Bias",
    "scaled_bias": "n · bias",
    "relative_bias": "Relative bias, %",
    "median_bias": "Median bias",
    "empirical_se": "Empirical standard error",
    "model_se": "Model standard error",
    "relative_error_model_se": "Relative error of the model standard error, %",
    "mse": "Mean squared error",
    "rmse": "Root mean squared error",
    "coverage": "Coverage, %",
    "bias_eliminated_coverage": "Bias-eliminated coverage, %",
    "interval_width": "Mean width of intervals",
    "rejection_rate": "Rejection rate, %",
    "efficiency": "Efficiency [I(θ)⁻¹]ⱼⱼ / (n · Var θ̂ⱼ)",
    "skewness": "Skewness",
    "kurtosis": "Kurtosis",
    "normal_distance": "Distance of the standardised estimate to N(0, 1)",
    "mahalanobis": "Quantiles of the squared Mahalanobis distance",
    "log_det_ratio": "Log determinant of n · Cov(θ̂) over that of its limit",
    "largest_eigenvalue": "Largest eigenvalue relative to the limit",
    "smallest_eigenvalue": "Smallest eigenvalue relative to the limit",
    "orthogonality": "Orthogonality: correlations of estimates and of information",
    "mean_score": "Mean score at the truth",
    "score_covariance": "Covariance of √n · mean score at the truth",
    "second_bartlett": "Second Bartlett identity: mean of K − J at the truth",
    "third_bartlett": "Third Bartlett identity",
    "information_matrix_test": "Rejection rate of the information matrix test, %",
    "conditional_mse": "Mean squared error by decile of the observed information",
    "conditional_variance": "Variance by decile of the observed information",
    "conditional_coverage": "Coverage by decile of the observed information, %",
    "information_error": "Relative error of mean observed information, %",
    "covariance_error": "Relative error of n · Cov(θ̂), %",
    "noise_floor": "Noise floor of the relative errors, %",
    "rate": "Rate: slope of log error on log n",
    "replicates_saved": "Replicates saved by control variates: raw variance over controlled",
    "failure_rate": "Failure rate, %",
}
HEADLINE = ("mean_observed_information", "scaled_covariance", "rate_covariance", "coverage")
GROUPS = {
    "Bias": ("bias", "scaled_bias", "relative_bias", "median_bias"),
    "Standard errors and mean squared error": (
        "empirical_se",
        "model_se",
        "relative_error_model_se",
        "mse",
        "rmse",
        "efficiency",
    ),
    "Intervals and tests": ("bias_eliminated_coverage", "interval_width", "rejection_rate"),
    "Shape of the distribution": ("skewness", "kurtosis", "normal_distance", "mahalanobis"),
    "Eigenvalues and correlations": (
        "log_det_ratio",
        "largest_eigenvalue",
        "smallest_eigenvalue",
        "orthogonality",
    ),
    "Spread of the observed information": ("sd_observed_information", "quantile_observed_information"),
    "Given the observed information": ("conditional_mse", "conditional_variance", "conditional_coverage"),
    "Relative errors, their noise and their rates": (
        "information_error",
        "covariance_error",
        "noise_floor",
        "rate",
    ),
    "Identities of the score": (
        "mean_score",
        "score_covariance",
        "second_bartlett",
        "third_bartlett",
        "information_matrix_test",
    ),
    "Savings": ("replicates_saved",),
    "Failures by status": ("failure_rate",),
}
"""Tables that stand below the figures, the long ones folded."""

OTHER = "Other measures"
LONG = 14
"""Lines of a table from which on it is folded."""

JOINT = "all parameters"
"""What an entry of all parameters together is called where others are of one."""


@dataclass(frozen=True)
class Cell:
    """A number and ±2 MCSE as shown; either may be empty."""

    value: str
    error: str


@dataclass(frozen=True)
class Line:
    """One entry by one estimator over all sample sizes."""

    entry: str
    estimator: str
    cells: tuple[Cell, ...]
    limit: str


@dataclass(frozen=True)
class Block:
    """One measure."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Measures side by side on the same sample sizes."""

    title: str
    sizes: tuple[int, ...]
    blocks: tuple[Block, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads of the columns; what speaks of all sample sizes together has n = 0 in the summary."""
        return tuple(f"n = {n}" if n else "all n" for n in self.sizes)

    @property
    def long(self) -> bool:
        """Whether it is better folded."""
        return sum(len(block.lines) for block in self.blocks) >= LONG


def table(summary: pd.DataFrame, scenario: str, title: str, measures: tuple[str, ...]) -> Table:
    """Return the table of some measures of a scenario; measures that the summary lacks are left out."""
    rows = {measure: sel.measured(summary, scenario, measure) for measure in measures}
    sizes = tuple(sel.sizes(pd.concat(rows.values())))
    return Table(title, sizes, tuple(_block(measure, found, sizes) for measure, found in rows.items() if len(found)))


def below(summary: pd.DataFrame, scenario: str) -> tuple[Table, ...]:
    """Return all tables of a scenario but the headline, those without a line left out."""
    present = summary[summary["scenario"] == scenario]["measure"].unique()
    groups = GROUPS | {OTHER: tuple(measure for measure in present if measure not in TITLES)}
    tables = [table(summary, scenario, title, measures) for title, measures in groups.items() if measures]
    return tuple(found for found in tables if found.blocks)


def _block(measure: str, rows: pd.DataFrame, sizes: tuple[int, ...]) -> Block:
    scale = PER_CENT.get(measure, 1.0)
    names = dict.fromkeys(zip(rows["row"], rows["column"], rows["estimator"], strict=True))
    lines = []
    for entry in sel.entries(rows):
        of_entry = [_line(rows, name, sizes, scale) for name in names if name[:2] == entry]
        lines += [*of_entry, *_moving_limit(rows, entry, sizes, scale)]
    return Block(TITLES.get(measure, measure), tuple(lines))


def _line(rows: pd.DataFrame, name: tuple[str, str, str], sizes: tuple[int, ...], scale: float) -> Line:
    found = sel.series(rows, name[:2], name[2]).set_index("n")
    negligible = 1e-12 * sel.scale_of(rows, name[:2])
    cells = tuple(_cell(found, n, scale, negligible) for n in sizes)
    known = found["limit"].notna().any() and not _moves(found["limit"])
    limit = number(scale * found["limit"].max()) if known else ""
    return Line(_entry(rows, name[:2]), name[2].replace("-", " "), cells, limit)


def _entry(rows: pd.DataFrame, entry: sel.Entry) -> str:
    return sel.entry_name(entry) or (JOINT if rows["row"].any() else "")


def _cell(found: pd.DataFrame, n: int, scale: float, negligible: float) -> Cell:
    if n not in found.index:
        return Cell("", "")
    value, mcse = (scale * float(found[column][n]) for column in ("value", "mcse"))
    if abs(value) + mcse < negligible:  # an entry that is zero but for rounding
        return Cell("0", "0")
    return Cell(*split_error(value, mcse))


def _moves(limits: pd.Series[float]) -> bool:
    """Tell whether limits depend on n by more than rounding."""
    return bool(np.ptp(limits.dropna()) > 1e-9 * limits.abs().max()) if limits.notna().any() else False


def _moving_limit(rows: pd.DataFrame, entry: sel.Entry, sizes: tuple[int, ...], scale: float) -> list[Line]:
    """Return a line of limits where these depend on n, such as √(I⁻¹/n)."""
    of_entry = rows[(rows["row"] == entry[0]) & (rows["column"] == entry[1])]
    limits = of_entry.dropna(subset="limit").drop_duplicates("n").set_index("n")["limit"]
    if not _moves(limits):
        return []
    cells = tuple(Cell(number(scale * limits.get(n, math.nan)), "") for n in sizes)
    return [Line(sel.entry_name(entry), "limit at this n", cells, "")]
