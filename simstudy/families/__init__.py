"""Parametric families and the table that names them."""

from __future__ import annotations

from simstudy.families.base import Family, unknown_family
from simstudy.families.beta import Beta
from simstudy.families.cauchy import Cauchy
from simstudy.families.exponential import Exponential
from simstudy.families.gamma import Gamma
from simstudy.families.linear_regression import LinearRegression
from simstudy.families.logistic import Logistic
from simstudy.families.logistic_regression import LogisticRegression
from simstudy.families.lognormal import Lognormal
from simstudy.families.normal import Normal
from simstudy.families.poisson import Poisson
from simstudy.families.poisson_regression import PoissonRegression
from simstudy.families.weibull import Weibull

FAMILIES: dict[str, Family] = {
    "normal": Normal(),
    "exponential": Exponential(),
    "gamma": Gamma(),
    "weibull": Weibull(),
    "lognormal": Lognormal(),
    "beta": Beta(),
    "logistic": Logistic(),
    "cauchy": Cauchy(),
    "poisson": Poisson(),
    "linear_regression": LinearRegression(),
    "logistic_regression": LogisticRegression(),
    "poisson_regression": PoissonRegression(),
}


def family(name: str) -> Family:
    """Return the family of that name (ConfigError, with the nearest name, where there is none)."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise unknown_family(name, FAMILIES) from None
