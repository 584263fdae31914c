"""Words that several parts of the report share."""

from __future__ import annotations

from collections.abc import Iterable


def grouped(count: int) -> str:
    """Return a count with its thousands grouped.

    >>> grouped(20000), grouped(640)
    ('20,000', '640')
    """
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "scenario"), counted(2000, "replicate")
    ('1 scenario', '2,000 replicates')
    """
    return f"{grouped(count)} {noun}" + ("" if count == 1 else "s")


def distinct(texts: Iterable[str]) -> list[str]:
    """Return each text once, in the order of their first places."""
    return list(dict.fromkeys(texts))
