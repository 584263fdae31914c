"""``manifest.json``: config as run, seed, versions, platform, timings; whose study a folder is."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from simstudy import __version__
from simstudy.errors import ConfigError, ForeignResultsError, UnusableFileError, UnusableResultsError
from simstudy.files import StrangeFileError, read_file, told, write_atomically
from simstudy.running import plugins
from simstudy.running.lock import LOCK
from simstudy.running.record import NUMBERS_VERSION
from simstudy.study.config import from_dict, to_dict
from simstudy.study.scenario import Scenario, Study

NAME = "manifest.json"
FORMAT = 1
_PACKAGES = ("numpy", "scipy", "pandas", "joblib", "matplotlib", "seaborn")
_MADE = {"blocks", "paths", "quarantine", "figures", "data", "pages", "summary.csv", "report.html"}
_SEAL = "sha256"
_MOST_BYTES = 2**30


def versions() -> dict[str, str]:
    """Return the versions that numbers and figures may depend on."""
    found = {"simstudy": __version__, "python": platform.python_version()}
    return found | {name: metadata.version(name) for name in _PACKAGES}


def make(study: Study, command: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the manifest of a study about to be run.

    Parameters
    ----------
    command
        What reproduces the run, without anything that does not matter to its numbers.
    runs
        One entry per run so far: when, how long, jobs, replicates simulated.
    """
    return {
        "format": FORMAT,
        "numbers": NUMBERS_VERSION,
        "study": study.name,
        "seed": study.seed,
        "command": command,
        "config": to_dict(study),
        "versions": versions(),
        "platform": {
            "system": platform.system(),
            "release": platform.release(),
            "machine": platform.machine(),
        },
        **plugins.entry(study),
        "runs": runs,
    }


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, atomically."""
    sealed = {key: value for key, value in manifest.items() if key != _SEAL} | {_SEAL: _seal(manifest)}
    text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / NAME, text.encode())


def _seal(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all other keys, by which a changed digit is found that is no less valid."""
    rest = {key: value for key, value in manifest.items() if key != _SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a results folder.

    Raises
    ------
    UnusableResultsError
        If the folder has none, or it is of a later format.
    UnusableFileError
        If it is damaged.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        message = f"{folder}: no {NAME} in it; give the folder that a run wrote, such as results/quickstart"
        raise UnusableResultsError(message)
    try:
        with told(path, "read"):
            manifest = json.loads(read_file(path, _MOST_BYTES))
    except UnusableFileError as error:
        if isinstance(error.__cause__, StrangeFileError):
            raise _damaged(path, str(error.__cause__.strerror)) from error
        raise
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "not JSON") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("runs"), list):
        raise _damaged(path, "keys are missing")
    if manifest.get("format") != FORMAT:
        found = manifest.get("format")
        message = f"{path}: format {found!r}, this simstudy reads {FORMAT}; use the one that wrote it"
        raise UnusableResultsError(message)
    return manifest


def _damaged(path: Path, reason: str) -> UnusableFileError:
    return UnusableFileError(
        path, f"damaged: {reason}; run the study again, which writes it again if the stored replicates are its own"
    )


def study_of(folder: Path, manifest: Mapping[str, Any]) -> Study:
    """Return the study a manifest holds.

    Raises
    ------
    UnusableFileError
        If it is damaged.
    ConfigError
        If it needs a plug-in that is not loaded.
    """
    try:
        plugins.recorded(manifest)
    except (TypeError, AttributeError) as error:
        raise _damaged(folder / NAME, "its plugins cannot be read") from error
    plugins.check_loaded(folder, manifest)
    try:
        study = from_dict(manifest["config"])
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _damaged(folder / NAME, f"its config: {reason}") from error
    # Of another version of the numbers it is refused as such, whoever has written that into it.
    if manifest.get("numbers") == NUMBERS_VERSION and manifest.get(_SEAL, seal := _seal(manifest)) != seal:
        raise _damaged(folder / NAME, "characters were lost or changed")
    return study


def existing(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder to write into, or None where the folder is missing or empty.

    Raises
    ------
    ForeignResultsError
        If it holds other things and no manifest.
    UnusableFileError
        If the manifest is damaged, or all is there that a run makes but the manifest.
    """
    with told(folder, "read"):
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if NAME in names:
        return read(folder)
    if strange := sorted(name for name in names if not name.startswith(LOCK) and not name.endswith(".tmp")):
        if set(strange) <= _MADE:
            raise UnusableFileError(folder / NAME, "missing; run the study again")
        raise no_run(folder, strange[0])
    return None


def no_run(folder: Path, name: str) -> ForeignResultsError:
    """Say that a folder is none that a run has made, by something in it."""
    held = f"holds {name!r} and no {NAME}, so no run made it"
    return ForeignResultsError(f"{folder}: {held}; use another results folder or study name")


def check_same(folder: Path, manifest: Mapping[str, Any], study: Study) -> None:
    """Refuse a folder whose numbers are not those of the study.

    More replicates, other sample sizes or levels, scenarios added, removed or reordered are all fine.

    Raises
    ------
    ForeignResultsError
        With one line per key that differs.
    """
    old = study_of(folder, manifest)
    pairs = {"study": (old.name, study.name), "seed": (old.seed, study.seed)}
    pairs["numbers version"] = (manifest.get("numbers"), NUMBERS_VERSION)
    before, now = _definitions(old), _definitions(study)
    for name in before.keys() & now.keys():
        for key in before[name].keys() | now[name].keys():
            pairs[f"scenario '{name}', {key}"] = (before[name].get(key), now[name].get(key))
    lines = [_differs(folder, key, *pairs[key]) for key in sorted(pairs) if pairs[key][0] != pairs[key][1]]
    if lines:
        raise ForeignResultsError("\n".join(lines))
    kept = (scenario for scenario in study.scenarios if scenario.name in before)
    plugins.check_unchanged(folder, manifest, (name for scenario in kept for name in scenario.families))


def _differs(folder: Path, key: str, old: object, new: object) -> str:
    return (
        f"{folder}: made by another study: {key} was {_text(old)}, is now {_text(new)}; "
        "use another results folder or study name"
    )


def _text(value: object) -> str:
    return "absent" if value is None else str(value)


def _definitions(study: Study) -> dict[str, dict[str, object]]:
    """Return what the numbers of each scenario depend on, by its name."""
    return {scenario.name: _definition(scenario) for scenario in study.scenarios}


def _definition(scenario: Scenario) -> dict[str, object]:
    given = zip(scenario.names, scenario.values, strict=True)
    values: dict[str, object] = {f"parameter {name}": value for name, value in given}
    held = scenario.known_values.items() if scenario.held else ()
    known = ", ".join(f"{name} = {value:g}" for name, value in held) or ", ".join(sorted(scenario.known)) or "none"
    if scenario.censoring is not None:
        values["censoring"] = scenario.censoring
    if scenario.stored_intervals:
        values["intervals"] = (
            f"{', '.join(scenario.stored_intervals)} at level {scenario.level:g}, stored with the fits"
        )
    for number, covariate in enumerate(scenario.covariates, start=1):
        drawn = ", ".join(f"{name} = {value:g}" for name, value in zip(covariate.names, covariate.values, strict=True))
        values[f"covariate {number}"] = f"{covariate.family}({drawn})"
    return {"family": scenario.family, "fit": scenario.fit, "known": known, **values}
