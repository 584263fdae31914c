"""Results folders that are to be joined: which they are, that they are of one study, and which study that is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simstudy.errors import ConfigError, ForeignResultsError
from simstudy.files import told
from simstudy.running import manifest
from simstudy.running.shards import parse
from simstudy.study.config import to_dict
from simstudy.study.scenario import Study


@dataclass(frozen=True)
class Source:
    """A results folder, its manifest and study."""

    folder: Path
    manifest: dict[str, Any]
    study: Study


def opened(folder: Path) -> Source:
    """Return the results folder given, or the only one in it.

    Raises
    ------
    ConfigError
        If there are several in it, or one needs a plug-in that is not loaded.
    UnusableResultsError
        If there is none, or its manifest is damaged.
    """
    found = folder
    if folder.is_dir() and not (folder / manifest.NAME).exists():
        with told(folder, "read"):
            inside = sorted(path.parent for path in folder.glob(f"*/{manifest.NAME}"))
        if len(inside) > 1:
            names = ", ".join(path.name for path in inside[:5])
            message = f"{folder}: holds the results of several studies: {names}; give one of them"
            raise ConfigError(message)
        found = inside[0] if inside else folder
    content = manifest.read(found)
    return Source(found, content, manifest.study_of(found, content))


def each_once(folders: Iterable[Path]) -> list[Source]:
    """Open folders, each once, however often and by whatever name it is given."""
    found: dict[Path, Source] = {}
    for folder in folders:
        source = opened(folder)
        found.setdefault(source.folder.resolve(), source)
    return list(found.values())


def whole_study(sources: Sequence[Source]) -> Source:
    """Return the source whose study asks for all that any of them asks for, such as the largest R.

    Raises
    ------
    ForeignResultsError
        If they are not of one study, or none asks for all.
    ConfigError
        If a scenario stops by precision.
    """
    _check_same(sources)
    largest = [each for each in sources if all(_covers(each.study, other.study) for other in sources)]
    if not largest:
        raise ForeignResultsError(_none_largest(sources))
    first, *others = largest
    for other in others:
        if to_dict(other.study) != to_dict(first.study):
            said = "their configs differ in more than replicates, such as in level"
            message = f"{other.folder}, {first.folder}: {said}; run one of them again with the config that is wanted"
            raise ForeignResultsError(message)
    for scenario in first.study.scenarios:
        if scenario.precision:
            reason = "stops at a precision, so no shards can have made it"
            message = f"{first.folder}: scenario '{scenario.name}' {reason}; use simstudy run, which goes on with it"
            raise ConfigError(message)
    return first


def _check_same(sources: Sequence[Source]) -> None:
    first, lines = sources[0], list[str]()
    for other in sources[1:]:
        try:
            manifest.check_same(other.folder, other.manifest, first.study)
        except ForeignResultsError as error:
            lines += [f"{line} (now: as in {first.folder})" for line in str(error).splitlines()]
    manifest.check_same(first.folder, first.manifest, first.study)  # the version of its numbers, and plug-ins
    if lines:
        raise ForeignResultsError("\n".join(lines))


def _covers(study: Study, other: Study) -> bool:
    """Tell whether a study has every cell of another with at least its replicates."""
    replicates = {cell.place: cell.replicates for cell in study.scenarios}
    return all(replicates.get(cell.place, 0) >= cell.replicates for cell in other.scenarios)


def _none_largest(sources: Sequence[Source]) -> str:
    """Say which cell of which study another study lacks."""
    for one in sources:
        for other in sources:
            have = {cell.place: cell.replicates for cell in one.study.scenarios}
            for cell in other.study.scenarios:
                if have.get(cell.place, 0) < cell.replicates and not _covers(other.study, one.study):
                    asked = f"scenario '{cell.name}', n = {cell.n}, {cell.replicates:,} replicates"
                    return (
                        f"{one.folder}, {other.folder}: each asks for what the other does not, of which {asked}; "
                        "run the study that is wanted in one of them first"
                    )
    return f"{sources[0].folder}: no study among those given asks for all cells; run the one that is wanted first"


def all_runs(sources: Iterable[Source]) -> list[dict[str, Any]]:
    """Return what the manifests say of all runs, each once, in the order in which they began."""
    runs = {json.dumps(entry, sort_keys=True): entry for source in sources for entry in source.manifest["runs"]}
    return [runs[text] for text in sorted(runs, key=lambda text: (_began(runs[text]), text))]


def _began(entry: object) -> str:
    return str(entry.get("started", "")) if isinstance(entry, dict) else ""


def number_of_shards(sources: Iterable[Source]) -> int | None:
    """Return the N of the latest shard k/N that the manifests tell of."""
    found = None
    for entry in all_runs(sources):
        with contextlib.suppress(ConfigError, AttributeError):
            found = parse(str(entry.get("shard"))).of
    return found
