"""The log-densities of all families and parametrisations, written down once more, with derivatives at any precision.

Nothing here uses simstudy: sympy differentiates the formulas and mpmath evaluates them.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import mpmath
import sympy

FORMULAS = {
    ("normal", ("mean", "sd")): "-log(2*pi)/2 - log(sd) - ((x - mean)/sd)**2/2",
    ("normal", ("mean", "variance")): "-log(2*pi*variance)/2 - (x - mean)**2/(2*variance)",
    ("normal", ("mean", "precision")): "log(precision/(2*pi))/2 - precision*(x - mean)**2/2",
    ("exponential", ("rate",)): "log(rate) - rate*x",
    ("exponential", ("scale",)): "-log(scale) - x/scale",
    ("gamma", ("shape", "scale")): "(shape - 1)*log(x) - x/scale - shape*log(scale) - loggamma(shape)",
    ("gamma", ("shape", "rate")): "(shape - 1)*log(x) - x*rate + shape*log(rate) - loggamma(shape)",
    ("gamma", ("shape", "mean")): "(shape - 1)*log(x) + shape*(log(shape/mean) - x/mean) - loggamma(shape)",
    ("weibull", ("shape", "scale")): "log(shape/scale) + (shape - 1)*log(x/scale) - (x/scale)**shape",
    ("lognormal", ("mu", "sigma")): "-log(2*pi)/2 - log(sigma) - log(x) - ((log(x) - mu)/sigma)**2/2",
    ("beta", ("alpha", "beta")): (
        "(alpha - 1)*log(x) + (beta - 1)*log(1 - x) + loggamma(alpha + beta) - loggamma(alpha) - loggamma(beta)"
    ),
    ("beta", ("mean", "precision")): (
        "(mean*precision - 1)*log(x) + ((1 - mean)*precision - 1)*log(1 - x)"
        " + loggamma(precision) - loggamma(mean*precision) - loggamma((1 - mean)*precision)"
    ),
    ("logistic", ("loc", "scale")): "-log(scale) - (x - loc)/scale - 2*log(1 + exp(-(x - loc)/scale))",
    ("cauchy", ("loc", "scale")): "-log(pi*scale) - log(1 + ((x - loc)/scale)**2)",
    ("poisson", ("mean",)): "x*log(mean) - mean - loggamma(x + 1)",
}


@dataclass(frozen=True)
class Exact:
    """Functions (x, *θ) of mpmath numbers: the log-density, p first and p(p+1)/2 packed second derivatives."""

    log_density: object
    score: object
    hessian: object


def exact(family, names):
    """Return the exact functions of a family in the parametrisation with these names."""
    return of_formula(FORMULAS[family, names], names)


@cache
def of_formula(text, names):
    """Return the exact functions of a log-density in x and parameters with these names."""
    symbols = {name: sympy.Symbol(name, positive=True) for name in ("x", *names)}
    formula = sympy.sympify(text, locals=symbols)
    x, *theta = symbols.values()
    first = [sympy.diff(formula, t) for t in theta]
    second = [sympy.diff(first[i], theta[j]) for i in range(len(theta)) for j in range(i, len(theta))]
    modules = [{"loggamma": _loggamma, "polygamma": _polygamma, "besseli": _besseli}, "mpmath"]
    return Exact(*(sympy.lambdify((x, *theta), e, modules, cse=True) for e in (formula, first, second)))


# Functions of θ alone, which would be computed again for every observation.


def _loggamma(z):
    return _remembered(mpmath.loggamma, mpmath.mp.prec, z)


def _polygamma(order, z):
    return _remembered(mpmath.polygamma, mpmath.mp.prec, order, z)


def _besseli(order, z):
    return _remembered(mpmath.besseli, mpmath.mp.prec, order, z)


@lru_cache(maxsize=4096)
def _remembered(function, precision, *arguments):
    return function(*arguments)


def mean_score(family, names, x, theta):
    """Return the mean score of observations x, and minus the mean Hessian as a matrix."""
    functions = exact(family, names)
    at = [mpmath.mpf(value) for value in theta]
    size = len(at)
    score, bend = mpmath.zeros(size, 1), mpmath.zeros(size, size)
    for value in x:
        observation = mpmath.mpf(value)
        first, packed = functions.score(observation, *at), iter(functions.hessian(observation, *at))
        for i in range(size):
            score[i] += first[i] / len(x)
            for j in range(i, size):
                bend[i, j] = bend[j, i] = bend[i, j] - next(packed) / len(x)
    return score, bend
