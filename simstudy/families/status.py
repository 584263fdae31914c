"""How a fit ended, as data: one status per replicate, each with its sentence."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Outcome of one maximisation; only CONVERGED rows hold an interior maximum likelihood estimate."""

    CONVERGED = 0
    BOUNDARY = 1
    NO_MAXIMUM = 2
    MAX_ITERATIONS = 3
    NOT_CONCAVE = 4
    NOT_FINITE = 5

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> str:
        """What the status means, in one sentence."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "the score is zero at the estimate and the observed information is positive definite",
    Status.BOUNDARY: "the likelihood is largest on the boundary of the parameter space",
    Status.NO_MAXIMUM: "the likelihood has no maximum: it grows without bound or towards an infinite parameter",
    Status.MAX_ITERATIONS: "the optimiser used all its iterations without reaching a zero of the score",
    Status.NOT_CONCAVE: "the score is zero but the observed information is not positive definite: no single maximum",
    Status.NOT_FINITE: "the data or the log-likelihood are not finite, or lie outside the sample space",
}
