"""Made-up intervals, and what is measured of them, for the results of `tests.figures.made`."""

from __future__ import annotations

import numpy as np
import pandas as pd

METHODS = ("wald-observed", "wald-expected", "wald-sandwich", "wald-opg", "wald-log", "score", "likelihood-ratio")
DECILES = range(1, 11)
QUANTILE = 1.959963984540054
LEVEL = 0.95


def interval_columns(names, n, covariance, table) -> pd.DataFrame:
    """Return the replicates with standard errors that grow with the estimate, and Wald intervals."""
    columns = {}
    for i, name in enumerate(names):
        theta = table[f"theta[{name}]"]
        se = np.sqrt(covariance[i, i] / n) * np.exp(0.5 * (theta - 1.0) / np.sqrt(covariance[i, i]))
        columns[f"se[{name}]"] = se
        for method in METHODS[:4]:
            columns |= {f"{end}[{method},{name}]": theta + side * QUANTILE * se for end, side in ENDS.items()}
    return table.assign(**columns)


ENDS = {"lower": -1.0, "upper": 1.0}


def interval_rows(names, n, covariance, dead) -> list[tuple]:
    """Return (measure, estimator, row, column, value, mcse, limit) of coverage, width and conditional inference."""
    rng = np.random.default_rng(n)
    rows = []

    def add(measure, estimator, name, value, mcse, limit):
        value = np.nan if dead else value + mcse * rng.standard_normal()
        rows.append((measure, estimator, name, "", value, np.nan if dead else mcse, limit))

    for i, name in enumerate(names):
        se = np.sqrt(covariance[i, i] / n)
        for place, method in enumerate(METHODS):
            if place > 1:
                add("coverage", method, name, LEVEL - place / n / 4, 0.004, LEVEL)
            add("interval_width", method, name, 2 * QUANTILE * se * (1 + place / n), se / 100, 2 * QUANTILE * se)
        for method in ("observed", "expected", "sandwich"):
            add("model_se", method, name, se * (1 - 1 / n), se / 100, se)
            add("relative_error_model_se", method, name, -100 / n, 0.5, 0.0)
        rows += conditional_rows(rng, name, se**2, dead)
    for method in ("wald", "score", "likelihood-ratio"):
        add("coverage", method, "", LEVEL - 1 / n, 0.004, LEVEL)
    return rows


def conditional_rows(rng, name, variance, dead) -> list[tuple]:
    """Return the squared error that 1/(nJ) predicts, and coverage that is right only with observed information."""
    rows = []
    for decile in DECILES:
        claimed, place = variance * (0.6 + 0.1 * decile), f"decile-{decile:02d}"
        away = 0.03 * (decile - 5.5)
        found = [
            ("conditional_mse", place, claimed, variance / 30, variance),
            ("conditional_variance", place, claimed, variance / 300, variance),
            ("conditional_coverage", f"wald-observed-{place}", LEVEL, 0.01, LEVEL),
            ("conditional_coverage", f"wald-expected-{place}", LEVEL - 0.3 * away, 0.01, LEVEL),
        ]
        for measure, estimator, value, mcse, limit in found:
            noisy = np.nan if dead else value + mcse * rng.standard_normal()
            rows.append((measure, estimator, name, "", noisy, np.nan if dead else mcse, limit))
    return rows
