"""YAML becomes plain data with lines, by the rules of YAML 1.2, and hostile YAML becomes one clear line."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import ConfigError
from simstudy.study.faults import BROKEN, MAX_FAULTS
from simstudy.study.yaml_source import parse, scalar


def faults_of(text: str) -> tuple[str, ...]:
    try:
        parse(text, "x.yaml")[1].check()
    except ConfigError as error:
        return error.faults
    return ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e5", 1e5),
        ("1e-8", 1e-8),
        ("1E+3", 1e3),
        (".5", 0.5),
        ("-3.", -3.0),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("+7", 7),
        ("-0", 0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("12:30", "12:30"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("1,000", "1,000"),
        ("2024-06-11", "2024-06-11"),
        ("=", "="),
        ("<<", "<<"),
        ("0b11", "0b11"),
        ("e5", "e5"),
        (".", "."),
        ("1e", "1e"),
        ("٣", "٣"),
    ],
)
def test_scalar(text: str, value: Any) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_scalar_nan() -> None:
    found = scalar(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_quoted_scalars_are_text() -> None:
    assert parse("['1', \"true\", '']", "x")[0] == ["1", "true", ""]


def test_keys_are_text_as_written() -> None:
    assert parse("{no: 1, 010: 2, 1e5: 3, '': 4, <<: 5}", "x")[0] == {
        "no": 1,
        "010": 2,
        "1e5": 3,
        "": 4,
        "<<": 5,
    }


def test_lines_of_keys_and_values() -> None:
    text = "a: 1\nb:\n  - 2\n  - c: 3\n    d: [4,\n        5]\ne:\n  6\n"
    data, faults = parse(text, "x")
    assert data == {"a": 1, "b": [2, {"c": 3, "d": [4, 5]}], "e": 6}
    assert faults.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "d"): 5,
        ("b", 1, "d", 0): 5,
        ("b", 1, "d", 1): 6,
        ("e",): 8,
    }


SYNTAX = "check indentation, quotes and brackets"
OPEN_QUOTE = "found unexpected end of stream while scanning a quoted scalar"
OPEN_BRACKET = "expected ',' or ']', but got ':' while parsing a flow sequence"
MESSAGES = {
    "empty": ("", "x.yaml:1: config: is empty: give study, seed, replicates, sample_sizes and scenarios"),
    "only a comment": (
        "# nothing\n",
        "x.yaml:1: config: is empty: give study, seed, replicates, sample_sizes and scenarios",
    ),
    "only a marker": (
        "---\n",
        "x.yaml:1: config: is empty: give study, seed, replicates, sample_sizes and scenarios",
    ),
    "duplicate key": (
        "a: 1\nb: 2\na: 3\n",
        "x.yaml:3: a: the key is written twice, first on line 1: keep one",
    ),
    "anchor": ("a: &big [1]\n", "x.yaml:1: a: the anchor 'big': write values out instead"),
    "alias": ("a: 1\nb: *big\n", "x.yaml:2: b: the alias 'big': write the value out"),
    "tag": (
        "a: !!python/object/apply:os.system [ls]\n",
        "x.yaml:1: a: the tag 'tag:yaml.org,2002:python/object/apply:os.system': leave it out",
    ),
    "local tag": ("a: !x 1\n", "x.yaml:1: a: the tag '!x': leave it out"),
    "core tag": ("a: !!int '1'\n", "x.yaml:1: a: the tag 'tag:yaml.org,2002:int': leave it out"),
    "two documents": (
        "a: 1\n---\nb: 2\n",
        "x.yaml:2: config: a second document begins here: keep one per file",
    ),
    "deep": (
        "[" * 100_000,
        "x.yaml:1: config: nested deeper than 20 levels: a config needs four",
    ),
    "deep dashes": (
        "- " * 100_000 + "1",
        "x.yaml:1: config: nested deeper than 20 levels: a config needs four",
    ),
    "many values": (
        "- 1\n" * 30_000,
        "x.yaml:20000: config: more than 20,000 values: let lists of parameter values cross",
    ),
    "large": ("#" * 300_000, "x.yaml:1: config: too large, 300,000 bytes: a config has at most 250,000"),
    "byte order mark": (
        "\ufeffa: 1",
        "x.yaml:1: config: the text begins with a byte order mark: leave it out",
    ),
    "NUL": ("a: 1\r\nb: \0", "x.yaml:2: config: the control character U+0000: delete it"),
    "escape": ("a: 1\n\nb: \x1b[31m", "x.yaml:3: config: the control character U+001B: delete it"),
    "line separator": (
        "a: 1 # b\u2028c: 2\n",
        "x.yaml:1: config: the line end, which YAML 1.2 does not know, U+2028: delete it",
    ),
    "next line": (
        "a: 1\r\n#\x85",
        "x.yaml:2: config: the line end, which YAML 1.2 does not know, U+0085: delete it",
    ),
    "turned": (
        "a: 1\rb: x\u2066\n",
        "x.yaml:2: config: the character that turns the direction of writing, U+2066: delete it",
    ),
    "surrogate": ("a: \ud800", "x.yaml:1: config: the control character U+D800: delete it"),
    "tab before a key": (
        "a:\n\tb: 1\n",
        "x.yaml:2: config: a tab where YAML wants spaces: indent and separate with spaces",
    ),
    "tab after a colon": (
        "a:\t1\n",
        "x.yaml:1: config: a tab where YAML wants spaces: indent and separate with spaces",
    ),
    "list as a key": (
        "a: 1\n? [b]\n: 2\n",
        "x.yaml:2: config: a key is a list, a mapping or an alias: write a name",
    ),
    "two colons": (
        "a: 1\nb: c: 2\n",
        f"x.yaml:2: config: not valid YAML, mapping values are not allowed here: {SYNTAX}",
    ),
    "open quote": (
        "a: 1\nb: 'c\nd: 2\n",
        f"x.yaml:4: config: not valid YAML, {OPEN_QUOTE} that begins on line 2: {SYNTAX}",
    ),
    "open bracket": (
        "a: [1, 2\nb: 3\n",
        f"x.yaml:2: config: not valid YAML, {OPEN_BRACKET} that begins on line 1: {SYNTAX}",
    ),
    "character out of range": (
        'a: 1\nb: "\\UFFFFFFFF"\n',
        "x.yaml:2: config: not valid YAML, an escape or a version out of range: write the character itself",
    ),
    "5,000 digits": (
        "a: " + "7" * 5_000,
        "x.yaml:1: a: a number of 5,000 characters: write it with at most 100",
    ),
    "5,000 decimals": (
        "a: 0." + "7" * 5_000,
        "x.yaml:1: a: a number of 5,002 characters: write it with at most 100",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_message(text: str, expected: str) -> None:
    assert faults_of(text) == (expected,)


def test_reading_goes_on_after_faults_that_allow_it() -> None:
    data, faults = parse("a: &x 1\na: 2\nb: *x\nc: !y 3\nd: [4]\n", "x.yaml")
    assert data == {"a": 1, "b": BROKEN, "c": BROKEN, "d": [4]}
    with pytest.raises(ConfigError) as raised:
        faults.check()
    assert [fault.split(": ")[0] for fault in raised.value.faults] == [f"x.yaml:{k}" for k in (1, 2, 3, 4)]


def test_a_second_document_keeps_nothing_of_the_first_from_being_told() -> None:
    expected = ("x.yaml:2: b: the tag '!y': leave it out", "x.yaml:3: config: a second document begins here")
    found = faults_of("a: 1\nb: !y 2\n--- [\n")
    assert tuple(fault.removesuffix(": keep one per file") for fault in found) == expected


def test_a_long_number_below_a_key_that_is_written_twice_has_its_own_line() -> None:
    assert faults_of(f"a: 1\na: {'7' * 101}\n")[-1].startswith("x.yaml:2: a: a number of 101 characters")


def test_alias_bomb_and_cycle_stay_small() -> None:
    bomb = "a: &a [1]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    data, _ = parse(bomb, "x")
    assert data["i"] == [BROKEN] * 3
    assert parse("a: &a [*a]", "x")[0] == {"a": [BROKEN]}


HOSTILE = {
    "brackets": "[" * 250_000,
    "braces": "{" * 250_000,
    "brackets of 20 levels": ("[" * 20 + "]" * 20 + ",") * 6_000,
    "dashes": "- " * 125_000,
    "question marks": "? " * 125_000,
    "items": "[" + "1," * 124_000 + "]",
    "entries": "a: 1\n" * 50_000,
    "directives": "%A\n" * 83_000,
    "comments": "#\n" * 125_000,
    "blank lines": "\n" * 250_000,
    "one word": "a" * 250_000,
    "lines of words": "a\n" * 125_000,
    "quoted lines": '"' + "a\n" * 124_000 + '"',
    "escapes": '"' + "\\x41" * 62_000 + '"',
    "anchors": "&a " * 83_000,
    "tag": "!<" + "%41" * 83_000 + "> b",
    "block text": "a: |\n" + " a\n" * 83_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_no_time(text: str) -> None:
    begin = time.process_time()
    assert len(faults_of(text)) <= MAX_FAULTS + 2  # the last one, and how many are not listed
    # A tenth to a third of a second when this was written; the rest is room for a slow machine.
    assert time.process_time() - begin < 2.0


YAML_PIECES = st.sampled_from(
    [
        *"[]{}:,-?&*!|>'\"%@`#~ \n\t\\",
        ": ",
        "- ",
        "? ",
        "---\n",
        "...\n",
        "a",
        "1",
        "0x",
        ".inf",
        "!!",
        "\\U",
        "%YAML ",
    ]
)


@given(st.text() | st.lists(YAML_PIECES).map("".join))
def test_any_text_is_read_or_refused_in_single_lines(text: str) -> None:
    assert all(fault.startswith("x.yaml:") and fault.isprintable() for fault in faults_of(text))
