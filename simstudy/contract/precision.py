"""How exact a family's own numbers are: closed forms to rounding, numerical defaults to what their step allows."""

from __future__ import annotations

from simstudy.families.base import Family
from simstudy.numerics.derivatives import HESSIAN_STEP, SCORE_STEP

EPS = 2.0**-52

# Of a fourth-order stencil with step h, in units of the typical score: truncation h⁴/30 or h⁴/90 times the fifth or
# sixth derivative, and rounding ε/h or 4ε/h² times the log-density. Of an observation in the tails, either may be
# this many units.
_UNITS = 5000.0


def score_slack(family: Family) -> float:
    """Return the relative error of the score: 0 for a closed form."""
    if type(family).score is not Family.score:
        return 0.0
    return _UNITS * (SCORE_STEP**4 / 30.0 + EPS / SCORE_STEP)


def hessian_slack(family: Family) -> float:
    """Return the error of the Hessian relative to the square of the typical score: 0 for a closed form."""
    if type(family).hessian is not Family.hessian:
        return 0.0
    return _UNITS * (HESSIAN_STEP**4 / 90.0 + 4.0 * EPS / HESSIAN_STEP**2)


def information_slack(family: Family) -> float:
    """Return the relative error of I(θ): 0 for a closed form."""
    if type(family).expected_information is not Family.expected_information:
        return 0.0
    # The rule for the default covers the space by a fixed number of panels, which leaves out less than this.
    return 1e-9 + 2.0 * score_slack(family)
