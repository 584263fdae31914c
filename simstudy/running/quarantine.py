"""Files that are not what they should be are moved into ``quarantine/`` and made again; nothing is ever deleted.

A file of a folder that is known to be this study's may go there. Where the manifest itself is unreadable, it is the
stored files that tell whose folder it is: each carries its identity.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from simstudy.errors import ForeignResultsError, UnusableFileError, UnusableResultsError
from simstudy.files import make_below, read_file, sync_folder, told
from simstudy.running import manifest, paths
from simstudy.running.progress import Display, Silent
from simstudy.running.record import DamagedRecordError, identity_of, record_identity
from simstudy.running.store import Store
from simstudy.study.scenario import Study

FOLDER = "quarantine"
WRITTEN = ("blocks", "paths", FOLDER)
"""The folders in which a run stores and moves files."""
MOST_BYTES = 2**30
"""Most bytes of a file whose study is not known."""
_SHOWN = 20
_SIZE = re.compile(r"n=[1-9]\d{0,17}")


def known_manifest(folder: Path, study: Study) -> dict[str, Any] | None:
    """Return the manifest of a folder that this study may be run in, None where it is new or has lost its manifest.

    Raises
    ------
    ForeignResultsError
        If the folder holds another study, or something else.
    """
    try:
        before = manifest.existing(folder)
        if before is not None:
            manifest.check_same(folder, before, study)
    except UnusableFileError as error:
        _check_own(folder, study, error)
        return None
    return before


def _check_own(folder: Path, study: Study, error: UnusableFileError) -> None:
    """Refuse a folder without a readable manifest if a whole file in it is another study's, or nothing tells whose."""
    found = [(path, _is_own(path, folder, study)) for path in _stored(folder)]
    lines = [
        f"{path}: made by another study, and {error.path.name} is damaged or missing; "
        "use another results folder or study name"
        for path, own in found
        if own is False
    ]
    if lines:
        more = [f"… and {len(lines) - _SHOWN} more files"] if len(lines) > _SHOWN else []
        raise ForeignResultsError("\n".join(lines[:_SHOWN] + more))
    evidence = any(own for _, own in found) or (folder / FOLDER / manifest.NAME).exists()
    if not os.path.lexists(error.path) and not evidence:
        raise manifest.no_run(folder, min(path.name for path in folder.iterdir() if not path.name.startswith(".")))


def _stored(folder: Path) -> Iterator[Path]:
    with told(folder, "read"):
        for name in ("blocks", "paths"):
            yield from sorted((folder / name).rglob("*.npz"))


def _is_own(path: Path, folder: Path, study: Study) -> bool | None:
    """Tell whether a whole file is one of this study, by the scenario and n of its place; None if it is not whole."""
    try:
        with told(path, "read"):
            found = identity_of(read_file(path, MOST_BYTES))
    except (UnusableFileError, DamagedRecordError):
        return None
    wanted = [json.loads(text) for text in _identities(path.relative_to(folder).parts, study)]
    changing = ("blocks", "paths")
    return any(_without(found, changing) == _without(each, changing) for each in wanted)


def _without(identity: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in identity.items() if key not in keys}


def _identities(place: tuple[str, ...], study: Study) -> Iterator[str]:
    if place[0] == "paths":
        names = {f"{each.scenario.name}.npz": each for each in paths.all_nested(study)}
        yield from (names[name].identity for name in place[1:] if name in names and len(place) == 2)
    elif len(place) == 4 and _SIZE.fullmatch(place[2]):
        cells = [cell for cell in study.scenarios if cell.name == place[1]][:1]
        sized = (replace(cell, n=int(place[2].removeprefix("n="))) for cell in cells)
        yield from (record_identity(cell, study.seed, 0, 0) for cell in sized)


def clear(folder: Path, study: Study, shown: Display, *, known: bool) -> None:
    """Move away the unusable files of a folder that is this study's; call it under the folder's lock.

    Parameters
    ----------
    known
        Whether its manifest is sound; else that is moved away as well.

    Raises
    ------
    UnusableResultsError
        If a file cannot be read or moved; those moved before are told.
    """
    put_all_away(folder, _unusable(folder, study, known), shown)


def put_all_away(folder: Path, errors: Iterable[UnusableResultsError], shown: Display) -> None:
    """Move away the files that errors are about, and tell; another error is raised."""
    tell = _to_stderr if isinstance(shown, Silent) else shown.note
    for error in errors:
        if not isinstance(error, UnusableFileError):
            raise error
        moved = put_away(folder, error.path)
        reason = str(error).removeprefix(f"{error.path}: ").rpartition(";")[0]
        tell(f"{error.path}: {reason}; moved to {moved.relative_to(folder)}, and made again")


def _unusable(folder: Path, study: Study, known: bool) -> Iterator[UnusableResultsError]:
    if not known and os.path.lexists(folder / manifest.NAME):
        try:
            manifest.study_of(folder, manifest.read(folder))
        except UnusableFileError as error:
            yield error
    for scenario in study.scenarios:
        yield from Store(folder, study.seed).check(scenario)
    for nested in paths.all_nested(study):
        yield from paths.check(folder, nested)


def put_away(folder: Path, path: Path) -> Path:
    """Move a file into quarantine under its path, with a number where that is taken, and return where it is."""
    wanted = folder / FOLDER / path.relative_to(folder)
    make_below(folder, wanted.parent)
    places = chain([wanted], (wanted.with_name(f"{wanted.name}.{number}") for number in count(1)))
    place = next(each for each in places if not os.path.lexists(each))
    with told(path, f"moved to {place}"):
        path.replace(place)
        sync_folder(place.parent)
        sync_folder(path.parent)
    return place


def _to_stderr(line: str) -> None:
    """Tell it even where no progress is wanted."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # nobody may be there to be told
        print(line, file=sys.stderr, flush=True)
