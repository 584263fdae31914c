"""Configs: YAML to `Study` and back, with all faults of a config told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

import yaml

from simstudy.study import cells, precision, yaml_source
from simstudy.study.editor_schema import json_schema
from simstudy.study.faults import Faults
from simstudy.study.loading import load, loads
from simstudy.study.scenario import Scenario, Study

__all__ = ["from_dict", "json_schema", "load", "loads", "to_dict", "to_yaml"]


def from_dict(data: Mapping[str, Any], name: str = "config") -> Study:
    """Load a config from plain data, as `to_dict` returns them; raises as `load` does, without lines."""
    return cells.build(data, Faults(name))


def to_dict(study: Study) -> dict[str, Any]:
    """Return a study as a config in plain data (for JSON), nothing crossed and nothing left to a default.

    ``from_dict(to_dict(study)) == study`` for every study that was loaded; of the study of results, what was asked for.
    """
    groups = groupby(study.scenarios, key=lambda cell: replace(cell.asked, n=0))
    scenarios = [_scenario(first, [cell.n for cell in group]) for first, group in groups]
    return {"study": study.name, "seed": study.seed, "scenarios": scenarios}


def to_yaml(study: Study) -> str:
    """Return a study as a config in YAML; ``loads(to_yaml(study)) == study``."""
    return yaml.dump(to_dict(study), Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=100)


def _scenario(cell: Scenario, sample_sizes: list[int]) -> dict[str, Any]:
    observed: dict[str, Any] = {} if cell.censoring is None else {"censoring": {"time": cell.censoring}}
    if cell.covariates:
        observed["covariates"] = [
            {"family": c.family, "parameters": dict(zip(c.names, c.values, strict=True))} for c in cell.covariates
        ]
    return {
        "name": cell.name,
        "family": cell.family,
        "parameters": dict(zip(cell.names, cell.values, strict=True)),
        "fit": cell.fit,
        "known": list(cell.known) if cell.right else cell.known_values,
        **observed,
        "sample_sizes": sample_sizes,
        "replicates": cell.asked.replicates,
        "level": cell.level,
        "intervals": list(cell.intervals),
        "mcse": cell.mcse,
        **({"paths": True} if cell.paths else {}),
        **({"precision": {t.measure: precision.text(t) for t in cell.precision}} if cell.precision else {}),
    }


class _Dumper(yaml.SafeDumper):
    """Quotes text that YAML 1.2 takes for a number, such as 1e5, beside what YAML 1.1 does."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(yaml_source.scalar(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)
