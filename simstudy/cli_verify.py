"""The verb that checks a results folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from simstudy.cli_options import Plugins, ResultsFolder, load_plugins
from simstudy.cli_process import say

if TYPE_CHECKING:
    from simstudy.running.verify import Tally


def verify(results: ResultsFolder, plugin: Plugins = None) -> None:
    """Check every stored file of a results folder, and change nothing; exit code 5 if anything is wrong."""
    from simstudy import verification

    load_plugins(plugin)
    found = verification.tally(results)
    for line in [*found.faults, ", ".join(_counts(found))]:
        say(line)
    raise typer.Exit(5 if found.faults else 0)


def _counts(found: Tally) -> Iterator[str]:
    yield _several(len(found.faults), "fault")
    yield f"{_several(found.files, 'whole file')} with {found.rows:,} replicates, {found.size:,} bytes"
    if found.other:
        yield f"{_several(found.other, 'whole file')} that the study does not ask for"
    if found.quarantined:
        yield f"{_several(found.quarantined, 'file')} in quarantine"
    if found.holder:
        yield f"{found.holder} is at work there"


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
