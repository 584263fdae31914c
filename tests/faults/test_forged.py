"""Stored files made by an attacker: refused and put away, no code run, nothing allocated for what they promise."""

from __future__ import annotations

import io
import os
import pickle
import resource
import struct
import zipfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.faults.study import content, run, without_figures
from tests.forked import call, refused

FILE = "results/s/blocks/a/n=9000/0-41.npz"


def npy(array, *, pickled=False):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=pickled)
    return buffer.getvalue()


def header(descr, shape, order=False):
    """The beginning of an array that is said to be of that type and shape."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


class Trap:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


def repacked(raw, changes=(), how=zipfile.ZIP_STORED, names=lambda name: name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(buffer, "w", how) as new:
        members = {info.filename.removesuffix(".npy"): old.read(info) for info in old.infolist()} | dict(changes)
        for name, member in members.items():
            new.writestr(names(f"{name}.npy"), member)
    return buffer.getvalue()


def patched(raw, signature, offset, value):
    """Overwrite a field of the first record of a kind in the archive."""
    place = raw.index(signature) + offset
    return raw[:place] + value + raw[place + len(value) :]


def resealed(raw):
    body = raw[:-14]
    return body + b"crc32=%08x" % zlib.crc32(body)


def member(name, value):
    return lambda raw: repacked(raw, {name: value(raw) if callable(value) else value})


def statuses(code):
    return npy(np.full(42, code, np.int8))


SECOND = b"PK\x01\x02"
FORGERIES = {
    "pickle": member("theta", npy(np.array([[Trap()] * 2] * 42, dtype=object), pickled=True)),
    "pickle alone": lambda raw: pickle.dumps(Trap()),
    "object header": member("theta", header("'|O'", "(42, 2)") + pickle.dumps(Trap())),
    "7 TiB": member("theta", header("'<f8'", "(481036337152, 2)")),
    "negative": member("theta", header("'<f8'", "(-1, 2)")),
    "long text": member("identity", header("'<U2000000000'", "()")),
    "no characters": member("identity", header("'<U2'", "()") + b"\xff" * 8),
    "code in header": member("theta", header("__import__('os').mkdir('trapped')", "(42, 2)")),
    "deep header": member("theta", header("(" * 2000 + ")" * 2000, "(42, 2)")),
    "many signs": member("theta", header("'<f8'", "(" + "-" * 3900 + "1,)")),
    "extra member": member("extra", npy(np.zeros(3))),
    "bomb": lambda raw: repacked(raw, {"theta": b"\0" * 2**26}, zipfile.ZIP_DEFLATED),
    "bombs of all kinds": lambda raw: repacked(raw, {"theta": b"\0" * 2**24}, zipfile.ZIP_LZMA),
    "up and away": lambda raw: repacked(raw, {"../../../trapped": b"x"}),
    "absolute": lambda raw: repacked(raw, names=lambda name: f"/tmp/{name}"),
    "long names": lambda raw: repacked(raw, names=lambda name: name * 3000),
    "a status that there is not": member("status", statuses(77)),
    "a negative status": member("status", statuses(-1)),
    "statuses that are no numbers": member("status", npy(np.full(42, np.nan))),
    "deep identity": member("identity", npy(np.array("[" * 20_000))),
    "long numbers": member("identity", npy(np.array('{"data": ' + "9" * 9_000 + "}"))),
    "lines": member("identity", npy(np.array('{"a\\nb": "c\\u001b[2J\\nd"}'))),
    "size in the directory": lambda raw: resealed(patched(raw, SECOND, 24, struct.pack("<I", 2**31))),
    "huge entries": lambda raw: resealed(patched(raw, SECOND, 20, struct.pack("<II", 2**32 - 1, 2**32 - 1))),
    "place in the directory": lambda raw: resealed(patched(raw, SECOND, 42, struct.pack("<I", 7))),
    "encrypted": lambda raw: resealed(patched(raw, SECOND, 8, struct.pack("<H", 1))),
    "no entries": lambda raw: resealed(patched(raw, b"PK\x05\x06", 8, struct.pack("<HHI", 0, 0, 0))),
    "two archives": lambda raw: raw + raw,
    "something before": lambda raw: b"#!/bin/sh\n" + raw,
}

COMMON = ("pickle", "7 TiB", "extra member", "bomb", "up and away", "a status that there is not", "lines")
"""Those that are tried every time."""


def in_little_memory():
    """Leave 300 MB to what is read, which would not do for any of the promises."""
    without_figures()
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 300 * 2**20,) * 2)


@pytest.mark.parametrize(
    "forgery", [name if name in COMMON else pytest.param(name, marks=pytest.mark.slow) for name in FORGERIES]
)
def test_a_forged_file_is_put_away(copy, finished, forgery):
    path = copy / FILE
    forged = FORGERIES[forgery](path.read_bytes())
    path.write_bytes(forged)
    refused(call(copy, "report", "results/s", before=in_little_memory), 5, FILE, "run the study again")
    done = run(copy, before=in_little_memory)
    assert (done.code, len(done.err.splitlines())) == (0, 1), done.err
    assert done.err.startswith(f"{FILE}: ")
    assert done.err.isprintable() or done.err[:-1].isprintable()
    assert len(done.err) < 2500
    assert content(copy) == content(finished)
    assert (copy / "results/s/quarantine" / path.relative_to(copy / "results/s")).read_bytes() == forged
    assert not list(copy.rglob("trapped"))


@pytest.mark.parametrize("same", [repacked, resealed])
def test_the_forgeries_are_made_of_a_file_that_passes(copy, same):
    path = copy / FILE
    path.write_bytes(same(path.read_bytes()))
    assert call(copy, "verify", "results/s").code == 0


HEAD = b"study,scenario,family,n,measure,estimator,row,column,value,mcse,limit,replicates,failed\n"
ROW = b"s,a,normal,20,bias,raw,mean,,0.1,0.1,0,40,0\n"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + ROW.replace(b",40,", b"," + b"9" * 30 + b","),
        HEAD + b"\0" + ROW,
    ],
    ids=range(2),
)
def test_a_forged_summary_is_one_line(copy, raw):
    told_and_written_again(copy, raw)


@pytest.mark.slow
@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"x" * 2**20 + ROW,
        HEAD + b"\0" + ROW,
        HEAD + b"\xff" + ROW,
        HEAD + ROW.replace(b",40,", b"," + b"9" * 5000 + b","),
        HEAD + ROW.replace(b",40,", b"," + b"9" * 30 + b","),
        HEAD + ROW.replace(b",0.1", b",spam"),
        HEAD + b'"' + ROW,
        HEAD + b"=cmd()" + b"," * 20 + b"\n",
        b"",
    ],
    ids=range(9),
)
def test_all_forged_summaries_are_one_line(copy, raw):
    told_and_written_again(copy, raw)


def told_and_written_again(copy, raw):
    path = copy / "results/s/summary.csv"
    whole = path.read_bytes()
    path.write_bytes(raw)
    refused(call(copy, "compare", "results/s", "results/s"), 5, "results/s/summary.csv: not a summary")
    done = call(copy, "verify", "results/s")
    assert (done.code, len(done.out.splitlines())) == (5, 2)
    assert call(copy, "report", "results/s", before=without_figures).code == 0
    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["summary.csv", "manifest.json", ".lock-holder"])
@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in (os.mkdir, partial(os.symlink, "/dev/zero"), partial(os.symlink, "no"))
        ),
    ],
)
def test_what_is_no_file_is_not_waited_for(copy, finished, name, make):
    path = copy / "results/s" / name
    path.unlink(missing_ok=True)
    make(path)
    verified = call(copy, "verify", "results/s", timeout=60)
    assert verified.code == (0 if name == ".lock-holder" else 5)
    assert "Traceback" not in verified.err
    done = run(copy)
    if name == "manifest.json" or (make is not os.mkdir):
        assert done.code == 0, done.err
        assert content(copy) == content(finished)
    else:
        refused(done, 5, name)
