"""The uniform family, with two ends to estimate or with its lower end at 0."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from simstudy.families.base import Family, IrregularLimits
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, Solution
from simstudy.families.sample_space import NON_NEGATIVE_NUMBERS, REAL_LINE
from simstudy.families.solution import closed_form
from simstudy.numerics.symmetric import Entry, pairs
from simstudy.parameters import POSITIVE, REAL, Array, Columns, Parameter

_JUMP = "the density jumps to 0 there, so the likelihood is largest at the outermost observation"
_MOVES = "the sample space depends on the parameters, so {} may not be differentiated under the integral"


class UniformLikelihood(FamilyLikelihood):
    """The likelihood of data reduced to the least and the largest."""

    compact = True

    def __init__(self, family: UniformFamily, least: Array, largest: Array, size: int) -> None:
        self._family, self.least, self.largest, self.size = family, least, largest, size
        self.rows = len(least)
        inside = np.isfinite(least) & np.isfinite(largest)
        self.usable = inside & (least >= 0.0) if family.from_zero else inside

    def evaluate(self, theta: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate from the two."""
        lower, upper = self._family.ends(theta)
        inside = (self.least >= lower) & (self.largest <= upper)
        score = self._family.score(self.least, theta)
        outer = [score[i] * score[j] for i, j in pairs(len(score))]
        value = np.where(inside, -np.log(upper - lower), -np.inf)
        return Evaluation(value, score, [-entry for entry in outer], outer if products else [])

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Return the likelihood of some of the rows."""
        return type(self)(self._family, self.least[rows], self.largest[rows], self.size)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the likelihood of the rows of all parts, in order."""
        least, largest = (np.concatenate([getattr(p, name) for p in parts]) for name in ("least", "largest"))
        return cls(parts[0]._family, least, largest, parts[0].size)


