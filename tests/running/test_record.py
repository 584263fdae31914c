from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from simstudy.running import record
from simstudy.running.record import (
    DamagedRecordError,
    ForeignRecordError,
    decode,
    encode,
    layout,
    record_identity,
    row_bytes,
)

SEED = 5


@pytest.fixture
def cell(scenario):
    return scenario(n=65536 // 3)  # three rows to a block


@pytest.fixture
def content(cell, fake):
    return encode(fake(cell, 2, 4), record_identity(cell, SEED, 2, 4))


def repack(content: bytes, **changes: bytes | None) -> bytes:
    """Write the archive again with some members replaced, added or (None) left out."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    members |= {f"{name}.npy": raw for name, raw in changes.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for name, raw in members.items():
            if raw is not None:
                new.writestr(name, raw)
    return buffer.getvalue()


def npy(array: object, *, pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickle)  # type: ignore[arg-type]
    return buffer.getvalue()


def test_round_trip(cell, fake, content, assert_same):
    assert_same(decode(content, cell, SEED, 2, 4), fake(cell, 2, 4))


def test_numpy_alone_can_read_it(cell, content):
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        assert archive["theta"].shape == (9, 2)
        assert json.loads(archive["identity"].item())["blocks"] == [2, 4]


def test_the_same_record_has_the_same_bytes(cell, fake, content):
    assert encode(fake(cell, 2, 4), record_identity(cell, SEED, 2, 4)) == content


def test_row_bytes_are_those_of_the_arrays(cell, content):
    assert len(content) == pytest.approx(9 * row_bytes(2), abs=4096)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_layout_counts_the_upper_triangle(size):
    shapes = {name: shape for name, (shape, _) in layout(10, size).items()}
    assert shapes["information"] == (10, size * (size + 1) // 2)
    assert shapes["theta"] == (10, size)
    assert shapes["status"] == (10,)


def test_every_truncation_is_found(cell, content):
    for length in range(0, len(content), 37):
        with pytest.raises(DamagedRecordError):
            decode(content[:length], cell, SEED, 2, 4)


def test_no_flipped_bit_passes(cell, fake, content, assert_same):
    """A flip is refused, unless it hit the archive's own padding or dates and every number is as it was."""
    rng = np.random.default_rng(1)
    refused = 0
    for position in rng.integers(0, len(content) * 8, 1500).tolist():
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        try:
            assert_same(decode(bytes(damaged), cell, SEED, 2, 4), fake(cell, 2, 4))
        except DamagedRecordError:
            refused += 1
    assert refused > 1000


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"values": (0.0, 2.0)}, "data"),
        ({"known": ("sd",)}, "known"),
        ({"fit": "logistic"}, "fit"),
    ],
)
def test_another_scenario_is_foreign(cell, content, change, differs):
    with pytest.raises(ForeignRecordError, match=rf"^{differs} is .*, not "):
        decode(content, replace(cell, **change), SEED, 2, 4)


def test_another_seed_place_or_version_is_foreign(cell, content, monkeypatch):
    with pytest.raises(ForeignRecordError, match="data is"):
        decode(content, cell, SEED + 1, 2, 4)
    with pytest.raises(ForeignRecordError, match="blocks is"):
        decode(content, cell, SEED, 3, 5)
    monkeypatch.setattr(record, "NUMBERS_VERSION", record.NUMBERS_VERSION + 1)
    with pytest.raises(ForeignRecordError, match="numbers is"):
        decode(content, cell, SEED, 2, 4)


def test_level_replicates_and_name_are_no_part_of_the_identity(cell):
    other = replace(cell, name="other", level=0.9, replicates=7)
    assert record_identity(other, SEED, 0, 0) == record_identity(cell, SEED, 0, 0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"theta": None}, "members"),
        ({"extra": b"x"}, "members"),
        ({"theta": b"no header"}, "header of 'theta'"),
        ({"theta": npy(np.zeros((9, 3)))}, "another shape"),
        ({"theta": npy(np.zeros((9, 2), np.float32))}, "another shape or type"),
        ({"theta": npy(np.zeros((9, 2), order="F"))}, "another shape or type"),
        ({"theta": npy(np.array([[{}] * 2] * 9, dtype=object), pickle=True)}, "another shape or type"),
        ({"status": npy(np.zeros(9))}, "another shape or type"),
        ({"theta": npy(np.zeros((9, 2))) + b"more"}, "another length"),
        ({"theta": npy(np.zeros((9, 2)))[:-8]}, "another length"),
        ({"identity": npy(np.array("{")), }, "identity cannot be read"),
        ({"identity": npy(np.array("[]"))}, "identity cannot be read"),
        ({"identity": npy(np.array(3.0))}, "another shape or type"),
    ],
)  # fmt: skip
def test_strange_members_are_refused(cell, content, changes, says):
    with pytest.raises((DamagedRecordError, ForeignRecordError), match=says):
        decode(repack(content, **changes), cell, SEED, 2, 4)


def test_a_header_of_terabytes_allocates_nothing(cell, content):
    header = npy(np.zeros((9, 2))).replace(b"(9, 2), }" + b" " * 12, b"(999999999999, 2), }" + b" ")
    with pytest.raises(DamagedRecordError, match="another shape"):
        decode(repack(content, theta=header), cell, SEED, 2, 4)


def test_a_compressed_member_is_not_unpacked(cell, content):
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    with pytest.raises(DamagedRecordError, match="compressed"):
        decode(buffer.getvalue(), cell, SEED, 2, 4)
