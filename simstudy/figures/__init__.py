"""Figures: a summary DataFrame in, a matplotlib Figure out, one figure per file.

This floor knows the columns of the summary and of the replicates, and nothing else of the package.
"""

from __future__ import annotations

# isort: off
from simstudy.figures.imports import import_matplotlib

import_matplotlib()  # before the other modules do
# isort: on
# ruff: noqa: E402
from simstudy.figures.bias import BIAS
from simstudy.figures.conditional import CONDITIONAL
from simstudy.figures.covariance import COVARIANCE
from simstudy.figures.coverage import COVERAGE
from simstudy.figures.ellipses import ELLIPSES
from simstudy.figures.errors import ERRORS
from simstudy.figures.failures import FAILURES
from simstudy.figures.heatmap import HEATMAP
from simstudy.figures.identities import IDENTITIES
from simstudy.figures.information import INFORMATION
from simstudy.figures.intervals import INTERVALS
from simstudy.figures.mahalanobis import MAHALANOBIS
from simstudy.figures.nested_loop import NESTED_LOOP
from simstudy.figures.normality import NORMALITY
from simstudy.figures.paths import PATHS
from simstudy.figures.rate_covariance import RATE_COVARIANCE
from simstudy.figures.rates import RATES
from simstudy.figures.savings import SAVINGS
from simstudy.figures.scatter import SCATTER
from simstudy.figures.spec import REPLICATE_COLUMNS, FigureSpec, ReplicatesOf
from simstudy.figures.spectrum import SPECTRUM
from simstudy.figures.style import FORMATS, render
from simstudy.figures.zip import ZIP

FIGURES: dict[str, FigureSpec] = {
    "failures": FAILURES,
    "information": INFORMATION,
    "heatmap": HEATMAP,
    "covariance": COVARIANCE,
    "rate_covariance": RATE_COVARIANCE,
    "errors": ERRORS,
    "ellipses": ELLIPSES,
    "coverage": COVERAGE,
    "intervals": INTERVALS,
    "zip": ZIP,
    "scatter": SCATTER,
    "conditional": CONDITIONAL,
    "identities": IDENTITIES,
    "paths": PATHS,
    "spectrum": SPECTRUM,
    "rates": RATES,
    "bias": BIAS,
    "normality": NORMALITY,
    "mahalanobis": MAHALANOBIS,
    "savings": SAVINGS,
    "nested_loop": NESTED_LOOP,
}
"""Every figure by name, in the order of the report."""

__all__ = ["FIGURES", "FORMATS", "REPLICATE_COLUMNS", "FigureSpec", "ReplicatesOf", "render"]
