"""What ``simstudy check-family`` prints: the laws one by one, and of those that fail by how much and where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from simstudy import api
from simstudy.cli_process import say
from simstudy.contract import LAWS, Finding, bound, chosen_laws
from simstudy.errors import ConfigError, one_line
from simstudy.families import REGISTRY
from simstudy.families.base import Family

FAILED = 3
"""Exit code where a law fails."""
_SHOWN = 10
_WIDTH = max(map(len, LAWS))


def check(name: str, seed: int, laws: str | None = None) -> int:
    """Check a family, or all families of a file, print the laws as they are checked, and return the exit code.

    Parameters
    ----------
    name
        Name of a family, or path of a Python file.
    seed
        Seed of the random numbers.
    laws
        Names of laws, with commas between; by default all.
    """
    names = api.load_plugin(name) if _is_file(name) else [name]
    chosen = None if laws is None else [law for law in re.split(r"[,\s]+", laws) if law]
    if chosen == []:
        message = f"laws: none is named: give some of {', '.join(LAWS)}"
        raise ConfigError(message)
    found = [api.family(each) for each in names]
    for family in found:
        chosen_laws(family, chosen)  # refuses before anything is printed
    return max(_check(family, seed, chosen) for family in found)


def _is_file(name: str) -> bool:
    return name.endswith(".py") or len(Path(name).parts) > 1


def _check(family: Family, seed: int, laws: Sequence[str] | None) -> int:
    failed, chosen, examined = 0, chosen_laws(family, laws), bound(family)
    say(_heading(family, examined))
    for law in chosen:
        findings = law.check(examined, seed)
        failed += any(not finding.passed for finding in findings)
        for line in _verdict(law.name, law.statement, findings):
            say(line)
    say(f"{family.name}: {failed} of {len(chosen)} laws fail" if failed else f"{family.name}: {_all(len(chosen))}")
    return FAILED if failed else 0


def _all(count: int) -> str:
    return "the law holds" if count == 1 else f"all {count} laws hold"


def _heading(family: Family, examined: Family) -> str:
    origin = REGISTRY.origin(family.name)
    source = f" from {origin.file} (sha256 {origin.sha256[:12]}…)" if origin else ""
    given = ", ".join(f"{c.name} = {getattr(examined, c.name, '?')}" for c in family.constants)
    return f"{family.name}{source}{f', with {given}' if given else ''}"


def _verdict(law: str, statement: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield one line of a law, and one for each of its failures, the worst first."""
    places = list(dict.fromkeys(finding.where for finding in findings))
    failures = [finding for finding in findings if not finding.passed]
    if not failures:
        yield f"  {law:{_WIDTH}}  {_held(findings, len(places))}"
        return
    missed = len({finding.where for finding in failures})
    yield f"  {law:{_WIDTH}}  FAILS  at {missed} of {_points(len(places))}: {statement}"
    for finding in sorted(failures, key=_severity)[:_SHOWN]:
        yield f"      {one_line(str(finding).removeprefix(f'{law} FAILS '))}"
    if len(failures) > _SHOWN:
        yield f"      … and {len(failures) - _SHOWN} more"


def _held(findings: Sequence[Finding], places: int) -> str:
    excepted = [finding.detail for finding in findings if finding.detail.startswith("excepted: ")]
    if excepted:
        return f"not checked, {one_line(excepted[0])}"
    return f"holds  at {_points(places)}" if places else "holds  with nothing to check"


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count} points"


def _severity(finding: Finding) -> float:
    """Return what sorts failures: those that raised first, then by error in units of the tolerance."""
    return -finding.error / max(finding.tolerance, 1e-300) if finding.error == finding.error else -float("inf")
