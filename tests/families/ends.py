"""What the tests of single families say of fits: how they end, and that they are where they should be."""

import mpmath
import numpy as np

from simstudy.contract.estimates import converged, distance, excess, mean_information, mean_score, tolerance
from simstudy.inference import fit
from simstudy.inference.likelihood import Likelihood
from tests.exact import of_formula
from tests.reference import maximise

SIZES = (3, 5, 10, 30, 100, 1000)
ROWS = 40


def exact_log_density(formula, names, x, theta):
    """Return a log-density by its formula at 700 digits, so that 1 + 10⁻³⁰⁰ is not 1."""
    with mpmath.workdps(700):
        function = of_formula(formula, names).log_density
        at = [mpmath.mpf(value) for value in theta]
        return [float(function(mpmath.mpf(float(value)), *at)) for value in x]


def log_uniform(rng, lower, upper, rows=ROWS):
    """Return a column of numbers spread evenly over the decades between two."""
    return np.exp(rng.uniform(np.log(lower), np.log(upper), (rows, 1)))


def assert_maxima(family, x):
    """Every fit is CONVERGED: regular parameters at a zero of the score, corners higher than beside them."""
    found = fit(family, x)
    assert converged(found).all(), found.status
    likelihood, theta = Likelihood(family, x), found.theta
    regular = list(likelihood.regular)
    if len(regular) < len(found.names):
        rounding = 64 * 2.0**-52 * (1.0 + np.abs(likelihood.value(theta)))
        with np.errstate(all="ignore"):
            assert (excess(likelihood, theta) <= rounding).all()
    if regular:
        score = mean_score(family, x, theta)[:, regular]
        information = mean_information(family, x, theta)[:, regular][:, :, regular]
        assert (np.linalg.eigvalsh(_scaled(information)) > 0.0).all()
        assert (distance(score, information) <= tolerance(family, theta[:, regular], information)).all()
    return found


def _scaled(information):
    units = np.sqrt(np.einsum("rii->ri", information))
    return information / (units[:, :, np.newaxis] * units[:, np.newaxis, :])


def assert_none_higher(family, x, found, rows):
    """A slow search from several starts around the estimate finds nothing higher."""
    for row in rows:
        theta = found.theta[row]
        best = maximise(family, x[row], [1.3 * theta, theta], tries=3, seed=row)
        at = [np.reshape(value, (1, 1)) for value in theta]
        reached = float(np.mean(family.log_density(x[row][np.newaxis], at)))
        assert best.value <= reached + 1e-9


def assert_mean(values, expected, squares=None):
    """Compare a Monte Carlo mean, or a variance where its expectation is given, within 4 standard errors."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) <= 4.0 * error
    if squares is not None:
        deviations = np.square(values - expected)
        assert abs(deviations.mean() - squares) <= 4.0 * deviations.std(ddof=1) / np.sqrt(len(values))
