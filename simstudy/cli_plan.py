"""What ``simstudy plan`` prints: replicates, time and disk that a wanted precision takes, and which measure decides."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby

from simstudy.cli_messages import human_bytes, table
from simstudy.errors import ConfigError
from simstudy.planning import Need, needs
from simstudy.running.backends import default_jobs
from simstudy.running.plan import human_seconds
from simstudy.study import precision
from simstudy.study.scenario import Study, Target

_HEADER = ("n", "measure", "MCSE", "replicates", "seconds", "disk", "")
_UNKNOWN = ("unknown", "", "")
_COLUMNS = 80
_DECIDES = "*"
_ROUGH = "~"


def targets(given: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets written as MEASURE=MCSE, such as ``coverage=0.002`` or ``scaled_covariance=1%``.

    Raises
    ------
    ConfigError
        If one is written otherwise, or says what no config may.
    """
    written: dict[str, float | str] = {}
    for text in given:
        name, found, value = (part.strip() for part in text.partition("="))
        if not found or name in written:
            wrong = "gives a measure twice" if found else "is no MEASURE=MCSE such as coverage=0.002"
            message = f"precision: '{text}' {wrong}; give each measure once, such as scaled_covariance=1%"
            raise ConfigError(message)
        written[name] = _number(value)
    return precision.checked(written) if given else ()


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def plan(study: Study, chosen: tuple[Target, ...] = (), pilot: int | None = None) -> str:
    """Return the table of what every cell needs, scenario by scenario, and what all of them take.

    Parameters
    ----------
    chosen
        Targets of the command line; without any, those of the config, or the defaults.
    pilot
        Replicates of the pilot.
    """
    found = needs(study, chosen, pilot)
    lines = table([_HEADER, *map(_row, found)], right=(0, 2, 3, 4, 5))
    parts = [lines[0]]
    rows = iter(lines[1:])
    for name, group in groupby(found, key=lambda need: need.scenario.name):
        parts += [name, *(next(rows) for _ in group)]
    return "\n".join([*parts, "", *map(_wrapped, _remarks(study, chosen, found))])


def _row(need: Need) -> tuple[str, ...]:
    cell = (f"{need.scenario.n:,}", need.target.measure, str(precision.text(need.target)))
    mark = _DECIDES if need.decides else ""
    if need.replicates is None:
        return *cell, *_UNKNOWN, mark
    about = _ROUGH if need.rough else ""
    return *cell, f"{about}{need.replicates:,}", f"{need.seconds:.2f}", human_bytes(need.size), mark


def _wrapped(line: str) -> str:
    return textwrap.fill(line, _COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _remarks(study: Study, chosen: tuple[Target, ...], found: Sequence[Need]) -> list[str]:
    deciding = [need for need in found if need.decides]
    known = [need for need in deciding if need.replicates is not None]
    pilots = sorted({need.pilot for need in found})
    span = f"{pilots[0]:,}" if len(pilots) == 1 else f"{pilots[0]:,} to {pilots[-1]:,}"
    return [
        f"{_DECIDES} the measure that decides; {_origin(study, chosen)}; pilot of {span} replicates a cell",
        *_rough(found),
        *_unknown(len(deciding) - len(known)),
        *_above_the_cap(deciding),
        _total(study, known),
    ]


def _origin(study: Study, chosen: tuple[Target, ...]) -> str:
    """Say whose targets these are."""
    if chosen:
        return "targets of the command line"
    own = {bool(scenario.precision) for scenario in study.scenarios}
    sources = [text for there, text in ((True, "of the config"), (False, "by default")) if there in own]
    return f"targets {' and '.join(sources)}"


def _rough(found: Sequence[Need]) -> list[str]:
    if not any(need.rough for need in found):
        return []
    return [f"{_ROUGH} rough: the halves of the pilot disagree by more than a factor 2; a longer --pilot tells more"]


def _unknown(count: int) -> list[str]:
    cells = "1 cell" if count == 1 else f"{count} cells"
    return [f"{cells}: the pilot could not compute the MCSE; a run would go to its cap"] if count else []


def _above_the_cap(deciding: Sequence[Need]) -> list[str]:
    above = [need for need in deciding if need.replicates is not None and need.replicates > need.scenario.replicates]
    if not above:
        return []
    return [f"{len(above)} of {len(deciding)} cells need more than the replicates that the config has for them"]


def _total(study: Study, known: Sequence[Need]) -> str:
    seconds, jobs = sum(need.seconds for need in known), default_jobs()
    return (
        f"{study.name}: {len(known)} cells, {sum(need.replicates or 0 for need in known):,} replicates; "
        f"about {human_seconds(seconds)} on one processor, {human_seconds(seconds / jobs)} on {jobs}; "
        f"{human_bytes(sum(need.size for need in known))} on disk"
    )
