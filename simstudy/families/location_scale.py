"""Location–scale families: log p(x; m, s) = g(z) − log s with z = (x − m)/s.

    score      (−g′, −(1 + z g′))/s
    Hessian    [[g″, g′ + z g″], [·, 1 + 2 z g′ + z² g″]]/s²

Data are standardised once; a pass over them computes the sums of a few products of z, g, g′ and g″.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.solution import solution
from simstudy.families.status import Status
from simstudy.numerics import trace
from simstudy.numerics.sums import mean_product
from simstudy.numerics.symmetric import Entry
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

# Decrements before the last step; convergence is quadratic. Single precision leaves errors of about 1e-7.
_ROUGH, _ROUGH_ITERATIONS = 1e-7, 4
_TOLERANCE, _ITERATIONS = 1e-13, 40
_NEAR = 0.02


class Sums(NamedTuple):
    """Means over the observations of a data set, each (R,): of g, g′, z g′, g″, z g″, z² g″, and of products of g′."""

    g: Array
    d1: Array
    z_d1: Array
    d2: Array
    z_d2: Array
    zz_d2: Array
    d1_d1: Array
    z_d1_d1: Array
    zz_d1_d1: Array


class NewtonSums(NamedTuple):
    """Means, each (R,), of g′, z g′, g″, z g″, z² g″: all that a Newton step needs."""

    d1: Array
    z_d1: Array
    d2: Array
    z_d2: Array
    zz_d2: Array


class Centred(NamedTuple):
    """Data (R, n) relative to a rough location, and what is known of each data set at first sight.

    Attributes
    ----------
    deviation : (R, n)
        x − origin.
    origin, unit : (R,)
        Rough location, rough scale; the scale is positive, and not finite where the data are not.
    exists : (R,)
        Whether the maximum over location and scale exists.
    """

    deviation: Array
    origin: Array
    unit: Array
    exists: NDArray[np.bool_]


class LocationScaleLikelihood(FamilyLikelihood):
    """The likelihood of data kept relative to a rough location."""

    def __init__(self, family: LocationScale, centred: Centred) -> None:
        self.family, self.centred = family, centred
        self.rows, self.size = centred.deviation.shape
        self.usable = np.isfinite(centred.origin + centred.unit)

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate by one pass over the data."""
        scale = np.asarray(theta[1], dtype=float)
        sums = self.family.sums(_at(self.centred.deviation, theta[0] - self.centred.origin, scale))
        inverse = 1.0 / scale
        square = inverse * inverse
        score = [-sums.d1 * inverse, -(1.0 + sums.z_d1) * inverse]
        information = [
            -sums.d2 * square,
            -(sums.d1 + sums.z_d2) * square,
            -(1.0 + 2.0 * sums.z_d1 + sums.zz_d2) * square,
        ]
        outer = [
            sums.d1_d1 * square,
            (sums.d1 + sums.z_d1_d1) * square,
            (1.0 + 2.0 * sums.z_d1 + sums.zz_d1_d1) * square,
        ]
        return Evaluation(sums.g - np.log(scale), score, information, outer)

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        deviation, origin, unit, exists = self.centred
        return type(self)(self.family, Centred(deviation[rows], origin[rows], unit[rows], exists[rows]))


def _at(z: NDArray[np.floating], location: Array, scale: Array) -> Any:
    """Return (z − location)/scale in the precision of z."""
    inverse = 1.0 / scale
    shift = (location * inverse).astype(z.dtype)
    moved = z * inverse.astype(z.dtype)[..., np.newaxis]
    moved -= shift[:, np.newaxis]
    return moved


