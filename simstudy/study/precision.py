"""Targets of precision: the Monte Carlo standard errors at which a cell may stop."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from simstudy.errors import ConfigError, nearest
from simstudy.study.faults import show
from simstudy.study.scenario import Study, Target

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
_NAMED = 10
_POSSESSIVE = {True: "its", False: "their"}
_PERCENT = re.compile(PATTERN)


def fault(value: Any) -> str:
    """Say what is wrong with a target, or nothing; it is a positive number, or a text such as ``1%``."""
    wanted = "a positive number such as 0.002, or a share of the measure's size such as 1%"
    if isinstance(value, str):
        return "" if _PERCENT.match(value) and 0.0 < _share(value) < math.inf else wanted
    return "" if isinstance(value, (int, float)) and 0.0 < value < math.inf and value is not True else wanted


def checked(written: Mapping[str, Any]) -> tuple[Target, ...]:
    """Return the targets of a mapping that is no config, such as ``{"coverage": 0.002, "scaled_covariance": "1%"}``.

    Raises
    ------
    ConfigError
        If one is of no measure or has no value, or if there is none; with one line per fault.
    """
    faults = [f"precision: {wrong}" for name, value in written.items() if (wrong := wrong_target(name, value))]
    if not written:
        faults = ["precision: no target is given: give some, such as coverage = 0.002"]
    if faults:
        raise ConfigError(faults)
    return targets(written)


def wrong_target(name: str, value: Any) -> str:
    """Say what is wrong with a measure and its target, or nothing."""
    if name not in MEASURES:
        hinted = nearest(name, MEASURES) or f"; choose from {', '.join(MEASURES)}"
        return f"no target can be set for a measure called {show(name)}{hinted}"
    wanted = fault(value)
    return f"{name} must be {wanted}, got {show(value)}" if wanted else ""


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


def capped(study: Study) -> str:
    """Say in one sentence which cells of results reached their cap before their targets; nothing where none did."""
    with_targets = [cell for cell in study.scenarios if cell.stop is not None]
    short = [cell for cell in with_targets if cell.stop is not None and not cell.stop.precise]
    if not short:
        return ""
    caps = {cell.replicates for cell in short}
    same = f"{next(iter(caps)):,} replicates, the cap," if len(caps) == 1 else "their caps of replicates"
    names = [f"{cell.name}, n = {cell.n:,}" + ("" if len(caps) == 1 else f" ({cell.replicates:,})") for cell in short]
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    count = f"{len(short)} of {len(with_targets)} cell{'' if len(with_targets) == 1 else 's'}"
    return f"{count} reached {same} before {_POSSESSIVE[len(short) == 1]} precision: {'; '.join(names[:_NAMED])}{more}"
