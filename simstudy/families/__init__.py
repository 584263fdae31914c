"""Parametric families and the table that names them."""

from __future__ import annotations

from simstudy.families.base import Family, unknown_family
from simstudy.families.beta import Beta
from simstudy.families.cauchy import Cauchy
from simstudy.families.chi_squared import ChiSquared
from simstudy.families.exponential import Exponential
from simstudy.families.gamma import Gamma
from simstudy.families.generalized_extreme_value import GeneralizedExtremeValue
from simstudy.families.generalized_pareto import GeneralizedPareto
from simstudy.families.half_normal import HalfNormal
from simstudy.families.inverse_gaussian import InverseGaussian
from simstudy.families.lindley import Lindley
from simstudy.families.logistic import Logistic
from simstudy.families.lognormal import Lognormal
from simstudy.families.maxwell import Maxwell
from simstudy.families.normal import Normal
from simstudy.families.normal_mixture import NormalMixture
from simstudy.families.pareto import Pareto
from simstudy.families.poisson import Poisson
from simstudy.families.rayleigh import Rayleigh
from simstudy.families.von_mises import VonMises
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
    "generalized_extreme_value": GeneralizedExtremeValue(),
    "generalized_pareto": GeneralizedPareto(),
    "normal_mixture": NormalMixture(),
    "inverse_gaussian": InverseGaussian(),
    "pareto": Pareto(),
    "rayleigh": Rayleigh(),
    "half_normal": HalfNormal(),
    "maxwell": Maxwell(),
    "chi_squared": ChiSquared(),
    "lindley": Lindley(),
    "von_mises": VonMises(),
}


def family(name: str) -> Family:
    """Return the family of that name (ConfigError, with the nearest name, where there is none)."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise unknown_family(name, FAMILIES) from None
