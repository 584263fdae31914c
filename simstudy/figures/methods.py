"""The interval methods: what they are called, how they look, and the level they aim at."""

from __future__ import annotations

import math

import pandas as pd

from simstudy.figures import selection as sel
from simstudy.figures.style import BLUE, GREEN, ORANGE, PALETTE, VERMILION, Look

PURPLE, SKY = "#6a51a3", PALETTE[9]

LOOKS = {
    "wald-observed": Look("Wald, observed information", BLUE, "o", "-"),
    "wald-expected": Look("Wald, expected information", GREEN, "D", (0, (4, 2))),
    "wald-sandwich": Look("Wald, sandwich", VERMILION, "^", (0, (1, 1))),
    "wald-opg": Look("Wald, outer product of scores", ORANGE, "v", (0, (5, 1, 1, 1))),
    "wald-log": Look("Wald, unconstrained scale", PALETTE[4], "P", (0, (3, 1, 1, 1, 1, 1))),
    "score": Look("score", SKY, "s", (0, (7, 2))),
    "likelihood-ratio": Look("likelihood ratio", PURPLE, "X", (0, (2, 1))),
}
"""Methods by their name in the summary, in the order of legends."""

SYMMETRIC = ("wald-observed", "wald-expected", "wald-sandwich", "wald-opg")
"""Methods whose intervals are θ̂ ± z·se on the scale of the parameter."""

REGIONS = {"wald": LOOKS["wald-observed"], "score": LOOKS["score"], "likelihood-ratio": LOOKS["likelihood-ratio"]}
"""Joint confidence regions by their name in the summary; the Wald region is that of the observed information."""

NOMINAL = "wald-sandwich"
"""Intervals whose coverage tends to the nominal level wherever any does."""


def coverages(summary: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Return the coverage of the intervals of each parameter by all methods that have a look."""
    rows = sel.measured(summary, scenario, "coverage")
    return rows[(rows["row"] != "") & rows["estimator"].isin(LOOKS)]


def regions(summary: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Return the coverage of joint regions; there is none of a single parameter, whose region is its interval."""
    rows = sel.measured(summary, scenario, "coverage")
    several = len(set(rows["row"]) - {""}) > 1
    return rows[(rows["row"] == "") & rows["estimator"].isin(REGIONS) & several]


def present(rows: pd.DataFrame) -> dict[str, Look]:
    """Return the methods that have rows."""
    met = set(rows["estimator"])
    return {name: look for name, look in LOOKS.items() if name in met}


def level(summary: pd.DataFrame, scenario: str) -> float:
    """Return the nominal level, NaN where no interval is known to have it in the limit."""
    rows = coverages(summary, scenario).dropna(subset="limit")
    if sel.limit_names(summary, scenario)[0] != "I(θ)":
        rows = rows[rows["estimator"] == NOMINAL]
    ordered = sorted(zip(rows["estimator"] != NOMINAL, rows["limit"], strict=True), key=lambda pair: pair[0])
    return float(ordered[0][1]) if ordered else math.nan
