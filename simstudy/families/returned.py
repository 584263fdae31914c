"""What the members of a user's family return, checked where they return it; numbers come back as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simstudy.errors import FamilyError
from simstudy.families.likelihood import FamilyLikelihood, Solution
from simstudy.families.status import Status
from simstudy.numerics.symmetric import unpack

Check = Callable[[Any, tuple[Any, ...], Any], Any]
"""From the family, the arguments and what was returned to what is used; FamilyError, without its place, if nothing."""

_NEGATIVE = -1e-8
"""Least eigenvalue, of a matrix scaled to unit diagonal, that is negative by more than rounding."""


def _refusal(what: str, values: object, wanted: str) -> FamilyError:
    return FamilyError(f"{what} returned {_described(values)}, not {wanted}")


def _described(values: object) -> str:
    if isinstance(values, np.ma.MaskedArray):
        return "a masked array"
    if isinstance(values, (np.ndarray, np.generic)):
        return f"{values.dtype} of shape {values.shape}"
    return "None" if values is None else f"a value of type {type(values).__name__}"


def _real(what: str, values: Any, shape: tuple[int, ...], *, double: bool = True) -> Any:
    """Return real numbers as a plain array; whether their shape is right is another question."""
    wanted = f"real numbers of shape {shape}"
    if isinstance(values, np.ma.MaskedArray):
        raise _refusal(what, values, wanted)
    try:
        array = np.asarray(values)
    except Exception as error:
        raise _refusal(what, values, wanted) from error
    if array.dtype.kind not in "biuf":
        raise _refusal(what, values if array.dtype == object else array, wanted)
    if double and array.dtype.kind == "f" and array.dtype != np.float64:
        raise _refusal(what, array, "numbers of double precision (float64)")
    return array


def _spread(what: str, values: Any, shape: tuple[int, ...]) -> Any:
    """Return numbers that broadcast to a shape, with all of its axes or as a single number.

    Fewer axes would be spread along the wrong ones where two of them have one length.
    """
    array = _real(what, values, shape)
    fits = array.size == 1 or array.ndim == len(shape)
    fits = fits and all(have in (1, want) for have, want in zip(array.shape[::-1], shape[::-1], strict=False))
    if not fits or array.ndim > len(shape):
        raise _refusal(what, array, f"real numbers of shape {shape}")
    return array


def _entries(what: str, values: Any, count: int) -> Any:
    if not isinstance(values, (tuple, list, np.ndarray)) or np.ndim(values) == 0:
        raise _refusal(what, values, f"{count} arrays")
    if len(values) != count:
        message = f"{what} has {len(values)} entries, not {count}"
        raise FamilyError(message)
    return values


def _cells(family: Any, x: Any, theta: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of a function of every observation."""
    shape = np.shape(x)[: -1 if family.sample_space.width is not None else None]
    return np.broadcast_shapes(shape, *map(np.shape, theta))


def _log_density(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    return _spread("log_density", values, _cells(family, *arguments[:2]))


def _derivatives(what: str, count: Callable[[int], int]) -> Check:
    def check(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
        shape = _cells(family, *arguments[:2])
        found = _entries(what, values, count(len(family.parameters)))
        return [_spread(what, entry, shape) for entry in found]

    return check


def _packed(size: int) -> int:
    return size * (size + 1) // 2


def _sample(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    what, width = "sample", family.sample_space.width
    shape = tuple(arguments[2]) if width is None else (*arguments[2], width)
    array = _real(what, values, shape, double=False)
    if array.shape != shape:
        raise _refusal(what, array, f"real numbers of shape {shape}")
    # A copy, as the family may write into its own array later.
    return np.array(array, dtype=np.float64 if array.dtype.kind == "f" else None, order="C", subok=False)


def _start(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    shape = np.shape(arguments[0])[:1]
    return [_spread("start", entry, shape) for entry in _entries("start", values, len(family.parameters))]


def _information(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    """Return I(θ): refused where it has a negative eigenvalue at the only θ, NaN at that one of many."""
    what, size = "expected_information", len(family.parameters)
    shape = np.broadcast_shapes(*map(np.shape, arguments[0]))
    found = [_spread(what, entry, shape) for entry in _entries(what, values, _packed(size))]
    packed = np.stack([np.broadcast_to(np.asarray(e, dtype=float), shape) for e in found], axis=-1)
    negative = _negative(packed.reshape(-1, len(found))).reshape(shape)
    if negative.all() and negative.size:
        message = f"{what} is not positive: no matrix of information has a negative eigenvalue"
        raise FamilyError(message)
    return [np.where(negative, np.nan, entry) for entry in found] if negative.any() else found


def _negative(packed: Any) -> Any:
    """Tell where packed matrices (R, m) have a negative eigenvalue; what is not finite has none."""
    finite = np.isfinite(packed).all(axis=-1)
    matrices = unpack(np.where(finite[:, np.newaxis], packed, 0.0))
    with np.errstate(all="ignore"):
        scale = np.sqrt(np.abs(np.einsum("...ii->...i", matrices)))
        scale = np.where(scale > 0.0, scale, 1.0)
        unit = matrices / (scale[:, :, np.newaxis] * scale[:, np.newaxis, :])
    return np.linalg.eigvalsh(np.nan_to_num(unit))[:, 0] < _NEGATIVE


def _solution(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    if values is None:
        return None
    what = "solve"
    if not isinstance(values, tuple) or len(values) != len(Solution._fields):
        raise _refusal(what, values, "None or a Solution")
    shape = (arguments[0].rows,)
    theta, status, iterations = values
    columns = [_spread(what, entry, shape) for entry in _entries(what, theta, len(family.parameters))]
    codes, steps = _spread(what, status, shape), _spread(what, iterations, shape)
    if not np.isin(codes, [int(each) for each in Status]).all():
        message = f"{what} returned a status that there is not: take those of simstudy.families.status.Status"
        raise FamilyError(message)
    theta = [np.array(np.broadcast_to(entry, shape), dtype=float) for entry in columns]
    spread = [np.broadcast_to(each, shape) for each in (codes, steps)]
    return Solution(theta, spread[0].astype(np.int8), spread[1].astype(np.int16))


def _likelihood(family: Any, arguments: tuple[Any, ...], values: Any) -> Any:
    what = "likelihood"
    if not isinstance(values, FamilyLikelihood):
        raise _refusal(what, values, "a FamilyLikelihood")
    return values


CHECKS: dict[str, Check] = {
    "log_density": _log_density,
    "score": _derivatives("score", lambda size: size),
    "hessian": _derivatives("hessian", _packed),
    "sample": _sample,
    "start": _start,
    "expected_information": _information,
    "solve": _solution,
    "likelihood": _likelihood,
}