def quartiles(ordered: Array) -> tuple[Array, Array]:
    """Return the median and half the interquartile range, or half the range where that is 0."""
    size = ordered.shape[1]
    middle = 0.5 * (ordered[:, (size - 1) // 2] + ordered[:, size // 2])
    lower, upper = ordered[:, size // 4], ordered[:, size - 1 - size // 4]
    spread = np.where(upper > lower, upper - lower, ordered[:, -1] - ordered[:, 0])
    return middle, 0.5 * spread


class LocationScale(Family):
    """A family of the form g((x − m)/s) − log s.

    Attributes
    ----------
    information
        Packed I(0, 1); I(m, s) = I(0, 1)/s².
    """

    parameters: tuple[Parameter, ...] = (
        Parameter("loc", REAL, (-5.0, 5.0)),
        Parameter("scale", POSITIVE, (0.2, 5.0)),
    )
    information: ClassVar[tuple[float, float, float]]

    @abstractmethod
    def standard(self, z: Array) -> tuple[Array, Array, Array]:
        """Return g, g′ and g″ elementwise."""

    @abstractmethod
    def centre(self, x: Array) -> Centred:
        """Return data (R, n) relative to a rough location."""

    def sums(self, z: Array) -> Sums:
        """Return the means that value, score, Hessian and score products are made of; z may be overwritten."""
        g, d1, d2 = self.standard(z)
        z_d1, z_d2 = z * d1, z * d2
        return Sums(
            g.mean(axis=-1),
            d1.mean(axis=-1),
            z_d1.mean(axis=-1),
            d2.mean(axis=-1),
            z_d2.mean(axis=-1),
            mean_product(z, z_d2),
            mean_product(d1, d1),
            mean_product(d1, z_d1),
            mean_product(z_d1, z_d1),
        )

    def newton_sums(self, z: Array) -> NewtonSums:
        """Return the means that a Newton step needs; z may be overwritten."""
        return NewtonSums(*self.sums(z)[1:6])

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return g(z) − log s."""
        return np.asarray(self.standard((x - theta[0]) / theta[1])[0] - np.log(theta[1]))

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (−g′, −(1 + z g′))/s."""
        z = (x - theta[0]) / theta[1]
        _, d1, _ = self.standard(z)
        return -d1 / theta[1], -(1.0 + z * d1) / theta[1]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return (g″, g′ + z g″, 1 + 2 z g′ + z² g″)/s²."""
        z = (x - theta[0]) / theta[1]
        _, d1, d2 = self.standard(z)
        square = np.square(np.asarray(theta[1]))
        return d2 / square, (d1 + z * d2) / square, (1.0 + z * (2.0 * d1 + z * d2)) / square

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return I(0, 1)/s²."""
        square = np.square(np.asarray(theta[1], dtype=float))
        return [0.0 if entry == 0.0 else entry / square for entry in self.information]

    def start(self, x: Array) -> Columns:
        """Return the rough location and scale."""
        centred = self.centre(np.asarray(x, dtype=float))
        return centred.origin, centred.unit

    def likelihood(self, x: Array) -> LocationScaleLikelihood:
        """Take data (R, n) relative to the rough location."""
        return LocationScaleLikelihood(self, self.centre(np.asarray(x, dtype=float)))

    def starts(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the rough location and scale."""
        return ((likelihood.centred.origin, likelihood.centred.unit),)

    def solve(self, likelihood: LocationScaleLikelihood, known: Mapping[int, Array]) -> Solution | None:
        """Return location and scale by Newton's method in (m, log s); rows it cannot finish are left MAX_ITERATIONS."""
        if known:
            return None
        place, log_scale, done, iterations = _newton(likelihood)
        status = np.where(done, Status.CONVERGED, Status.MAX_ITERATIONS)
        status = np.where(likelihood.centred.exists, status, Status.NO_MAXIMUM)
        return solution((likelihood.centred.origin + place, np.exp(log_scale)), likelihood, status, iterations)


def _newton(likelihood: LocationScaleLikelihood) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.int16]]:
    """Iterate from the rough location and scale.

    First in single precision, at half the cost, until that can improve no more; then in double precision until the
    Newton decrement is at rounding. Rows that are not finished then are left to the general optimiser.
    """
    rows = likelihood.rows
    centred = likelihood.centred
    place, log_scale = np.zeros(rows), np.log(centred.unit)
    iterations, done = np.zeros(rows, dtype=np.int16), np.zeros(rows, dtype=bool)
    left = np.flatnonzero(likelihood.usable & centred.exists)
    z = centred.deviation if len(left) == rows else centred.deviation[left]
    state = place[left], log_scale[left]
    for data, tolerance, most in (
        (z.astype(np.float32), _ROUGH, _ROUGH_ITERATIONS),
        (z, _TOLERANCE, _ITERATIONS),
    ):
        state, finished, count = _iterate(likelihood, data, state, tolerance, most)
        iterations[left] += count
    place[left], log_scale[left], done[left] = *state, finished
    return place, log_scale, done, iterations


def _iterate(
    likelihood: LocationScaleLikelihood,
    z: NDArray[np.floating],
    state: tuple[Array, Array],
    tolerance: float,
    most: int,
) -> tuple[tuple[Array, Array], NDArray[np.bool_], NDArray[np.int16]]:
    """Take Newton steps in (m, log s) until the decrement, before the last step, is below the tolerance."""
    place, log_scale = (column.copy() for column in state)
    count, done = np.zeros(len(place), dtype=np.int16), np.zeros(len(place), dtype=bool)
    last = np.full(len(place), np.inf)
    left = np.arange(len(place))
    watched = trace.begin(f"Newton in {'single' if z.dtype == np.float32 else 'double'} precision")
    for _ in range(most):
        scale = np.exp(log_scale[left])
        sums = likelihood.family.newton_sums(_at(z, place[left], scale))
        step, log_step, decrement = _step(sums, likelihood.family.information, last[left])
        fresh = ~done[left]  # a finished row stays as it is, however long its neighbours take
        if watched:
            named, other = {"loc − origin": place[left], "log scale": log_scale[left]}, {"scoring": np.isinf(decrement)}
            watched.note(left, named, fresh, decrement=decrement, safeguard=other)
        last[left] = decrement
        place[left] += np.where(fresh, step * scale, 0.0)
        log_scale[left] += np.where(fresh, log_step, 0.0)
        count[left] += fresh
        done[left] |= decrement <= tolerance
        going = ~done[left]
        if not going.any():
            break
        if going.sum() < 0.5 * len(going):
            left, z = left[going], z[going]
    return (place, log_scale), done, count


def _step(sums: NewtonSums, expected: tuple[float, float, float], last: Array) -> tuple[Array, Array, Array]:
    """Return the step (Δm/s, Δ log s) and the Newton decrement.

    The step is Newton's where the information is positive definite and the decrement is small or falls; elsewhere it is
    that of Fisher scoring, and the decrement counts as infinite.
    """
    d1, z_d1, d2, z_d2, zz_d2 = (np.asarray(entry, dtype=float) for entry in sums)
    first, second = -d1, -(1.0 + z_d1)
    a, b, c = -d2, -(d1 + z_d2), -(z_d1 + zz_d2)
    step, log_step = _solve_two(a, b, c, first, second)
    decrement = step * first + log_step * second
    sound = (a > 0.0) & (a * c > b * b) & ((decrement < _NEAR) | (decrement < 0.5 * last))
    i, j, k = (np.asarray(entry) for entry in expected)
    scoring = _solve_two(i, j, k, first, second)
    step = np.where(sound, step, scoring[0])
    log_step = np.where(sound, log_step, scoring[1])
    return step, np.clip(log_step, -1.0, 1.0), np.where(sound, decrement, np.inf)


def _solve_two(a: Array, b: Array, c: Array, first: Array, second: Array) -> tuple[Array, Array]:
    """Solve [[a, b], [b, c]] Δ = (first, second)."""
    inverse = 1.0 / (a * c - b * b)
    return (c * first - b * second) * inverse, (a * second - b * first) * inverse
