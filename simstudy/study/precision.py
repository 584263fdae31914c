"""Targets of precision: the Monte Carlo standard errors at which a cell may stop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simstudy.study.scenario import Target

MEASURES = (
    "mean_observed_information",
    "scaled_covariance",
    "bias",
    "relative_bias",
    "empirical_se",
    "model_se",
    "relative_error_model_se",
    "mse",
    "rmse",
    "coverage",
    "bias_eliminated_coverage",
    "interval_width",
    "rejection_rate",
    "efficiency",
)
"""Measures that a target may be set for."""

PATTERN = r"^ *[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)? *% *$"
_PERCENT = re.compile(PATTERN)


def fault(value: Any) -> str:
    """Say what is wrong with a target, or nothing; it is a positive number, or a text such as ``1%``."""
    wanted = "a positive number such as 0.002, or a share of the measure's size such as 1%"
    if isinstance(value, str):
        return "" if _PERCENT.match(value) and _share(value) > 0.0 else wanted
    return "" if value > 0.0 else wanted


def targets(written: Mapping[str, float | str]) -> tuple[Target, ...]:
    """Return the targets of a checked config, in canonical order."""
    return tuple(_target(measure, written[measure]) for measure in MEASURES if measure in written)


def _target(measure: str, value: float | str) -> Target:
    return Target(measure, _share(value), True) if isinstance(value, str) else Target(measure, float(value), False)


def _share(text: str) -> float:
    return float(text.replace("%", "")) / 100.0


def text(target: Target) -> float | str:
    """Return a target as a config has it.

    >>> text(Target("coverage", 0.002, False)), text(Target("bias", 0.01, True))
    (0.002, '1%')
    """
    return f"{100.0 * target.mcse:.15g}%" if target.relative else target.mcse
