"""First-order bias with the third derivatives themselves, at tens of digits; nothing here uses simstudy."""

from functools import cache

import mpmath
import numpy as np
import sympy

from tests.exact import _besseli, _loggamma, _polygamma
from tests.precise import COUNT, NEGLIGIBLE, count_nodes, integral_nodes, of_formula

CIRCLE, EXTREME = "circle", "extreme"
DIGITS = 30
DIGITS_OF_SHARES = 60


@cache
def third_derivatives(text, names):
    """Return the packed third derivatives, by (i, j, k), of a log-density in x and parameters with these names."""
    symbols = {name: sympy.Symbol(name, positive=True) for name in ("x", *names)}
    formula = sympy.sympify(text, locals=symbols)
    x, *theta = symbols.values()
    entries = [sympy.diff(formula, theta[i], theta[j], theta[k]) for i, j, k in triples(len(theta))]
    modules = [{"loggamma": _loggamma, "polygamma": _polygamma, "besseli": _besseli}, "mpmath"]
    return sympy.lambdify((x, *theta), entries, modules, cse=True)


def triples(size):
    return [(i, j, k) for i in range(size) for j in range(i, size) for k in range(j, size)]


def nodes_of(log_density, space, theta):
    """Return pairs (x, mass). Every other node of the rules for integrals leaves an error of 1e-8 at most."""
    if space == COUNT:
        return count_nodes(log_density)
    if space == CIRCLE:  # the trapezoidal rule, exact but for exp(−2π·128)
        at = [mpmath.pi * (2 * mpmath.mpf(k) / 256 - 1) for k in range(256)]
        return [(x, mpmath.exp(log_density(x)) * mpmath.pi / 128) for x in at]
    if space == EXTREME:  # x = μ + σ(exp(ξy) − 1)/ξ of a standard Gumbel y
        loc, scale, shape = theta
        inner = integral_nodes(lambda y: -y - mpmath.exp(-y), "real")[::2]
        return [(loc + scale * mpmath.expm1(shape * y) / shape, 2 * mass) for y, mass in inner]
    return [(x, 2 * mass) for x, mass in integral_nodes(log_density, space)[::2]]


@cache
def moments(formula, names, space, phi):
    """Return I, κᵢⱼ,ₖ and κᵢⱼₖ as arrays."""
    with mpmath.workdps(DIGITS_OF_SHARES if space == "unit" else DIGITS):
        functions, third = of_formula(formula, names), third_derivatives(formula, names)
        theta = [mpmath.mpf(value) for value in phi]
        size = len(theta)
        information, mixed, triple = (np.zeros((size,) * d, dtype=object) for d in (2, 3, 3))
        for x, mass in nodes_of(lambda x: functions.log_density(x, *theta), space, theta):
            if mass < NEGLIGIBLE:
                continue
            score, packed, thirds = (f(x, *theta) for f in (functions.score, functions.hessian, third))
            bend = np.zeros((size, size), dtype=object)
            bend[np.triu_indices(size)] = packed
            bend = np.where(np.tri(size, k=-1, dtype=bool), bend.T, bend)
            information += mass * np.multiply.outer(score, score)
            mixed += mass * np.multiply.outer(bend, score)
            for (i, j, k), value in zip(triples(size), thirds, strict=True):
                for place in {(i, j, k), (i, k, j), (j, i, k), (j, k, i), (k, i, j), (k, j, i)}:
                    triple[place] += mass * value
        return tuple(array.astype(float) for array in (information, mixed, triple))


def bias(formula, names, space, phi, kept=None):
    """Return Σ Iʳⁱ Iʲᵏ (κᵢⱼ,ₖ + ½κᵢⱼₖ) over the parameters kept, all by default."""
    information, mixed, triple = moments(formula, names, space, phi)
    kept = list(range(len(names)) if kept is None else kept)
    inverse = np.linalg.inv(information[np.ix_(kept, kept)])
    inner = (mixed + 0.5 * triple)[np.ix_(kept, kept, kept)]
    return np.einsum("ri,jk,ijk->r", inverse, inverse, inner)
