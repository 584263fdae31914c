"""Parametric families and the table that names them."""

from __future__ import annotations

from simstudy.families.base import Family
from simstudy.families.bernoulli import Bernoulli
from simstudy.families.beta import Beta
from simstudy.families.binomial import Binomial
from simstudy.families.bivariate_normal import BivariateNormal
from simstudy.families.categorical import Categorical
from simstudy.families.cauchy import Cauchy
from simstudy.families.chi_squared import ChiSquared
from simstudy.families.dirichlet import Dirichlet
from simstudy.families.exponential import Exponential
from simstudy.families.gamma import Gamma
from simstudy.families.generalized_extreme_value import GeneralizedExtremeValue
from simstudy.families.generalized_pareto import GeneralizedPareto
from simstudy.families.geometric import Geometric
from simstudy.families.gumbel import Gumbel
from simstudy.families.half_normal import HalfNormal
from simstudy.families.inverse_gaussian import InverseGaussian
from simstudy.families.kumaraswamy import Kumaraswamy
from simstudy.families.laplace import Laplace
from simstudy.families.lindley import Lindley
from simstudy.families.linear_regression import LinearRegression
from simstudy.families.log_logistic import LogLogistic
from simstudy.families.logistic import Logistic
from simstudy.families.logistic_regression import LogisticRegression
from simstudy.families.lognormal import Lognormal
from simstudy.families.maxwell import Maxwell
from simstudy.families.multivariate_normal import MultivariateNormal
from simstudy.families.negative_binomial import NegativeBinomial
from simstudy.families.normal import Normal
from simstudy.families.normal_mixture import NormalMixture
from simstudy.families.pareto import Pareto
from simstudy.families.poisson import Poisson
from simstudy.families.poisson_regression import PoissonRegression
from simstudy.families.rayleigh import Rayleigh
from simstudy.families.registry import Registry
from simstudy.families.shifted_exponential import ShiftedExponential
from simstudy.families.skew_normal import SkewNormal
from simstudy.families.student_t import StudentT
from simstudy.families.uniform import Uniform
from simstudy.families.von_mises import VonMises
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
    "laplace": Laplace(),
    "student_t": StudentT(),
    "gumbel": Gumbel(),
    "generalized_extreme_value": GeneralizedExtremeValue(),
    "generalized_pareto": GeneralizedPareto(),
    "inverse_gaussian": InverseGaussian(),
    "pareto": Pareto(),
    "rayleigh": Rayleigh(),
    "half_normal": HalfNormal(),
    "maxwell": Maxwell(),
    "chi_squared": ChiSquared(),
    "von_mises": VonMises(),
    "kumaraswamy": Kumaraswamy(),
    "log_logistic": LogLogistic(),
    "lindley": Lindley(),
    "skew_normal": SkewNormal(),
    "binomial": Binomial(),
    "bernoulli": Bernoulli(),
    "geometric": Geometric(),
    "negative_binomial": NegativeBinomial(),
    "zero_inflated_poisson": ZeroInflatedPoisson(),
    "categorical": Categorical(),
    "normal_mixture": NormalMixture(),
    "bivariate_normal": BivariateNormal(),
    "multivariate_normal": MultivariateNormal(),
    "dirichlet": Dirichlet(),
    "linear_regression": LinearRegression(),
    "logistic_regression": LogisticRegression(),
    "poisson_regression": PoissonRegression(),
    "uniform": Uniform(),
    "shifted_exponential": ShiftedExponential(),
}


REGISTRY = Registry(FAMILIES)
"""These, and the families of plug-ins."""


def family(name: str) -> Family:
    """Return the family of that name (ConfigError, with the nearest name, where there is none)."""
    return REGISTRY.find(name)
