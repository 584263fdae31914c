"""Faults are collected at their places and told together, one printable line each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import ConfigError
from simstudy.study.faults import MAX_FAULTS, Faults, printable, show, where


def told(faults: Faults) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        faults.check()
    return raised.value.faults


def test_no_fault_raises_nothing() -> None:
    Faults("x.yaml").check()


def test_faults_come_in_the_order_of_the_file() -> None:
    faults = Faults("x.yaml", {(): 1, ("b",): 5, ("a",): 2})
    faults.add(("b", 3, "c"), "first noted")
    faults.add(("a",), "second noted")
    faults.add(("a",), "with a line of its own", 9)
    faults.add(("d",), "of a missing key")
    assert told(faults) == (
        "x.yaml:1: d: of a missing key",
        "x.yaml:2: a: second noted",
        "x.yaml:5: b[3].c: first noted",
        "x.yaml:9: a: with a line of its own",
    )


def test_a_fault_marks_what_holds_it() -> None:
    faults = Faults("x")
    faults.add(("a", 0, "b"), "wrong")
    assert not any(faults.clean(*path) for path in [(), ("a",), ("a", 0), ("a", 0, "b")])
    assert all(faults.clean(*path) for path in [("b",), ("a", 1), ("a", 0, "b", "c")])


def test_the_same_fault_is_told_once() -> None:
    faults = Faults("x")
    faults.add(("a",), "wrong")
    faults.add(("a",), "wrong")
    assert told(faults) == ("x: a: wrong",)


def test_too_many_faults_are_counted_and_a_fatal_one_is_listed_all_the_same() -> None:
    faults = Faults("x", {(): 1})
    for index in range(MAX_FAULTS + 1_234):
        faults.add((index,), "wrong")
    listed = faults.fatal((), "the end", 2).faults
    assert len(listed) == MAX_FAULTS + 2
    assert listed[-2:] == (
        "x:2: config: the end",
        "x:1: config: 1,234 more faults, not listed: mend these first",
    )


def test_a_text_that_is_costly_is_made_only_where_it_is_listed() -> None:
    made: list[int] = []
    faults = Faults("x")
    for index in range(MAX_FAULTS + 10):
        faults.add((index,), lambda: f"wrong {made.append(1)}")
    assert len(made) == MAX_FAULTS
    assert told(faults)[-1] == "x: config: 10 more faults, not listed: mend these first"


def test_what_is_said_stays_one_line_that_can_be_read() -> None:
    faults = Faults("x")
    faults.add((), "\x1b[31m\n\u202e" + "k" * 5_000)
    (line,) = told(faults)
    assert line.startswith("x: config: \\x1b[31m\\n\\u202ekkk")
    assert line.endswith("k... and 3,007 characters more")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ten", "the text 'ten'"),
        ("it's\n", 'the text "it\'s\\n"'),
        ("x" * 200, f"the text '{'x' * 39}...{'x' * 9}'"),
        (True, "true"),
        (None, "nothing"),
        ([], "a list"),
        ({}, "a mapping"),
        (1e-8, "1e-08"),
        (10**4000, "a number of 13,288 bits"),
    ],
)
def test_show(value: Any, expected: str) -> None:
    assert show(value) == expected


def test_where() -> None:
    assert where(()) == "config"
    assert where(("scenarios", 2, "a\nb")) == "scenarios[2].a\\nb"
    assert len(where(("k" * 500,))) < 60


@given(st.text())
def test_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
