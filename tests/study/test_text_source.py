"""Files that are no text, too large, or not there: one line each, and nothing is read that need not be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simstudy.errors import ConfigError
from simstudy.study import text_source


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        text_source.read(path)
    (fault,) = raised.value.faults
    return fault.replace(f"{path.parent}{os.sep}", "")


def test_text_is_returned_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("study: μ\r\n".encode())
    assert text_source.read(str(path)) == "study: μ\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"\xef\xbb\xbfstudy: x\n",
            "x.yaml:1: config: the file begins with a byte order mark: save it as UTF-8 without one",
        ),
        (
            "study: x\n".encode("utf-16"),
            "x.yaml:1: config: the file begins with a byte order mark: save it as UTF-8 without one",
        ),
        (
            "study: x\n".encode("utf-32"),
            "x.yaml:1: config: the file begins with a byte order mark: save it as UTF-8 without one",
        ),
        (
            b"study: x\nseed: \x00\n",
            "x.yaml:2: config: a NUL byte, so this is no text: give a YAML file saved as UTF-8",
        ),
        (
            b"study: x\n\nname: caf\xe9\n",
            "x.yaml:3: config: byte 0xe9 is no UTF-8: save the file as UTF-8",
        ),
        (
            b"#" * 250_001,
            "x.yaml:1: config: too large, 250,001 bytes: a config has at most 250,000",
        ),
    ],
    ids=["bom", "utf-16", "utf-32", "nul", "latin-1", "large"],
)
def test_content_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    assert refusal(path) == expected


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: reading it would take an hour and a terabyte
    expected = "x.yaml:1: config: too large, 1,099,511,627,776 bytes: a config has at most 250,000"
    assert refusal(path) == expected


def test_missing_file(tmp_path: Path) -> None:
    reason = "the file cannot be read, no such file or directory: give the path of a YAML file"
    assert refusal(tmp_path / "x.yaml") == f"x.yaml: config: {reason}"


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").mkdir()
    reason = "not a regular file: give the path of a YAML file"
    assert refusal(tmp_path / "x.yaml") == f"x.yaml: config: {reason}"


def test_pipe_that_nobody_writes_to_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    assert "not a regular file" in refusal(tmp_path / "x.yaml")


def test_unprintable_path_stays_one_line(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a\nb\x1b[31m").startswith("a\\nb\\x1b[31m: config: the file cannot be read")
    assert refusal(tmp_path / "a\0b").startswith("a\\x00b: config: the file cannot be read, embedded null byte")
