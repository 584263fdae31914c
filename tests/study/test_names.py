"""Names become files on every system; what is not safe there is refused with the reason."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.study import names

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    "name",
    ["a", "Z9", "_x", "0", "weibull-shape=2.5", "a.b", "beta-alpha=1e-08,beta=1e+20", "a" * 100, "console"],
)
def test_allowed(name: str) -> None:
    assert names.fault(name) is None


LENGTH = "must have 1 to 100 characters, got"
LETTERS = "must consist of letters, digits and _ . + = , -, got"
ENDS = "must begin with a letter, a digit or _ and not end with a point, got"
DEVICE = "is the name of a device on Windows: choose another than"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", f"{LENGTH} 0: ''"),
        ("a" * 300, f"{LENGTH} 300: '{'a' * 39}...{'a' * 9}'"),
        ("a/b", f"{LETTERS} 'a/b'"),
        ("a\\b", f"{LETTERS} 'a\\\\b'"),
        ("../../etc", f"{LETTERS} '../../etc'"),
        ("a b", f"{LETTERS} 'a b'"),
        ("a\0", f"{LETTERS} 'a\\x00'"),
        ("a\n", f"{LETTERS} 'a\\n'"),
        ("<b>", f"{LETTERS} '<b>'"),
        ("$x$", f"{LETTERS} '$x$'"),
        ("研究", f"{LETTERS} '研究'"),
        ("\ud800", f"{LETTERS} '\\ud800'"),
        ("..", f"{ENDS} '..'"),
        (".hidden", f"{ENDS} '.hidden'"),
        ("-rf", f"{ENDS} '-rf'"),
        ("=1+1", f"{ENDS} '=1+1'"),
        ("+1", f"{ENDS} '+1'"),
        ("a.", f"{ENDS} 'a.'"),
        ("nul", f"{DEVICE} 'nul'"),
        ("CON.x", f"{DEVICE} 'CON.x'"),
        ("Lpt1", f"{DEVICE} 'Lpt1'"),
    ],
)
def test_fault(name: str, expected: str) -> None:
    assert names.fault(name) == expected


@given(st.text() | st.from_regex(names.PATTERN, fullmatch=True))
def test_what_is_allowed_is_one_plain_file_name(name: str) -> None:
    if names.fault(name) is None:
        assert re.search(names.PATTERN, name)
        assert Path(name).name == name
        assert name.isascii()
        assert name.isprintable()
        assert name[0] not in "-+=.,"


@given(FINITE, FINITE)
def test_numbers_are_told_apart_and_are_allowed_in_names(a: float, b: float) -> None:
    assert float(names.number(a)) == a
    assert (names.number(a) == names.number(b)) == (a == b and math.copysign(1, a) == math.copysign(1, b))
    assert names.fault(f"x={names.number(a)}") is None


def test_derive() -> None:
    assert names.derive("gamma", {}) == "gamma"
    assert names.derive("gamma", {"shape": 0.5, "rate": 1e-8}) == "gamma-shape=0.5,rate=1e-08"
    assert names.derive("gamma", {"shape": 2.0}, ["rate", "x"]) == "gamma-shape=2,known=rate+x"
