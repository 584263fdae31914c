"""The bytes of one stored task: every field of `Replicates` and the identity of what made them.

A file is an uncompressed npz: its bytes depend on the numbers alone, each member carries a CRC-32, and
nothing in it is run.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.lib import format as npy

from simstudy.errors import FamilyError
from simstudy.families import REGISTRY
from simstudy.families.status import Status
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size, identity

NUMBERS_VERSION = 2
"""Raised with every change of code that changes a stored number; files of other versions are refused."""

Layout = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
"""Shape and dtype of every field of a record."""

_HEADER_BYTES = 4096
_MEMBER_BYTES = 1024
_SHOWN = 300
_END = b"PK\5\6"
_END_BYTES = 22
_SEAL = b"crc32=%08x"
_SEAL_BYTES = len(_SEAL % 0)
_INTERVALS = "intervals"
_MEMBERS = tuple(field.name for field in fields(Replicates) if field.name != _INTERVALS)


class DamagedRecordError(ValueError):
    """The bytes are not a whole record of these blocks; the message says what is wrong."""


class ForeignRecordError(ValueError):
    """A whole record, but of another scenario, seed or version; the message says what differs, ``keys`` name it."""

    def __init__(self, message: str, keys: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.keys = keys


def record_identity(scenario: Scenario, seed: int, first_block: int, last_block: int) -> str:
    """Return canonical JSON of all that determines the numbers of a file."""
    content: dict[str, object] = {
        "blocks": [first_block, last_block],
        "data": json.loads(identity(scenario, seed)),
        "fit": scenario.fit,
        "known": [name for name in scenario.fitted_names if name in scenario.known],
        "numbers": NUMBERS_VERSION,
    }
    if scenario.held:
        content["held"] = list(scenario.held)
    if plugins := REGISTRY.origins(scenario.families):
        content["plugins"] = {name: origin.sha256 for name, origin in plugins.items()}
    if scenario.censoring is not None:
        content["censoring"] = scenario.censoring
    if scenario.stored_intervals:
        content[_INTERVALS] = list(scenario.stored_intervals)
        content["level"] = scenario.level
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def layout(rows: int, size: int, methods: int = 0) -> Layout:
    """Return shape and dtype of every field for R rows and p free parameters.

    Parameters
    ----------
    methods
        Number of methods of intervals that are recorded; where there are none, they have no field.
    """
    packed = size * (size + 1) // 2
    widths = {
        "theta": (size,),
        "score_limit": (size,),
        "status": (),
        "iterations": (),
        "value": (),
        "value_limit": (),
        _INTERVALS: (2 * size * methods,),
    }
    real: np.dtype[Any] = np.dtype(np.float64)
    types: dict[str, np.dtype[Any]] = {"status": np.dtype(np.int8), "iterations": np.dtype(np.int16)}
    names = (*_MEMBERS, _INTERVALS) if methods else _MEMBERS
    return {name: ((rows, *widths.get(name, (packed,))), types.get(name, real)) for name in names}


def scenario_layout(scenario: Scenario, rows: int) -> Layout:
    """Return shape and dtype of every field for R rows of a scenario."""
    return layout(rows, len(scenario.free), len(scenario.stored_intervals))


def row_bytes(size: int, methods: int = 0) -> int:
    """Return the bytes one replicate takes with p free parameters and so many methods of intervals recorded.

    >>> row_bytes(2)
    147
    """
    shapes = layout(1, size, methods).values()
    return sum(dtype.itemsize * (shape[1] if len(shape) == 2 else 1) for shape, dtype in shapes)


def encode(replicates: Replicates, made_by: str) -> bytes:
    """Return the bytes of a file (FamilyError where an array has not the shape and type that `decode` asks for)."""
    buffer = io.BytesIO()
    size, width = replicates.theta.shape[-1], replicates.intervals.shape[-1]
    wanted = layout(len(replicates), size, -(-width // (2 * size)))
    arrays = {name: np.ascontiguousarray(getattr(replicates, name)) for name in wanted}
    for name, (shape, dtype) in wanted.items():
        found = arrays[name]
        if (found.shape, found.dtype) != (shape, dtype):
            message = f"{name} is {found.dtype} of shape {found.shape}, not {dtype} of shape {shape}"
            raise FamilyError(message)
    np.savez(buffer, allow_pickle=False, identity=np.array(made_by), **arrays)
    _seal(buffer)
    return buffer.getvalue()


def most_bytes(expected: Layout, wanted: str) -> int:
    """Return a bound on the bytes of a file with these arrays and this identity."""
    arrays = sum(dtype.itemsize * math.prod(shape) for shape, dtype in expected.values())
    return arrays + (len(expected) + 2) * _MEMBER_BYTES + 8 * len(wanted)


def _seal(archive: io.BytesIO) -> None:
    """Give an archive the CRC-32 of all its bytes as its comment: those of the members leave gaps."""
    archive.seek(-2, io.SEEK_END)
    archive.write(_SEAL_BYTES.to_bytes(2, "little"))
    archive.write(_SEAL % zlib.crc32(archive.getbuffer()))


def _check_seal(content: bytes) -> None:
    """Refuse bytes that are not those that were sealed; files from before there were seals have none."""
    if content[-_END_BYTES:][: len(_END)] == _END and content[-2:] == b"\0\0":
        return
    if content[-_SEAL_BYTES:] != _SEAL % zlib.crc32(memoryview(content)[:-_SEAL_BYTES]):
        message = "bytes were lost or changed"
        raise DamagedRecordError(message)


def decode(content: bytes, scenario: Scenario, seed: int, first_block: int, last_block: int) -> Replicates:
    """Return the record held by a file, after checking that it is whole and that it is this one.

    Raises
    ------
    DamagedRecordError
        If a byte was lost or changed, or a member is missing, strange or of the wrong shape.
    ForeignRecordError
        If the record was made by another scenario, seed or version of the numbers.
    """
    rows = (last_block - first_block + 1) * block_size(scenario.n)
    wanted = record_identity(scenario, seed, first_block, last_block)
    return decode_rows(content, scenario_layout(scenario, rows), wanted)


def decode_rows(content: bytes, expected: Layout, wanted: str) -> Replicates:
    """Return a record of these shapes and types, checked as by `decode`, that has the identity wanted."""
    with _opened(content) as archive:
        _check_stored(archive, content)
        found = str(_array(archive, "identity", (), None))
        if found != wanted:
            raise ForeignRecordError(difference(found, wanted), tuple(_differing(found, wanted)))
        _check_members(archive, expected)
        record = Replicates(**{name: _array(archive, name, *expected[name]) for name in expected})
        _check_codes(record)
        return record


def identity_of(content: bytes) -> dict[str, Any]:
    """Return what a file says of itself, after checking that it is whole, whatever arrays it has.

    Raises
    ------
    DamagedRecordError
        If it is no whole file of any study.
    """
    with _opened(content) as archive:
        _check_stored(archive, content)
        if broken := archive.testzip():
            message = f"Bad CRC-32 for file {broken[:_SHOWN]!r}"
            raise DamagedRecordError(message)
        found = json.loads(str(_array(archive, "identity", (), None)))
        if not isinstance(found, dict):
            message = "its identity cannot be read"
            raise DamagedRecordError(message)
        return found


@contextlib.contextmanager
def _opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose bytes are those that were written; what goes wrong with it is damage."""
    try:
        _check_seal(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield archive
    except (DamagedRecordError, ForeignRecordError, MemoryError):
        raise
    except Exception as error:  # a damaged archive makes zipfile raise nearly anything
        raise DamagedRecordError(" ".join(str(error).split())[:_SHOWN] or type(error).__name__) from error


def _check_codes(record: Replicates) -> None:
    if len(record) and not (record.status.min() >= 0 and record.status.max() < len(Status)):
        message = "a status that there is not"
        raise DamagedRecordError(message)


def _check_members(archive: zipfile.ZipFile, expected: Iterable[str]) -> None:
    found = sorted(archive.namelist())
    if found != sorted(f"{name}.npy" for name in (*expected, "identity")):
        message = f"its members are {', '.join(map(repr, found[:20]))}"
        raise DamagedRecordError(message[:_SHOWN])


def _check_stored(archive: zipfile.ZipFile, content: bytes) -> None:
    """Refuse what would have to be unpacked, or takes more than the file; done before any member is read."""
    infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED or info.file_size > len(content) for info in infos):
        message = "a member is compressed or larger than the file"
        raise DamagedRecordError(message)


