"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers.

    >>> print(table(["family", "ns"], [["normal", "12.0"]]))
    | family | ns |
    |---|--:|
    | normal | 12.0 |
    """
    rule = "|---|" + "--:|" * (len(header) - 1)
    return "\n".join([_row(header), rule, *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def seconds(value: float) -> str:
    """Return a duration to two or three digits.

    >>> seconds(0.0000123), seconds(0.0045), seconds(1.234), seconds(123.4)
    ('12.3 µs', '4.50 ms', '1.23 s', '123 s')
    """
    unit, size = next((pair for pair in _UNITS if value >= pair[1]), _UNITS[-1])
    scaled = value / size
    digits = 0 if scaled >= 100 else 1 if scaled >= 10 else 2
    return f"{scaled:.{digits}f} {unit}"
