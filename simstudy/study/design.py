"""One entry of the list of scenarios as it is written, and what it says once it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from simstudy.study import sizes
from simstudy.study.faults import Faults, Path
from simstudy.study.scenario import Covariate


@dataclass(frozen=True)
class Entry:
    """One item of the list of scenarios, as written, beside what the top of the config gives to all."""

    index: int
    own: Mapping[str, Any]
    common: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Where the entry stands."""
        return ("scenarios", self.index)

    def place(self, key: str) -> Path:
        """Return where the value of a key stands: in the entry, or else at the top."""
        return (*self.path, key) if key in self.own or key not in self.common else (key,)

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, of the entry or else of the top."""
        return self.own.get(key, self.common.get(key, default))

    def sizes(self, faults: Faults) -> tuple[int, ...]:
        """Return the sample sizes that have no fault so far, ascending."""
        return sizes.expand(sizes.usable(self.value("sample_sizes"), self.place("sample_sizes"), faults))


@dataclass(frozen=True)
class Design:
    """A scenario whose mechanisms are free of faults; its lists are not yet crossed.

    Attributes
    ----------
    family, names
        What draws the data: its parameters and constants.
    fit, fitted
        What is fitted, and its parameters and constants.
    known
        What is not estimated, in the order of ``fitted``.
    held
        Values of ``known`` where another family is fitted than the one that draws.
    censoring
        Time at which observations are cut, if they are.
    covariates
        How the covariates of a regression are drawn, where that is said.
    """

    entry: Entry
    family: str
    names: tuple[str, ...]
    fit: str
    fitted: tuple[str, ...]
    known: tuple[str, ...]
    held: tuple[float, ...]
    censoring: float | None = None
    covariates: tuple[Covariate, ...] = ()

    @property
    def parameters(self) -> Mapping[str, float | list[float]]:
        """Parameters as written: a list crosses."""
        parameters: Mapping[str, float | list[float]] = self.entry.own["parameters"]
        return parameters

    @property
    def count(self) -> int:
        """Number of mechanisms after crossing."""
        return prod(len(values) for values in self.parameters.values() if isinstance(values, list))