def difference(found: str, wanted: str) -> str:
    """Say in which keys two identities differ.

    >>> difference('{"fit":"gamma","numbers":1}', '{"fit":"weibull","numbers":1}')
    'fit is "gamma", not "weibull"'
    """
    pairs = _differing(found, wanted)
    said = (f"{_shown(key)[1:-1]} is {_shown(old)}, not {_shown(new)}" for key, (old, new) in pairs.items())
    return "; ".join(said)[: 2 * _SHOWN] or "its identity cannot be read"


def _shown(value: object) -> str:
    return json.dumps(value)[:_SHOWN]


def _differing(found: str, wanted: str) -> dict[str, tuple[Any, Any]]:
    """Return both values of the keys in which two different identities differ, none where one cannot be read."""
    try:
        old, new = json.loads(found), json.loads(wanted)
        keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}
    return {key: (old.get(key), new.get(key)) for key in keys}


def _array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | None
) -> np.ndarray[Any, Any]:
    """Return one member; its CRC and its header are checked before anything is built from it."""
    raw = archive.read(f"{name}.npy")
    stream = io.BytesIO(raw)
    try:
        version = npy.read_magic(stream)
        found = npy.read_array_header_1_0(stream, _HEADER_BYTES) if version == (1, 0) else None
    except (ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError) as error:
        message = f"the header of '{name}' cannot be read"
        raise DamagedRecordError(message) from error
    if found is None or found[0] != shape or found[1] or not _fits(found[2], dtype):
        message = f"'{name}' has another shape or type than {shape} {dtype or 'text'}"
        raise DamagedRecordError(message)
    if len(raw) - stream.tell() != found[2].itemsize * math.prod(shape):
        message = f"'{name}' has another length than its header says"
        raise DamagedRecordError(message)
    return np.frombuffer(raw, found[2], offset=stream.tell()).reshape(shape)


def _fits(found: np.dtype[Any], wanted: np.dtype[Any] | None) -> bool:
    return found == wanted if wanted is not None else found.kind == "U" and found.itemsize > 0
