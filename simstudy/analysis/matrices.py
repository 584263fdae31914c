"""Estimates of whole symmetric matrices, with the covariance of their entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simstudy.analysis.control_variates import ROUNDING, Controls, score_controls
from simstudy.analysis.influence import Estimate, Variance, error_of, inverse, variance
from simstudy.analysis.packed import diagonal, multiplicity, products, upper
from simstudy.analysis.reductions import JointMoment, JointMoments, Moment, Moments, Range
from simstudy.analysis.sample import accuracy
from simstudy.analysis.sharpening import Controlled, adjust, controlled, regressed
from simstudy.analysis.streaming import Rows, Shared, Steps
from simstudy.parameters import Array

if TYPE_CHECKING:
    from simstudy.analysis.cell import Cell
    from simstudy.analysis.facts import Facts


class MatrixEstimate(NamedTuple):
    """An estimated symmetric matrix as q packed entries.

    Attributes
    ----------
    value : (q,)
        The entries.
    covariance : (q, q)
        Monte Carlo covariance of the entries, ΣψᵢψᵢᵀR⁻¹(R−1)⁻¹ (and rounding, where that is larger).
    noise : Estimate
        √Σ MCSE² over all p² entries, the Frobenius norm that pure noise would have, with its own MCSE.
    """

    value: Array
    covariance: Array
    noise: Estimate

    @property
    def entries(self) -> Estimate:
        """The entries with their Monte Carlo standard errors."""
        return Estimate(self.value, np.sqrt(np.diagonal(self.covariance)))


def mean(of: Rows) -> Steps[MatrixEstimate]:
    """Return the mean of packed matrices (q, m); ψᵢ = Jᵢ − J̄."""
    return (yield from _mean(of, lambda found: found.mean))


def covariance(of: Rows) -> Steps[MatrixEstimate]:
    """Return the covariance S of vectors (p, m), divisor m−1; ψᵢ = (zᵢ−z̄)(zᵢ−z̄)ᵀ − S, centred."""
    found: Moment = yield Moments(of)
    average = found.centre[:, None]
    return (yield from _mean(lambda part: products(of(part) - average), _unbiased))


def _unbiased(found: JointMoment) -> Array:
    return np.asarray(found.mean * np.divide(found.rows, found.rows - 1))


def _mean(of: Rows, value: Callable[[JointMoment], Array]) -> Steps[MatrixEstimate]:
    """Return an estimate with the influences of the mean of packed matrices."""
    found: JointMoment = yield JointMoments(of)
    average = found.mean[:, None]
    spread: Moment = yield Moments(lambda part: frobenius(of(part) - average))
    cross = found.cross / (np.float64(found.rows) * (found.rows - 1))
    return _estimate(value(found), cross, spread)


def controlled_mean(of: Rows, using: Controls) -> Steps[MatrixEstimate]:
    """Return the mean of packed positive matrices (q, m) sharpened by the controls."""
    found, extent = yield _adjust(of, using), Range(of)
    size = np.sqrt(diagonal(extent.size))
    return _estimate(found[0].value, found[0].covariance, found[1], ROUNDING * upper(np.outer(size, size)))


def controlled_covariance(of: Rows, using: Controls, rounding: Array) -> Steps[MatrixEstimate]:
    """Return the covariance of vectors z (p, m) sharpened by the controls; ``rounding`` (p,) is that of z.

    With b the controlled mean of z, this is the controlled mean of (z−b)(z−b)ᵀ plus the Monte Carlo
    covariance of b, which the centring took away (with b = z̄ and no control, exactly the divisor m−1).
    Centring at z̄ instead would leave the noise of z̄z̄ᵀ in the estimate, which hides any gain beyond a
    factor R.
    """
    average: Controlled
    own: Variance
    average, own = yield adjust(of, using), variance(of)
    found: Controlled
    found, spread = yield _adjust(lambda part: products(of(part) - average.value[:, None]), using)
    size = np.outer(rounding, own.root)
    return _estimate(found.value + upper(average.covariance), found.covariance, spread, upper(size + size.T))


def _adjust(of: Rows, using: Controls) -> Steps[tuple[Controlled, Moment]]:
    """Return controlled means of packed matrices, and the moments of the squared norm of their influence."""
    regression = yield regressed(of, using)
    found: tuple[Controlled, Moment] = (
        yield controlled(regression), Moments(lambda part: frobenius(part.derived(regression.psi)))
    )  # fmt: skip
    return found


def frobenius(entries: Array) -> Array:
    """Return the squared Frobenius norms (1, m) of symmetric matrices of packed entries (q, m)."""
    return np.asarray(np.einsum("q,qr,qr->r", multiplicity(len(entries)), entries, entries))[None]


def _estimate(value: Array, entries: Array, spread: Moment, rounding: Array | float = 0.0) -> MatrixEstimate:
    """Summarise influences ψ.

    Parameters
    ----------
    value, entries : (q,), (q, q)
        The estimate, and the covariance of its entries.
    spread
        Moments of ‖ψ‖².
    rounding : (q,)
        The accuracy below which no error is claimed.
    """
    entries = entries + np.diag(np.broadcast_to(np.square(rounding), value.shape))
    square = multiplicity(len(value)) @ np.diagonal(entries)
    floor = np.sqrt(square)[None]
    mcse = error_of(spread.square, spread.rows) / (spread.rows - 1)
    return MatrixEstimate(value, entries, Estimate(floor, inverse(2.0 * floor) * mcse))


@Shared
def mean_information(_: Facts) -> Steps[dict[str, MatrixEstimate]]:
    """Return the mean of J, raw and controlled."""
    raw, sharp = yield mean(information), _sharp_information()
    return {"raw": raw, "control-variate": sharp or raw}


def _sharp_information() -> Steps[MatrixEstimate | None]:
    using: Controls | None = yield score_controls
    return None if using is None else (yield from controlled_mean(information, using))


@Shared
def scaled_covariance(cell: Facts) -> Steps[dict[str, MatrixEstimate]]:
    """Return n·Cov(θ̂), raw and controlled."""
    raw, sharp = yield covariance(scaled_errors), _sharp_covariance(cell.n)
    return {"raw": raw, "control-variate": sharp or raw}


def _sharp_covariance(n: int) -> Steps[MatrixEstimate | None]:
    using: Controls | None
    using, rounding = yield score_controls, accuracy
    if using is None:
        return None
    return (yield from controlled_covariance(scaled_errors, using, np.sqrt(n) * rounding))


def information(part: Cell) -> Array:
    """J, (q, m)."""
    return part.information


def scaled_errors(part: Cell) -> Array:
    """√n(θ̂ − θ*), (p, m)."""
    return part.scaled_error
