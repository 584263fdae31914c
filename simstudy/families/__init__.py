"""Parametric families and the table that names them."""

from __future__ import annotations

from simstudy.families.base import Family, unknown_family
from simstudy.families.bernoulli import Bernoulli
from simstudy.families.beta import Beta
from simstudy.families.binomial import Binomial
from simstudy.families.categorical import Categorical
from simstudy.families.cauchy import Cauchy
from simstudy.families.exponential import Exponential
from simstudy.families.gamma import Gamma
from simstudy.families.geometric import Geometric
from simstudy.families.logistic import Logistic
from simstudy.families.lognormal import Lognormal
from simstudy.families.negative_binomial import NegativeBinomial
from simstudy.families.normal import Normal
from simstudy.families.normal_mixture import NormalMixture
from simstudy.families.poisson import Poisson
from simstudy.families.weibull import Weibull
from simstudy.families.zero_inflated_poisson import ZeroInflatedPoisson

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
    "binomial": Binomial(),
    "bernoulli": Bernoulli(),
    "geometric": Geometric(),
    "negative_binomial": NegativeBinomial(),
    "zero_inflated_poisson": ZeroInflatedPoisson(),
    "categorical": Categorical(),
    "normal_mixture": NormalMixture(),
}


def family(name: str) -> Family:
    """Return the family of that name (ConfigError, with the nearest name, where there is none)."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise unknown_family(name, FAMILIES) from None
