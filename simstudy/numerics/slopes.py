"""First derivatives of batched functions of parameters by an eighth-order stencil in unconstrained coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simstudy.parameters import REAL, Array, Columns, Domain

# Of f(θ + mh) − f(θ − mh), m = 1 … 4 (Fornberg 1988, table 1).
_WEIGHTS = (4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0)
# In units of 1/√I, in which a smooth function changes by about itself, truncation is 1e-16 and rounding 1e-13.
_STEP = 0.01


def slopes(function: Callable[[Columns], Array], theta: Columns, domains: Sequence[Domain], precision: Array) -> Array:
    """Return ∂f/∂θₖ, (…, p, R), of a function θ ↦ (…, R).

    Parameters
    ----------
    function
        Of p columns (R,).
    theta : p arrays (R,)
        Where.
    domains
        Domains of the parameters.
    precision : (p, R)
        Diagonal of the information, which says how far apart members are that look different.
    """
    columns = [_slope(function, list(theta), k, domain, precision[k]) for k, domain in enumerate(domains)]
    return np.stack(columns, axis=-2)


def _slope(function: Callable[[Columns], Array], theta: list[Array], k: int, domain: Domain, precision: Array) -> Array:
    centre, real = theta[k], domain.to_real(theta[k])
    jacobian = np.asarray(domain.derivatives(centre)[0], dtype=float)
    step = _STEP * _unit(precision * jacobian**2, domain)
    total: Array | float = 0.0
    for m, weight in enumerate(_WEIGHTS, start=1):
        after, before = (domain.from_real(real + sign * m * step) for sign in (1.0, -1.0))
        ahead, behind = (function([*theta[:k], moved, *theta[k + 1 :]]) for moved in (after, before))
        total = total + weight * (ahead - behind)
    return np.asarray(total / (step * jacobian))


def _unit(precision: Array, domain: Domain) -> Array:
    """Return 1/√I; on a logarithmic scale no more than 1, over which any power law changes by itself."""
    with np.errstate(all="ignore"):
        unit = 1.0 / np.sqrt(precision)
    unit = np.where(np.isfinite(unit), unit, 1.0)
    return unit if domain is REAL else np.minimum(unit, 1.0)
