"""Names of studies and scenarios: which are allowed, and how they are derived from parameters.

Names become folder names on every system, cells of tables and labels of figures; little is safe in all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from simstudy.study.faults import quoted

MAX_LENGTH = 100

PATTERN = r"^[A-Za-z0-9_]([A-Za-z0-9_.+=,-]*[A-Za-z0-9_+=,-])?$"
RULE = f"letters, digits and _ . + = , - (at most {MAX_LENGTH}, beginning with a letter, digit or _)"

_FOREIGN = re.compile(r"[^A-Za-z0-9_.+=,-]")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def fault(name: str) -> str | None:
    """Return what is wrong with a name, or None.

    >>> fault("weibull-shape=2.5")
    >>> fault("../x")
    "must consist of letters, digits and _ . + = , -, got '../x'"
    """
    if not 1 <= len(name) <= MAX_LENGTH:
        return f"must have 1 to {MAX_LENGTH} characters, got {len(name)}: {quoted(name)}"
    if _FOREIGN.search(name):
        return f"must consist of letters, digits and _ . + = , -, got {quoted(name)}"
    if not re.match(PATTERN, name):
        return f"must begin with a letter, a digit or _ and not end with a point, got {quoted(name)}"
    if _DEVICE.fullmatch(name):
        return f"is the name of a device on Windows: choose another than {quoted(name)}"
    return None


def number(value: float) -> str:
    """Write a number in as few characters as tell it from every other.

    >>> number(2.0), number(0.1), number(1e-8)
    ('2', '0.1', '1e-08')
    """
    return repr(float(value)).removesuffix(".0")


def derive(base: str, values: Mapping[str, float], known: Sequence[str] = (), censoring: float | None = None) -> str:
    """Append parameter values, what is held known, and a censoring time to the name of a family or scenario.

    >>> derive("weibull", {"shape": 2.5})
    'weibull-shape=2.5'
    >>> derive("normal", {"mean": 0.0, "sd": 1.0}, ["sd"])
    'normal-mean=0,sd=1,known=sd'
    """
    parts = [f"{name}={number(value)}" for name, value in values.items()]
    parts += [f"known={'+'.join(known)}"] if known else []
    parts += [f"censoring={number(censoring)}"] if censoring is not None else []
    return f"{base}-{','.join(parts)}" if parts else base
