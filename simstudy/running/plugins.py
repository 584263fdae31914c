"""Which plug-ins a results folder was made with, as its manifest says, and whether these are the ones at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simstudy.errors import ConfigError, ForeignResultsError
from simstudy.families import REGISTRY
from simstudy.families.plugin import Origin
from simstudy.study.scenario import Study

KEY = "plugins"
_DIGITS = 12


def entry(study: Study) -> dict[str, dict[str, dict[str, str]]]:
    """Return what the manifest says of the plug-ins of a study: nothing where it needs none."""
    found = REGISTRY.origins(name for scenario in study.scenarios for name in scenario.families)
    said = {name: {k: v for k, v in asdict(origin).items() if v} for name, origin in found.items()}
    return {KEY: said} if said else {}


def recorded(manifest: Mapping[str, Any]) -> dict[str, Origin]:
    """Return the families of plug-ins that a manifest names (TypeError or AttributeError where it is damaged)."""
    return {str(name): Origin(**said) for name, said in manifest.get(KEY, {}).items()}


def check_loaded(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a folder made with plug-ins that are not loaded; none is ever loaded because a manifest names it.

    Raises
    ------
    ConfigError
        With one line for each plug-in.
    """
    missing: dict[Origin, list[str]] = {}
    for name, origin in recorded(manifest).items():
        if REGISTRY.get(name) is None:
            missing.setdefault(origin, []).append(name)
    if missing:
        raise ConfigError(
            f"{folder}: made with the plug-in {origin.file}, which defines {', '.join(names)} and is not loaded: "
            f"{origin.remedy}"
            for origin, names in missing.items()
        )


def check_unchanged(folder: Path, manifest: Mapping[str, Any], families: Iterable[str]) -> None:
    """Refuse a folder that was made with other plug-ins, as far as these families go.

    Raises
    ------
    ForeignResultsError
        With one line for each family.
    """
    names = sorted(set(families))
    before, now = recorded(manifest), REGISTRY.origins(names)
    lines = [
        f"{folder}: the plug-in changed: '{name}' was {_text(before.get(name))}, is now {_text(now.get(name))}; "
        "use another results folder or study name, or the plug-in as it was"
        for name in names
        if _sha256(before.get(name)) != _sha256(now.get(name))
    ]
    if lines:
        raise ForeignResultsError("\n".join(lines))


def _sha256(origin: Origin | None) -> str:
    return origin.sha256 if origin else ""


def _text(origin: Origin | None) -> str:
    return f"of {origin.file} (sha256 {origin.sha256[:_DIGITS]}…)" if origin else "built in"
