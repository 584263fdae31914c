"""The mean log-likelihood of a block of data sets in the free parameters of a parametrisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simstudy.errors import FamilyError
from simstudy.families.base import Family
from simstudy.families.likelihood import Evaluation, FamilyLikelihood, reparametrised
from simstudy.numerics.symmetric import Entry, congruence, fill, select, unpack
from simstudy.parameters import Array, Columns, Domain, Parametrisation


class Likelihood:
    """The log-likelihood of R data sets, averaged over their n observations, as a function of the free parameters.

    Parameters
    ----------
    family
        The fitted family.
    x
        Data (R, n), or data already reduced by `Family.likelihood`.
    parametrisation
        Names the parameters φ; the base one by default.
    known
        Values of the parameters held known, by name.
    """

    def __init__(
        self,
        family: Family,
        x: Array | FamilyLikelihood,
        parametrisation: Parametrisation | None = None,
        known: Mapping[str, float] | None = None,
    ) -> None:
        self.family = family
        self.parametrisation = parametrisation or family.parametrisations[0]
        self.known = dict(known or {})
        names = self.parametrisation.names
        self.kept = tuple(i for i, name in enumerate(names) if name not in self.known)
        self.reduced = x if isinstance(x, FamilyLikelihood) else family.likelihood(np.ascontiguousarray(x))
        self.is_base = self.parametrisation.names == family.parametrisations[0].names

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return tuple(self.parametrisation.names[i] for i in self.kept)

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Domains of the free parameters."""
        return tuple(self.parametrisation.domains[i] for i in self.kept)

    @property
    def regular(self) -> tuple[int, ...]:
        """Indices of the free parameters in which a maximum is a zero of the score."""
        corners = self.family.corners if self.is_base else {}
        return tuple(i for i, name in enumerate(self.free) if name not in corners)

    @property
    def rows(self) -> int:
        """Number R of data sets."""
        return self.reduced.rows

    def full(self, free: Columns) -> list[Array]:
        """Return all parameters φ, the known ones at their values."""
        values = iter(free)
        return [
            np.asarray(self.known[name], dtype=float) if name in self.known else np.asarray(next(values))
            for name in self.parametrisation.names
        ]

    def evaluate(self, free: Columns, *, products: bool = False) -> Evaluation:
        """Evaluate at the free parameters, given as arrays (R,) or scalars; the known ones are left out."""
        phi = self.full(free)
        if self.is_base:
            base = self._evaluate_base(phi, products=products)
            return self._leave_out_known(base) if self.known else base
        base = self._evaluate_base(self.parametrisation.to_base(phi), products=products)
        mapped = reparametrised(base, self.parametrisation, phi)
        return self._leave_out_known(mapped) if self.known else mapped

    def select(self, rows: NDArray[np.intp]) -> Likelihood:
        """Return the likelihood of some of the data sets."""
        return Likelihood(self.family, self.reduced.select(rows), self.parametrisation, self.known)

    def value(self, theta: Array) -> Array:
        """Return the mean log-likelihood (R,) at θ of shape (R, p) or (p,)."""
        return np.asarray(np.broadcast_to(self.evaluate(_columns(theta)).value, (self.rows,)))

    def score(self, theta: Array) -> Array:
        """Return the mean score (R, p) at θ of shape (R, p) or (p,)."""
        return fill(self.evaluate(_columns(theta)).score, self.rows)

    def hessian(self, theta: Array) -> Array:
        """Return the Hessian of the mean log-likelihood (R, p, p) at θ of shape (R, p) or (p,)."""
        return -unpack(fill(self.evaluate(_columns(theta)).information, self.rows))

    def score_products(self, theta: Array) -> Array:
        """Return the mean (R, p, p) of products sᵢsᵢᵀ of single scores at θ of shape (R, p) or (p,)."""
        return unpack(fill(self.evaluate(_columns(theta), products=True).products, self.rows))

    def _evaluate_base(self, theta: Columns, *, products: bool) -> Evaluation:
        """Evaluate at θ; what is no evaluation of a likelihood in p parameters is refused."""
        found, size = self.reduced.evaluate(theta, products=products), len(theta)
        packed = size * (size + 1) // 2
        check_entries(self.family, "value of the log-likelihood", [found.value], 1)
        check_entries(self.family, "score", found.score, size)
        check_entries(self.family, "hessian", found.information, packed)
        if products:
            check_entries(self.family, "products of scores", found.products, packed)
        return found

    def _leave_out_known(self, evaluation: Evaluation) -> Evaluation:
        size = len(self.parametrisation.names)
        return Evaluation(
            evaluation.value,
            [evaluation.score[i] for i in self.kept],
            select(evaluation.information, self.kept, size),
            select(evaluation.products, self.kept, size) if evaluation.products else [],
        )


def expected_information(
    family: Family, parametrisation: Parametrisation, phi: Columns, kept: Sequence[int]
) -> list[Entry]:
    """Return I(φ) per observation of the parameters kept, packed, batched over φ."""
    if parametrisation.expected_information is not None:
        packed = list(parametrisation.expected_information(phi))
    else:
        base = family.expected_information(parametrisation.to_base(phi))
        size = len(family.parameters)
        check_entries(family, "expected_information", base, size * (size + 1) // 2)
        packed = congruence(base, parametrisation.jacobian(phi))
    return select(packed, kept, len(phi))


def check_entries(family: Family, what: str, entries: Sequence[Entry], count: int) -> None:
    """Refuse entries that are too few or too many, or complex, the imaginary part of which would be lost.

    Raises
    ------
    FamilyError
        In one line.
    """
    if len(entries) != count:
        message = f"{family.name}: {what} has {len(entries)} entries, not {count}"
        raise FamilyError(message)
    if any(np.asarray(entry).dtype.kind not in "biuf" for entry in entries):
        message = f"{family.name}: {what} is not made of real numbers"
        raise FamilyError(message)


def _columns(theta: Array) -> list[Array]:
    theta = np.asarray(theta, dtype=float)
    return [np.ascontiguousarray(theta[..., i]) for i in range(theta.shape[-1])]
