"""What tests of families of counts share."""

import numpy as np

from simstudy.contract.estimates import converged, distance, tolerance
from simstudy.inference.likelihood import Likelihood

SIZES = (3, 5, 10, 30, 100, 1000)
MCSE = 4.0


def assert_score_zero(family, x, found, form=None, known=None):
    """Check that CONVERGED rows have a score that is zero to rounding and positive definite information."""
    rows = converged(found)
    if not rows.any():
        return
    likelihood = Likelihood(family, x[rows], form, known)
    theta = found.theta[rows]
    information = -likelihood.hessian(theta)
    assert (np.linalg.eigvalsh(information) > 0.0).all()
    miss = distance(likelihood.score(theta), information) / tolerance(family, theta, information)
    assert miss.max() <= 1.0


def assert_share(events, probability):
    """Check a share of independent events against its probability."""
    mcse = np.sqrt(probability * (1.0 - probability) / len(events))
    assert abs(np.mean(events) - probability) <= MCSE * mcse
