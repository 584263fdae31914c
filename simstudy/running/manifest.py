"""``manifest.json``: config as run, seed, versions, platform, timings; whose study a folder is."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from simstudy import __version__
from simstudy.errors import ConfigError, ForeignResultsError, UnusableResultsError
from simstudy.files import told, write_atomically
from simstudy.running import plugins
from simstudy.running.lock import LOCK
from simstudy.running.record import NUMBERS_VERSION
from simstudy.study.config import from_dict, to_dict
from simstudy.study.scenario import Scenario, Study

NAME = "manifest.json"
FORMAT = 1
_PACKAGES = ("numpy", "scipy", "pandas", "joblib", "matplotlib", "seaborn")


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
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(folder / NAME, text.encode())


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a results folder.

    Raises
    ------
    UnusableResultsError
        If the folder has none, or it is damaged or of a later format.
    """
    path = folder / NAME
    if not path.is_file():
        message = f"{folder}: no {NAME} in it; give the folder that a run wrote, such as results/quickstart"
        raise UnusableResultsError(message)
    with told(path, "read"):
        content = path.read_bytes()
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableResultsError(_damaged(path, "not JSON")) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("runs"), list):
        raise UnusableResultsError(_damaged(path, "keys are missing"))
    if manifest.get("format") != FORMAT:
        found = manifest.get("format")
        message = f"{path}: format {found!r}, this simstudy reads {FORMAT}; use the one that wrote it"
        raise UnusableResultsError(message)
    return manifest


def _damaged(path: Path, reason: str) -> str:
    return f"{path}: damaged: {reason}; restore it, or delete it with the folder and run again"


def study_of(folder: Path, manifest: Mapping[str, Any]) -> Study:
    """Return the study a manifest holds.

    Raises
    ------
    UnusableResultsError
        If its config is damaged.
    ConfigError
        If it needs a plug-in that is not loaded.
    """
    try:
        plugins.recorded(manifest)
    except (TypeError, AttributeError) as error:
        raise UnusableResultsError(_damaged(folder / NAME, "its plugins cannot be read")) from error
    plugins.check_loaded(folder, manifest)
    try:
        return from_dict(manifest["config"])
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnusableResultsError(_damaged(folder / NAME, f"its config: {reason}")) from error


def existing(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a folder to write into, or None where the folder is missing or empty.

    Raises
    ------
    ForeignResultsError
        If it holds other things and no manifest.
    """
    with told(folder, "read"):
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if NAME in names:
        return read(folder)
    if strange := sorted(name for name in names if not name.startswith(LOCK) and not name.endswith(".tmp")):
        held = f"holds {strange[0]!r} and no {NAME}, so no run made it"
        message = f"{folder}: {held}; use another results folder or study name"
        raise ForeignResultsError(message)
    return None


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
