"""What the beta and the Dirichlet family share: functions of positive α and of shares that sum to one.

With φ = Σα and mᵢ = αᵢ/φ: E[log xᵢ] = ψ(αᵢ) − ψ(φ) = log mᵢ − (log αᵢ − ψ(αᵢ)) + (log φ − ψ(φ)). Logarithms are taken
relative to an origin, shares o near the data's, so that no digits cancel where the data vary little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simstudy.families.exponential_family import Terms, centred_products
from simstudy.numerics import trace
from simstudy.numerics.special import log_gamma_minus_stirling, log_minus_digamma, trigamma_excess
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import Array, Columns

# Decrements that end Newton's method, and below which one that no longer falls is down to rounding.
_TOLERANCE, _NEARLY = 1e-18, 1e-13
_ITERATIONS = 100
# Below this variance of a statistic, logarithms relative to that of the origin would lose digits.
NARROW = 1e-3


def log_ratio(share: Array, start: Array, moved: Array) -> Array:
    """Return log(share/start), near 0 from moved = share − start."""
    change = moved / start
    return np.where(np.abs(change) < 0.5, np.log1p(np.maximum(change, -0.5)), np.log(share / start))


def log_shares(shares: Sequence[Array], origin: Sequence[Array]) -> list[Array]:
    """Return log(mᵢ/oᵢ); the largest oᵢ is taken for what the others leave of 1, to all digits."""
    moved = [share - start for share, start in zip(shares, origin, strict=True)]
    largest = np.argmax(np.broadcast_arrays(*origin), axis=0)
    logs = []
    for i, (share, start) in enumerate(zip(shares, origin, strict=True)):
        others = sum(other for k, other in enumerate(moved) if k != i)
        logs.append(log_ratio(share, start, np.where(largest == i, -others, moved[i])))
    return logs


def defect(shares: Array) -> Array:
    """Return 1 − Σ shares along the first axis, without rounding (Knuth's sum of two)."""
    total, lost = shares[0], np.zeros_like(shares[0])
    for share in shares[1:]:
        rounded = total + share
        part = rounded - total
        lost = lost + ((total - (rounded - part)) + (share - part))
        total = rounded
    return np.asarray((1.0 - total) - lost)


def dirichlet_terms(alpha: Sequence[Array], origin: Sequence[Array]) -> Terms:
    """Return η = α, A = log B(α), E[T] = ψ(αᵢ) − ψ(φ), Cov(T) = diag ψ′(αᵢ) − ψ′(φ) for T = log(x/o), base −Σ log xᵢ.

    ψ′(αᵢ) − ψ′(φ) = (φ − αᵢ)/(αᵢφ) + (ψ′(αᵢ) − 1/αᵢ) − (ψ′(φ) − 1/φ).
    """
    size, total = len(alpha), np.asarray(sum(alpha))
    logs = log_shares([one / total for one in alpha], origin)
    gap, excess = log_minus_digamma(total), trigamma_excess(total)
    together = -(1.0 / total + excess)
    others = [sum(other for k, other in enumerate(alpha) if k != i) for i in range(size)]
    variance = [r / (a * total) + (trigamma_excess(a) - excess) for a, r in zip(alpha, others, strict=True)]
    partition = -log_gamma_minus_stirling(total)
    for one, log in zip(alpha, logs, strict=True):
        partition = partition + log_gamma_minus_stirling(one) + one * log
    return Terms(
        natural=alpha,
        jacobian=[[float(i == j) for j in range(size)] for i in range(size)],
        curvature={},
        log_partition=partition,
        mean=[log - log_minus_digamma(one) + gap for one, log in zip(alpha, logs, strict=True)],
        covariance=[variance[i] if i == j else together for i, j in pairs(size)],
    )


def log_moments(logs: Sequence[Array]) -> tuple[list[Array], tuple[Array, ...]]:
    """Return means and packed covariances of arrays (R, n), which are centred in place."""
    means = [column.mean(axis=-1) for column in logs]
    for column, mean in zip(logs, means, strict=True):
        column -= mean[:, np.newaxis]
    return means, centred_products(*logs)


def precision_start(mean: Sequence[Array], origin: Sequence[Array]) -> Array:
    """Return Minka's start φ = (K − 1)/(2·gap), gap = −Σ oᵢT̄ᵢ, at most 10⁶ for every dimension."""
    gap = -np.asarray(sum(o * t for o, t in zip(origin, mean, strict=True)))
    return np.asarray(0.5 * (len(mean) - 1) / np.maximum(gap, 5e-7))


def solve_shares(mean: Columns, origin: Columns) -> tuple[list[Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Solve E[T] = T̄ by Newton's method in α; return α, where it converged, and the iterations.

    The information diag q − ψ′(φ), q = ψ′(α), is inverted by Sherman and Morrison's formula (Minka 2000, Estimating a
    Dirichlet distribution, eq. 15–18). Its denominator 1/ψ′(φ) − Σ 1/qᵢ is Σ r(αᵢ) − r(φ) with r(x) = x − 1/ψ′(x),
    which does not cancel at large φ. Steps multiply α by at most e; stops on the Newton decrement.
    """
    gap = -np.asarray(sum(o * t for o, t in zip(origin, mean, strict=True)))
    start = 0.5 * (len(mean) - 1) / np.maximum(gap, 1e-300)
    result = [o * start for o in origin]
    done, iterations = np.zeros(len(start), dtype=bool), np.zeros(len(start), dtype=np.int16)
    left, last = np.arange(len(start)), np.full(len(start), np.inf)
    watched = trace.begin("Newton")
    for _ in range(_ITERATIONS):
        alpha = [column[left] for column in result]
        step, decrement = _newton_step(alpha, [t[left] for t in mean], [o[left] for o in origin])
        if watched:
            named = {f"alpha{i}": one for i, one in enumerate(alpha, start=1)}
            long = np.any([np.abs(move) > one for one, move in zip(alpha, step, strict=True)], axis=0)
            watched.note(left, named, decrement=decrement, safeguard={"step shortened": long})
        for column, one, move in zip(result, alpha, step, strict=True):
            column[left] = one * np.exp(np.clip(move / one, -1.0, 1.0))
        iterations[left] += 1
        size = np.abs(decrement)
        done[left] = (size <= _TOLERANCE) | ((size <= _NEARLY) & (size > 0.25 * last[left]))
        last[left] = size
        left = left[~done[left]]
        if not len(left):
            break
    return result, done, iterations


def _newton_step(alpha: Sequence[Array], mean: Columns, origin: Columns) -> tuple[list[Array], Array]:
    total = np.asarray(sum(alpha))
    logs, shared = log_shares([one / total for one in alpha], origin), log_minus_digamma(total)
    score = [t - log + log_minus_digamma(one) - shared for t, log, one in zip(mean, logs, alpha, strict=True)]
    excess = [trigamma_excess(one) for one in alpha]
    inverse = [one / (1.0 + one * e) for one, e in zip(alpha, excess, strict=True)]  # 1/ψ′(α)
    below = sum(one * e * i for one, e, i in zip(alpha, excess, inverse, strict=True))
    last = trigamma_excess(total)
    denominator = below - total * total * last / (1.0 + total * last)
    shift = sum(g * i for g, i in zip(score, inverse, strict=True)) / denominator
    step = [(g + shift) * i for g, i in zip(score, inverse, strict=True)]
    return step, np.asarray(sum(g * move for g, move in zip(score, step, strict=True)))
