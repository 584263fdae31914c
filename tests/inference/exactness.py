"""How exact an estimate is, by the densities at 50 digits, and data to estimate from."""

import mpmath
import numpy as np

from simstudy.families.status import Status
from tests.core_families import FAMILIES
from tests.exact import exact, mean_score

EPS = 2.0**-52
DIGITS = 50
ROWS = 12
SIZES = [1, 2, 3, 10]


def misses(family, names, x, theta, free):
    """Return √(sᵀJ⁻¹s), how many standard deviations of one observation an estimate is off, and what it may be.

    θ rounds by ε|θ|, which is ε√(Σθᵢ²Jᵢᵢ) of those standard deviations; sums and special functions round a few hundred
    times; and the last Newton step, from a decrement of at most 1e-13, leaves its square times a few units. The mean
    logarithms of a beta round by ε of their size, which with the precision φ = α + β moves log φ by up to φ times that,
    but nothing CONVERGED may be off by more than a thousandth. A single parameter's score rounds by ε of its terms.
    """
    with mpmath.workdps(DIGITS):
        score, information = mean_score(family, names, [float(value) for value in x], theta)
        units = [mpmath.sqrt(information[i, i]) for i in free]
        score = mpmath.matrix([score[i] / unit for i, unit in zip(free, units, strict=True)])
        correlations = mpmath.matrix(len(free))
        for k, i in enumerate(free):
            for m, j in enumerate(free):
                correlations[k, m] = information[i, j] / (units[k] * units[m])
        decrement = (score.T * mpmath.lu_solve(correlations, score))[0]
        assert decrement >= 0
        spread = mpmath.norm([theta[i] * unit for i, unit in zip(free, units, strict=True)])
        bound = 256 * EPS * (1 + float(spread)) + 3e-12
        if family == "beta":
            precision = theta[1] if names[1] == "precision" else sum(theta)
            logarithms = np.abs(np.log(x)) * np.mean(x) + np.abs(np.log1p(-np.asarray(x))) * (1.0 - np.mean(x))
            bound += min(4 * EPS * precision * float(logarithms.mean()), 1e-3)
        if len(free) == 1:
            at = [mpmath.mpf(value) for value in theta]
            terms = [abs(exact(family, names).score(mpmath.mpf(float(value)), *at)[free[0]]) for value in x]
            bound += 8 * EPS * float(mpmath.fsum(terms) / len(x) / units[0])
        return float(mpmath.sqrt(decrement)), bound


def assert_exact(family, names, x, found, known=None, every=4):
    """Check the CONVERGED among some of the rows."""
    known = known or {}
    free = [i for i, name in enumerate(names) if name not in known]
    assert found.names == tuple(names[i] for i in free)
    for row in range(0, len(x), every):
        if found.status[row] is Status.CONVERGED:
            values = iter(found.theta[row])
            theta = [known[name] if name in known else float(next(values)) for name in names]
            error, bound = misses(family, names, x[row], theta, free)
            assert error <= bound, f"row {row}: {x[row][:10]} gives {theta}, off by {error:.2g} > {bound:.2g}"


def draws(family, point, n, seed=0):
    return np.asarray(FAMILIES[family].sample(np.random.default_rng([seed, n]), point.base, (ROWS, n)), dtype=float)


def tied(x):
    x = x.copy()
    x[:, -1] = x[:, 0]
    return x


def with_outlier(x):
    x = x.copy()
    x[:, 0] = 1e6 * np.abs(x).max(axis=-1)
    return x


KINDS = {
    "random": lambda family, x: x,
    "tiny": lambda family, x: x * 1e-8,
    "huge": lambda family, x: x * 1e8,
    "ties": lambda family, x: tied(x),
    "integers": lambda family, x: np.ceil(x),
    "constant": lambda family, x: np.repeat(x[:, :1], x.shape[1], axis=1),
    "an outlier": lambda family, x: with_outlier(x),
}
