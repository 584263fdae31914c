"""E[s sᵀ] by quadrature and summation of a log-density at tens of digits; nothing here uses simstudy.

Integrals are trapezoidal sums after a double-exponential substitution (Takahasi & Mori 1974), whose error is squared
when the step is halved.
"""

from functools import cache

import mpmath
import numpy as np

from tests.exact import of_formula

STEP, REACH = mpmath.mpf(1) / 32, 7
NEGLIGIBLE = mpmath.mpf(10) ** -60
# The error of the coarse rule, squared, is that of the fine one.
COARSE = 1e-8

REAL, HEAVY, POSITIVE, UNIT, COUNT = "real", "heavy-tailed", "positive", "unit", "count"
# At 1 − x = 1e-220 a density like (1 − x)^(b−1) has 1e-22 of its mass left when b = 0.1.
DIGITS = {REAL: 40, HEAVY: 40, POSITIVE: 40, UNIT: 220, COUNT: 40}


def pairs(size):
    return [(i, j) for i in range(size) for j in range(i, size)]


def place(space, v):
    """Return x(v) and dx/dv of a map of the real line onto the sample space."""
    if space in (REAL, HEAVY):
        return v, mpmath.mpf(1)
    if space == POSITIVE:
        return mpmath.exp(v), mpmath.exp(v)
    share = 1 / (1 + mpmath.exp(-v))
    return share, share * (1 - share)


def log_mass(log_density, space, v):
    x, slope = place(space, v)
    inside = slope > 0 and (space != UNIT or 0 < x < 1)
    return log_density(x) + mpmath.log(slope) if inside else -mpmath.inf


def mode_and_width(height):
    """Return where a function of v is largest and how far away it falls by a half, by ever smaller steps."""
    centre, step = mpmath.mpf(0), mpmath.mpf(2) ** 28
    while True:
        centre = max((centre + k * step for k in range(-4, 5)), key=height)
        if min(height(centre - step), height(centre + step)) > height(centre) - mpmath.mpf("0.5"):
            return centre, step
        step /= 2


def integral_nodes(log_density, space):
    """Return pairs (x, weight times density), those of even number making up the rule with twice the step."""
    centre, width = mode_and_width(lambda v: log_mass(log_density, space, v))
    nodes = []
    for k in range(-round(REACH / STEP), round(REACH / STEP) + 1):
        v, slope = mpmath.sinh(k * STEP), STEP * mpmath.cosh(k * STEP)
        if space == HEAVY:  # it takes a second sinh to make power laws double exponential
            v, slope = mpmath.sinh(v), slope * mpmath.cosh(v)
        v = centre + width * v
        height = log_mass(log_density, space, v) + mpmath.log(slope * width)
        nodes.append((place(space, v)[0], mpmath.exp(height)))
    return nodes


def count_nodes(log_density):
    """Return pairs (x, mass) of the counts outwards from the mode; the sum is exact."""
    mode, step = 0, 2**20
    while step:
        mode = max(
            (mode + k * step for k in (-1, 0, 1) if mode + k * step >= 0), key=lambda x: log_density(mpmath.mpf(x))
        )
        step //= 2
    nodes = []
    for sign in (1, -1):
        x = mode if sign > 0 else mode - 1
        while x >= 0 and (mass := mpmath.exp(log_density(mpmath.mpf(x)))) > NEGLIGIBLE:
            nodes.append((mpmath.mpf(x), mass))
            x += sign
    return nodes


def expectations(formula, names, space, phi, every):
    """Return ∫p and the packed E[sᵢsⱼ] from every so-manieth node."""
    functions = of_formula(formula, names)
    theta = [mpmath.mpf(value) for value in phi]

    def log_density(x):
        return functions.log_density(x, *theta)

    nodes = count_nodes(log_density) if space == COUNT else integral_nodes(log_density, space)[::every]
    kept = [(mass * every, functions.score(x, *theta)) for x, mass in nodes if mass > NEGLIGIBLE]
    mass = mpmath.fsum(mass for mass, _ in kept)
    return [mass, *(mpmath.fsum(mass * s[i] * s[j] for mass, s in kept) for i, j in pairs(len(theta)))]


@cache
def information(formula, names, space, phi):
    """Return E[s sᵀ] of a log-density, having checked that it is known to more digits than a float has.

    Parameters
    ----------
    formula
        The log-density in x and the names, as sympy reads it.
    names
        Names of the parameters.
    space
        One of the sample spaces above.
    phi
        Values of the parameters.
    """
    with mpmath.workdps(DIGITS[space]):
        coarse, fine = (expectations(formula, names, space, phi, every) for every in (2, 1))
        if space == COUNT:
            coarse = fine
        matrix = np.empty((len(names), len(names)))
        for k, (i, j) in enumerate(pairs(len(names)), start=1):
            matrix[i, j] = matrix[j, i] = float(fine[k])
            size = mpmath.sqrt(fine[1] * fine[-1]) if i != j else fine[k]
            assert abs(coarse[k] - fine[k]) < COARSE * size
        assert abs(fine[0] - 1) < 1e-15
        return matrix
