"""The design of a study: scenarios (one cell each) and the study that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from simstudy.inference.intervals import DATA_METHODS, DEFAULT_METHODS


@dataclass(frozen=True)
class Covariate:
    """How a covariate of a regression is drawn: the family, the names of its parameters, and their values."""

    family: str
    names: tuple[str, ...]
    values: tuple[float, ...]


class Target(NamedTuple):
    """A Monte Carlo standard error to reach: of a measure, absolute or as a share of its natural size."""

    measure: str
    mcse: float
    relative: bool


class Stop(NamedTuple):
    """How a cell with targets of precision ended: its cap of replicates, and whether it met the targets."""

    cap: int
    precise: bool


@dataclass(frozen=True)
class Scenario:
    """One cell: a data-generating mechanism at one sample size, and the family fitted to it.

    Parameters
    ----------
    name
        Name of the scenario; scenarios that differ only in ``n`` share it.
    family, names, values
        Family that draws the data, the names of the chosen parametrisation in canonical order with the family's
        constants after them, and their values.
    fit
        Fitted family.
    known
        Names of the parameters of the fitted family that are not estimated, its constants among them.
    n
        Sample size of one data set.
    replicates
        Number R of data sets; with targets of precision the cap, or, of results, what was reached.
    level
        Nominal coverage of confidence intervals.
    fitted
        Names of parameters and constants of the fitted family where that is another than the one that draws the data.
    held
        Values of ``known`` in its order, where the fitted family is another; else they have the values that draw.
    censoring
        Time at which observations are censored, None where they are not.
    covariates
        How the covariates of a regression are drawn; none: standard normal.
    intervals
        Methods of confidence intervals, in the order of `simstudy.inference.intervals.METHODS`.
    mcse
        How Monte Carlo standard errors are computed: ``influence`` functions, or ``table6``, the textbook formulas.
    paths
        Whether nested samples of a few long draws are followed as n grows.
    precision
        Monte Carlo standard errors at which a cell may stop before ``replicates``; none: it never does.
    stop
        How it ended, of a scenario of results that has targets of precision; else None.
    """

    name: str
    family: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    fit: str
    known: tuple[str, ...]
    n: int
    replicates: int
    level: float
    fitted: tuple[str, ...] = ()
    held: tuple[float, ...] = ()
    censoring: float | None = None
    covariates: tuple[Covariate, ...] = ()
    intervals: tuple[str, ...] = DEFAULT_METHODS
    mcse: str = "influence"
    paths: bool = False
    precision: tuple[Target, ...] = ()
    stop: Stop | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Name and n, by which a study knows the cell."""
        return self.name, self.n

    @property
    def asked(self) -> Scenario:
        """The cell as the config has it, whose replicates are the cap where it has targets of precision."""
        return self if self.stop is None else replace(self, replicates=self.stop.cap, stop=None)

    @property
    def right(self) -> bool:
        """Whether the fitted family is the one that draws the data."""
        return self.fit == self.family

    @property
    def stored_intervals(self) -> tuple[str, ...]:
        """Methods of intervals that need the data, and are recorded with every replicate."""
        return tuple(method for method in self.intervals if method in DATA_METHODS)

    @property
    def families(self) -> tuple[str, ...]:
        """Names of all families that its numbers depend on."""
        return tuple(dict.fromkeys([self.family, self.fit, *(covariate.family for covariate in self.covariates)]))

    @property
    def fitted_names(self) -> tuple[str, ...]:
        """Names of parameters and constants of the fitted family."""
        return self.fitted or self.names

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the estimated parameters, in canonical order."""
        return tuple(name for name in self.fitted_names if name not in self.known)

    @property
    def known_values(self) -> dict[str, float]:
        """Values of what is not estimated, by name."""
        drawn = dict(zip(self.names, self.values, strict=True))
        return dict(zip(self.known, self.held or (drawn[name] for name in self.known), strict=True))

    @property
    def truth(self) -> tuple[float, ...]:
        """Values of the estimated parameters in canonical order; there are none where the fitted family is wrong."""
        return tuple(v for name, v in zip(self.names, self.values, strict=True) if name not in self.known)


@dataclass(frozen=True)
class Study:
    """A frozen design: name, seed and all cells, scenarios in the order of the config, then n ascending."""

    name: str
    seed: int
    scenarios: tuple[Scenario, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenarios, each once, in the order of the config."""
        return tuple(dict.fromkeys(scenario.name for scenario in self.scenarios))

    def cell(self, name: str, n: int) -> Scenario:
        """Return the scenario of that name at that sample size (KeyError where there is none)."""
        for scenario in self.scenarios:
            if (scenario.name, scenario.n) == (name, n):
                return scenario
        message = f"no scenario '{name}' with n = {n}"
        raise KeyError(message)
