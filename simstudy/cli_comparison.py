"""What the command line prints of two studies beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from simstudy import comparison
from simstudy.cli_messages import table as aligned
from simstudy.cli_process import say
from simstudy.errors import ConfigError
from simstudy.figures.wording import number

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 50
"""Rows that differ, largest |z| first, shown one by one."""


def show(first: Path, second: Path, level: float) -> int:
    """Print which measures differ and return the exit code: 3 where any does, otherwise 0.

    Raises
    ------
    ConfigError
        If no row is in both, so that nothing is compared.
    """
    found = comparison.compare(first, second, level)
    if found["verdict"].isin((comparison.ONLY_FIRST, comparison.ONLY_SECOND)).all():
        message = (
            f"compare: {first} and {second} have no row in common, so nothing can differ; "
            "give studies that share names of scenarios and sample sizes"
        )
        raise ConfigError(message)
    for line in _lines(found, level):
        say(line)
    return 3 if (found["verdict"] == comparison.DIFFERS).any() else 0


def _lines(found: pd.DataFrame, level: float) -> Iterator[str]:
    counts = found["verdict"].value_counts()
    differing = found[found["verdict"] == comparison.DIFFERS]
    if len(differing):
        yield from _table(differing)
    yield (
        f"{len(differing)} of {int(found['verdict'].isin(_MATCHED).sum()):,} rows differ beyond Monte Carlo error, "
        f"at a familywise level of {1 - level:g} (Holm over {found.attrs['compared']:,} tests); "
        f"{counts.get(comparison.IDENTICAL, 0):,} are identical"
    )
    if missing := counts.get(comparison.NOT_COMPARED, 0):
        yield f"{missing:,} rows are not compared: an estimate or its Monte Carlo error is missing"
    for verdict in (comparison.ONLY_FIRST, comparison.ONLY_SECOND):
        if counts.get(verdict, 0):
            alone = found[found["verdict"] == verdict]["measure"].value_counts(sort=False)
            yield f"{verdict}: {', '.join(f'{count:,} rows of {name}' for name, count in alone.items())}"
    shared = [name for name in found.attrs["shared"] if (_verdicts(found, name) != comparison.IDENTICAL).any()]
    if shared:
        yield (
            f"same seed and mechanism in {', '.join(shared)}: the data sets are the same, so differences are less "
            "noisy than z takes them for, and rows that agree may differ all the same"
        )


def _verdicts(found: pd.DataFrame, scenario: str) -> pd.Series:
    return found.loc[found["scenario"] == scenario, "verdict"]


_MATCHED = (comparison.IDENTICAL, comparison.AGREES, comparison.DIFFERS)


def _table(differing: pd.DataFrame) -> list[str]:
    """Return the table of the rows that differ; what differs without Monte Carlo error has no z and comes first."""
    order = differing["z"].abs().fillna(float("inf")).sort_values(ascending=False, kind="stable").index
    head = ("scenario", "n", "measure", "estimator", "entry", "first ± MCSE", "second ± MCSE", "z", "adjusted p")
    rows = [_row(row) for _, row in differing.loc[order[:SHOWN]].iterrows()]
    left = len(order) - len(rows)
    more = [f"… and {left:,} more rows"] if left else []
    return [*aligned([head, *rows], right=(1, 7, 8)), *more, ""]


def _signed(z: float) -> str:
    return f"{z:.2f}".replace("-", "−")


def _small(p: float) -> str:
    return f"{p:.2g}" if p > 0.0 else "<1e-300"


def _row(row: pd.Series) -> tuple[str, ...]:
    values = [f"{number(row[f'value_{i}'], 6)} ± {number(row[f'mcse_{i}'], 2)}" for i in (1, 2)]
    entry = " × ".join(filter(None, [str(row["row"]), str(row["column"])]))
    tested = (_signed(row["z"]), _small(row["p_adjusted"])) if row["z"] == row["z"] else ("", "exact")
    return str(row["scenario"]), str(row["n"]), str(row["measure"]), str(row["estimator"]), entry, *values, *tested
