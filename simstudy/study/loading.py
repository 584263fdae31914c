"""Loading a config; what is no YAML is refused before the families, which take most of the time, are imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simstudy.study import text_source, yaml_source
from simstudy.study.faults import Faults, show

if TYPE_CHECKING:
    from simstudy.study.scenario import Study


def load(path: str | Path, replicates: int | None = None) -> Study:
    """Load a YAML config.

    Parameters
    ----------
    path
        The file.
    replicates
        Number of replicates of every scenario, in place of what the config says.

    Returns
    -------
    Study
        Scenarios in the order of the config, then n ascending.

    Raises
    ------
    ConfigError
        All faults at once, each ``file:line: where: what is wrong, what was got, what to do``.
    """
    if replicates is not None:
        _check_replicates(replicates)
    study = loads(text_source.read(path), str(path))
    if replicates is None:
        return study
    return replace(study, scenarios=tuple(replace(cell, replicates=replicates) for cell in study.scenarios))


def loads(text: str, name: str = "<text>") -> Study:
    """Load a config from YAML text, which messages call ``name``; raises as `load` does."""
    data, faults = yaml_source.parse(text, name)
    from simstudy.study import cells

    return cells.build(data, faults)


def _check_replicates(replicates: int) -> None:
    from simstudy.study.schema import EXPECTED, MAX_REPLICATES

    if type(replicates) is not int or not 2 <= replicates <= MAX_REPLICATES:
        faults = Faults("argument")
        raise faults.fatal(("replicates",), f"must be {EXPECTED['replicates']}, got {show(replicates)}")