class UniformFamily(Family):
    """log p = −log w, w the width, whichever ends are parameters; the Hessian is s sᵀ, so −E[Hessian] = −E[s sᵀ].

    Attributes
    ----------
    from_zero
        Whether the lower end is 0.
    """

    name = "uniform"
    from_zero: ClassVar[bool]
    irregular: ClassVar[Mapping[str, str]] = {
        "score_mean": _MOVES.format("∫p = 1") + ": the score is constant and not 0",
        "sampler_score": _MOVES.format("∫p = 1") + ": the score is constant and not 0",
        "information_equality": _MOVES.format("∫p = 1") + ": E[Hessian] = E[s sᵀ], the two differ in sign",
    }
    corners: ClassVar[Mapping[str, str]] = {"lower": _JUMP, "upper": _JUMP}

    @abstractmethod
    def ends(self, theta: Columns) -> tuple[Any, Any]:
        """Return both ends."""

    def log_density(self, x: Array, theta: Columns) -> Array:
        """Return −log w, −∞ outside."""
        lower, upper = self.ends(theta)
        return np.where((x >= lower) & (x <= upper), -np.log(upper - lower), -np.inf)

    def score(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return 1/w for the lower end, −1/w for the upper."""
        lower, upper = self.ends(theta)
        slope = 1.0 / (upper - lower)
        slope = np.broadcast_to(slope, np.broadcast_shapes(np.shape(x), np.shape(slope)))
        return [sign * slope for sign in self._signs]

    def hessian(self, x: Array, theta: Columns) -> Sequence[Array]:
        """Return s sᵀ."""
        score = self.score(x, theta)
        return [score[i] * score[j] for i, j in pairs(len(score))]

    def expected_information(self, theta: Columns) -> Sequence[Entry]:
        """Return E[s sᵀ]."""
        return self.hessian(np.zeros(()), theta)

    def sample(self, rng: np.random.Generator, theta: Columns, size: tuple[int, ...]) -> Array:
        """Draw by the generator, between the ends whatever the rounding."""
        lower, upper = self.ends(theta)
        draws = rng.random(size)
        draws *= upper - lower
        draws += lower
        return np.asarray(np.minimum(draws, upper, out=draws))

    def likelihood(self, x: Array) -> UniformLikelihood:
        """Reduce data (R, n) to the least and the largest."""
        x = np.asarray(x, dtype=float)
        return UniformLikelihood(self, x.min(axis=-1), x.max(axis=-1), x.shape[1])

    def start(self, x: Array) -> Columns:
        """Return the outermost observations."""
        return self.starts(self.likelihood(x), {})[0]

    def breaks(self, theta: Columns) -> Sequence[Array]:
        """Return both ends."""
        return self.ends(theta)

    def constraint(self, theta: Sequence[float]) -> str:
        """Return that the ends have to be in order where they are not."""
        lower, upper = self.ends([np.asarray(value) for value in theta])
        return "" if lower < upper else "lower < upper"

    def irregularity(self, theta: Sequence[float]) -> str:
        """Say that the two definitions of I(θ) disagree and that the estimates converge at rate n."""
        return (
            "the density jumps at the ends, which the parameters move: the score does not have mean 0, E[s sᵀ] and "
            "−E[Hessian] differ in sign, and the outermost observations converge at rate n, not √n"
        )

    def irregular_limits(self, theta: Sequence[float]) -> IrregularLimits:
        """Return the limits: n(θ̂ − θ) tends to independent exponentials of mean w."""
        lower, upper = self.ends([np.asarray(value, dtype=float) for value in theta])
        width, size = float(upper - lower), len(self.parameters)
        score = np.array(self._signs) / width
        nothing = np.zeros((size, size))
        return IrregularLimits(
            score_mean=score,
            score_covariance=nothing,
            hessian=-np.outer(score, score),
            covariance=nothing,
            rates=np.ones(size),
            rate_covariance=np.eye(size) * width**2,
        )

    @property
    def _signs(self) -> tuple[float, ...]:
        return (-1.0,) if self.from_zero else (1.0, -1.0)


@final
class UniformFromZero(UniformFamily):
    """log p = −log θ on [0, θ]; E[s] = −1/θ, E[s²] = 1/θ², −E[Hessian] = −1/θ²."""

    formula = "log p(x) = −log upper for 0 ≤ x ≤ upper"
    parameters = (Parameter("upper", POSITIVE, (0.2, 5.0)),)
    sample_space = NON_NEGATIVE_NUMBERS
    from_zero = True

    def ends(self, theta: Columns) -> tuple[Any, Any]:
        """Return 0 and θ."""
        return 0.0, theta[0]

    def starts(self, likelihood: UniformLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the largest observation, one where all are 0."""
        return ((np.where(likelihood.largest > 0.0, likelihood.largest, 1.0),),)

    def solve(self, likelihood: UniformLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the largest; there is no maximum where it is 0."""
        return closed_form((likelihood.largest,), likelihood, likelihood.largest > 0.0)


@final
class Uniform(UniformFamily):
    """log p = −log(b − a) on [a, b]; s = (1, −1)/(b − a), −E[Hessian] = −s sᵀ.

    I(θ) is E[s sᵀ] = s sᵀ, which is singular.
    """

    formula = "log p(x) = −log(upper − lower) for lower ≤ x ≤ upper"
    parameters = (Parameter("lower", REAL, (-5.0, -0.5)), Parameter("upper", REAL, (0.5, 5.0)))
    sample_space = REAL_LINE
    variants = (UniformFromZero(),)
    from_zero = False

    def ends(self, theta: Columns) -> tuple[Any, Any]:
        """Return both ends."""
        return theta[0], theta[1]

    def starts(self, likelihood: UniformLikelihood, known: Mapping[int, Array]) -> Sequence[Columns]:
        """Return the least and the largest observation."""
        return ((likelihood.least, likelihood.largest),)

    def solve(self, likelihood: UniformLikelihood, known: Mapping[int, Array]) -> Solution:
        """Return the least and the largest; there is no maximum where they are equal to each other or to a known end.

        Where observations lie beyond a known end the likelihood is 0 at every θ, and the row ends NOT_FINITE.
        """
        lower, upper = known.get(0, likelihood.least), known.get(1, likelihood.largest)
        beyond = (likelihood.least < lower) | (likelihood.largest > upper)
        return closed_form((lower, upper), likelihood, (lower < upper) | beyond)
