"""What is asked of fits: a score that is zero at tens of digits, and no higher likelihood found by a careful search."""

import warnings

import mpmath
import numpy as np

from simstudy.contract.estimates import tolerance
from simstudy.families.status import Status
from simstudy.inference import fit
from tests.exact import of_formula
from tests.reference import maximise

SIZES = (3, 5, 10, 30, 100, 1000)
# Of the reference; a mean log-likelihood near its maximum is flat, so that rounding is all there is.
SHORTFALL = 1e-9


def quiet(family, x, known=None):
    """Fit with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit(family, x, known)


def distance(formula, names, x, theta, free):
    """Return √(sᵀJ⁻¹s) of the free parameters, and J, at 50 digits."""
    functions = of_formula(formula, names)
    size = len(free)
    with mpmath.workdps(50):
        at = [mpmath.mpf(float(value)) for value in theta]
        score, bend = mpmath.zeros(size, 1), mpmath.zeros(size, size)
        for value in x:
            first = functions.score(mpmath.mpf(float(value)), *at)
            packed = functions.hessian(mpmath.mpf(float(value)), *at)
            full = {}
            for i in range(len(at)):
                for j in range(i, len(at)):
                    full[i, j] = packed[len(full)]
            for a, i in enumerate(free):
                score[a] += first[i] / len(x)
                for b, j in enumerate(free):
                    bend[a, b] -= full[min(i, j), max(i, j)] / len(x)
        unit = mpmath.diag([1 / mpmath.sqrt(abs(bend[a, a])) for a in range(size)])
        step = mpmath.lu_solve(unit * bend * unit, unit * score)
        apart = mpmath.sqrt(abs((score.T * unit * step)[0]))
        return float(apart), np.array(bend.tolist(), dtype=float)


def assert_zero_score(family, formula, x, found, known=None):
    """Compare every row's score with zero, all of which are to have converged."""
    names = tuple(parameter.name for parameter in family.parameters)
    assert all(status is Status.CONVERGED for status in found.status)
    known = known or {}
    for row, estimate in zip(x, found.theta, strict=True):
        values = dict(zip(found.names, estimate, strict=True)) | known
        free = [i for i, name in enumerate(names) if name in found.names]
        apart, information = distance(formula, names, row, [values[name] for name in names], free)
        assert apart <= tolerance(family, estimate[np.newaxis], information[np.newaxis])[0]


def assert_highest(family, x, found, rows):
    """Compare some rows with the best that many local searches find."""
    for row in rows:
        best = maximise(family, x[row], [found.theta[row] * 1.1, found.theta[row]], tries=4)
        assert found.log_likelihood[row] / x.shape[1] >= best.value - SHORTFALL


def assert_shares(found, quantiles, probabilities):
    """Compare the shares of estimates below some values with their probabilities, within 4 standard errors."""
    for value, probability in zip(quantiles, probabilities, strict=True):
        share = np.mean(found <= value)
        assert abs(share - probability) < 4.0 * np.sqrt(probability * (1.0 - probability) / len(found))
