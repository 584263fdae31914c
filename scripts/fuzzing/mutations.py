"""Changes a text at random into one that is nearly a config: pieces are cut, moved, repeated, or replaced by tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzzing.seeds import TOKENS

MAX_CHARACTERS = 300_000
"""A little more than a config may have."""

Mutation = Callable[[str, Random, Sequence[str]], str]

_WORD = re.compile(r"[^\s\[\]{},:#]+")


def mutate(text: str, rng: Random, corpus: Sequence[str]) -> str:
    """Return a text after one to six changes, most often few."""
    for _ in range(min(6, 1 + int(rng.expovariate(0.8)))):
        text = rng.choice(MUTATIONS)(text, rng, corpus)[:MAX_CHARACTERS]
    return text


def _span(text: str, rng: Random) -> tuple[int, int]:
    """Return a stretch, most often a short one."""
    start = rng.randint(0, len(text))
    return start, min(len(text), start + int(rng.expovariate(1 / rng.choice((1, 8, 60)))))


def _cut(text: str, rng: Random, corpus: Sequence[str]) -> str:
    start, end = _span(text, rng)
    return text[:start] + text[end:]


def _insert(text: str, rng: Random, corpus: Sequence[str]) -> str:
    start, end = _span(text, rng)
    return text[:start] + rng.choice(TOKENS) + text[rng.choice((start, end)) :]


def _word(text: str, rng: Random, corpus: Sequence[str]) -> str:
    """Put a token in the place of a word."""
    words = list(_WORD.finditer(text[:20_000]))
    if not words:
        return rng.choice(TOKENS)
    found = rng.choice(words)
    return text[: found.start()] + rng.choice(TOKENS) + text[found.end() :]


def _repeat(text: str, rng: Random, corpus: Sequence[str]) -> str:
    start, end = _span(text, rng)
    times = 2 ** rng.choice((1, 1, 1, 2, 3, 5, 8, 12, 17))
    return text[:end] + text[start:end] * min(times, MAX_CHARACTERS // max(1, end - start)) + text[end:]


def _character(text: str, rng: Random, corpus: Sequence[str]) -> str:
    start, _ = _span(text, rng)
    character = chr(rng.choice((rng.randrange(128), rng.randrange(0x3000), rng.randrange(0x110000))))
    return text[:start] + character + text[start + rng.randint(0, 1) :]


def _line(text: str, rng: Random, corpus: Sequence[str]) -> str:
    """Move, drop, double or indent a line."""
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    line = lines.pop(at) if rng.random() < 0.7 else lines[at]
    line = rng.choice((line, line, "  " + line, line.removeprefix("  "), "\t" + line))
    lines.insert(rng.randint(0, len(lines)), line)
    return "\n".join(lines)


def _splice(text: str, rng: Random, corpus: Sequence[str]) -> str:
    """Put a stretch of another text in."""
    other = rng.choice(corpus)
    start, end = _span(other, rng)
    at, _ = _span(text, rng)
    return text[:at] + other[start:end] + text[at:]


MUTATIONS: tuple[Mutation, ...] = (_cut, _insert, _word, _word, _repeat, _character, _line, _splice)
