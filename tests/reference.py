"""A careful, slow maximiser to compare fits with: many starts, two methods, one data set at a time.

It uses nothing of simstudy but the log-density of single observations and the domains of parameters.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import optimize


class Best(NamedTuple):
    """The highest mean log-likelihood found, where, and whether every coordinate stayed within reach of its start."""

    value: float
    theta: np.ndarray
    inside: bool


# In unconstrained coordinates of standardised data nothing that has a maximum lies further from a sensible start.
REACH = 12.0


def maximise(family, x, starts, known=None, spread=1.5, tries=12, seed=0):
    """Return the best of local searches from the starts given and from random points around them.

    Parameters
    ----------
    family
        Gives `log_density`, `parameters` and their domains.
    x : (n,) or (n, width)
        One data set.
    starts
        Points θ inside the domains; the first is what random points are scattered around.
    known
        {index: value} of base parameters that are held.
    """
    known = known or {}
    domains = [parameter.domain for parameter in family.parameters]
    free = [i for i in range(len(domains)) if i not in known]

    def theta_of(u):
        values = dict(known)
        for i, coordinate in zip(free, u, strict=True):
            values[i] = float(domains[i].from_real(np.asarray(coordinate)))
        return [np.reshape(values[i], (1, 1)) for i in range(len(domains))]

    def cost(u):
        with np.errstate(all="ignore"):
            value = float(np.mean(family.log_density(x[np.newaxis], theta_of(u))))
        return -value if np.isfinite(value) else 1e10

    rng = np.random.default_rng(seed)
    first = [[float(domains[i].to_real(np.asarray(float(start[i])))) for i in free] for start in starts]
    points = [*first, *(np.asarray(first[0]) + rng.normal(0.0, spread, len(free)) for _ in range(tries))]
    best = (np.inf, np.asarray(first[0]))
    for point in points:
        best = min(best, _search(cost, np.asarray(point)), key=lambda found: found[0])
    far = np.abs(best[1] - np.asarray(first[0]))
    theta = np.array([column[0, 0] for column in theta_of(best[1])])
    return Best(-best[0], theta, bool((far < REACH).all()))


def _search(cost, point):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rough = optimize.minimize(cost, point, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-10})
        fine = optimize.minimize(cost, rough.x, method="BFGS")
    chosen = fine if fine.fun < rough.fun else rough
    return float(chosen.fun), chosen.x
