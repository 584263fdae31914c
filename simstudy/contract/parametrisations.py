"""Laws of domains and parametrisations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simstudy.contract.finding import Deviation, must, worst
from simstudy.contract.information import base_parameter, jacobian_by_stencil
from simstudy.contract.points import Point
from simstudy.contract.precision import EPS
from simstudy.contract.stencil import curvature, gradient
from simstudy.families.base import Family
from simstudy.numerics.symmetric import pairs
from simstudy.parameters import REAL, Array, Parameter

# Each map is a handful of operations.
_OPERATIONS = 16.0


def domains(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """Typical ranges lie inside the domains, and the domains' maps to the real line are inverse to each other."""
    names = point.parametrisation.names
    yield must(f"names {', '.join(names)} differ", holds=len(set(names)) == len(names))
    for parameter, value in zip(point.parametrisation.parameters, point.columns, strict=True):
        lower, upper = parameter.typical
        inside = bool(parameter.domain.contains(np.array([lower, upper])).all())
        yield must(f"typical range of {parameter.name} is inside {parameter.domain}", holds=inside and lower < upper)
        yield from _map_to_real(parameter, value)


def _map_to_real(parameter: Parameter, value: Array) -> Iterator[Deviation]:
    domain, name = parameter.domain, parameter.name
    real = domain.to_real(value)
    first, second = (np.asarray(d, dtype=float) for d in domain.derivatives(value))
    # Both maps round: the first moves the result by ε|u|·dx/du, the second by ε|x|.
    bound = _OPERATIONS * EPS * (np.abs(value) + np.abs(real * first))
    yield worst(f"from_real∘to_real of {name}", np.abs(domain.from_real(real) - value), bound)
    slope = gradient(lambda u: domain.from_real(u[0]), [real], [REAL])[0]
    bend = curvature(lambda u: domain.from_real(u[0]), [real], [REAL])[0]
    yield worst(f"first derivative of from_real of {name}", np.abs(first - slope.value), slope.error)
    yield worst(f"second derivative of from_real of {name}", np.abs(second - bend.value), bend.error)


def round_trip(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """to_base leads into the domains of θ, and from_base leads back to φ."""
    form = point.parametrisation
    for parameter, value in zip(family.parametrisations[0].parameters, point.base, strict=True):
        yield must(f"{parameter.name} is inside {parameter.domain}", holds=bool(parameter.domain.contains(value)))
    slopes, _ = jacobian_by_stencil(point)
    back = form.from_base(point.base)
    # θ rounds by ε|θ|, which from_base carries to φ by the inverse Jacobian.
    carried = np.abs(np.linalg.inv(slopes)) @ np.abs([float(value) for value in point.base])
    for name, value, found, moved in zip(form.names, point.columns, back, carried, strict=True):
        yield worst(f"from_base∘to_base of {name}", abs(found - value), _OPERATIONS * EPS * (abs(value) + moved))
    columns = [np.full((2, 3), value) for value in point.phi]
    shapes = {np.shape(value) for value in (*form.to_base(columns), *form.from_base(form.to_base(columns)))}
    yield must("arrays keep their shape", holds=shapes == {(2, 3)})


def jacobian(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The Jacobian is ∂θ/∂φ."""
    slopes, error = jacobian_by_stencil(point)
    found = np.array([[float(entry) for entry in row] for row in point.parametrisation.jacobian(point.columns)])
    bound = error + _OPERATIONS * EPS * np.abs(slopes)
    yield must(f"shape {found.shape} against {slopes.shape}", holds=found.shape == slopes.shape)
    yield worst("∂θᵢ/∂φⱼ against a stencil", np.abs(found - slopes), bound)


def second_derivatives(family: Family, point: Point, rng: np.random.Generator) -> Iterator[Deviation]:
    """The curvature holds every non-zero ∂²θᵢ/∂φⱼ∂φₖ, j ≤ k."""
    form, names = point.parametrisation, point.parametrisation.names
    given = form.curvature(point.columns)
    yield must("indices (i, j, k) have j ≤ k", holds=all(j <= k for _, j, k in given))
    for i, name in enumerate(family.parametrisations[0].names):
        expected = curvature(base_parameter(point, i), point.columns, form.domains)
        for (j, k), (value, error) in zip(pairs(len(names)), expected, strict=True):
            found = float(given.get((i, j, k), 0.0))
            bound = error + _OPERATIONS * EPS * np.abs(value)
            yield worst(f"∂²{name}/∂{names[j]}∂{names[k]} against a stencil", abs(found - value), bound)
