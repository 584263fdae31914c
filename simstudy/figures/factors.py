"""The factors of a study, read from the names of its scenarios and their sample sizes."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd

Level = float | str
"""A level of a factor: a number, or a text such as the names of what is known."""
ABSENT = ""
"""The level of a factor that a scenario does not have."""

_PAIR = r"[^\W\d]\w*=[^=,]+"
_DERIVED = re.compile(rf"(?P<stem>.+?)-(?P<pairs>{_PAIR}(,{_PAIR})*)")


def parsed(name: str) -> tuple[str, dict[str, Level]]:
    """Return the stem of a derived name ``stem-key=value,key=value`` and its values; any other name is all stem.

    >>> parsed("normal-mean=-1,sd=1e-08,known=sd")
    ('normal', {'mean': -1.0, 'sd': 1e-08, 'known': 'sd'})
    >>> parsed("normal-fitted-to-t5"), parsed("my-a=1-b=2")
    (('normal-fitted-to-t5', {}), ('my-a=1', {'b': 2.0}))
    """
    match = _DERIVED.fullmatch(name)
    if match is None:
        return name, {}
    pairs = [pair.split("=") for pair in match["pairs"].split(",")]
    return match["stem"], {key: _level(value) for key, value in pairs}


def _level(text: str) -> Level:
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Factor:
    """A factor of a study.

    Attributes
    ----------
    name
        Such as ``n``, ``shape`` or ``family``.
    levels
        Its levels in order: numbers ascending, texts as they come in the study, and none at all first.
    places
        The level of each cell, as a place in ``levels``.
    """

    name: str
    levels: tuple[Level, ...]
    places: tuple[int, ...]


def cells(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the cells (scenario, n) of a study, in lexicographic order of their factors."""
    rows = summary.loc[summary["n"] > 0, ["scenario", "family", "n"]].drop_duplicates(["scenario", "n"])
    rows = rows.reset_index(drop=True)
    order = list(zip(*(factor.places for factor in factors(rows)), range(len(rows)), strict=True))
    return rows.iloc[[place for *_, place in sorted(order)]].reset_index(drop=True)


def factors(rows: pd.DataFrame) -> list[Factor]:
    """Return the factors of cells that take more than one level: the stem of the names, their keys, n last."""
    names = [parsed(name) for name in rows["scenario"]]
    stems = [stem for stem, _ in names]
    keys = dict.fromkeys(key for _, values in names for key in values)
    found = [_factor("family" if stems == list(rows["family"]) else "scenario", stems)]
    found += [_factor(key, [values.get(key, ABSENT) for _, values in names]) for key in keys]
    found.append(_factor("n", [float(n) for n in rows["n"]]))
    return [factor for factor in found if len(factor.levels) > 1]


def _factor(name: str, values: Sequence[Level]) -> Factor:
    met = list(dict.fromkeys(values))
    levels = sorted(met, key=lambda level: _rank(level, met))
    place: dict[Hashable, int] = {level: i for i, level in enumerate(levels)}
    return Factor(name, tuple(levels), tuple(place[value] for value in values))


def _rank(level: Level, met: Sequence[Level]) -> tuple[int, float]:
    if level == ABSENT:
        return 0, 0.0
    return (1, level) if isinstance(level, float) else (2, met.index(level))
