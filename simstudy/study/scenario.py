"""The design of a study: scenarios (one cell each) and the study that holds them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One cell: a data-generating mechanism at one sample size, and the family fitted to it.

    Parameters
    ----------
    name
        Name of the scenario; scenarios that differ only in ``n`` share it.
    family, names, values
        Family that draws the data, the parameter names of the chosen parametrisation in canonical order, and
        their values.
    fit
        Fitted family (here always equal to ``family``).
    known
        Names of the parameters held at their values and not estimated.
    n
        Sample size of one data set.
    replicates
        Number R of data sets.
    level
        Nominal coverage of confidence intervals.
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

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the estimated parameters, in canonical order."""
        return tuple(name for name in self.names if name not in self.known)

    @property
    def truth(self) -> tuple[float, ...]:
        """Values of the estimated parameters, in canonical order."""
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
