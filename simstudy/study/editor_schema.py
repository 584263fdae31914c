"""The JSON Schema of a config, from which editors complete and check what is typed."""

from __future__ import annotations

from math import isfinite
from typing import Any

from simstudy.families import REGISTRY
from simstudy.families.base import Family
from simstudy.parameters import Parameter
from simstudy.study.schema import StudyConfig


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a config, with the parametrisations of every family."""
    schema = StudyConfig.model_json_schema(by_alias=True)
    scenario = schema["$defs"]["ScenarioConfig"]
    for key in ("family", "fit"):
        scenario["properties"][key]["enum"] = REGISTRY.names()
    schema["$defs"]["CovariateConfig"]["properties"]["family"]["enum"] = REGISTRY.names()
    scenario["allOf"] = [_family_rule(name, REGISTRY.find(name)) for name in REGISTRY.names()]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _family_rule(name: str, family: Family) -> dict[str, Any]:
    forms = [_numbered(family)] if family.numbered else [_form(form) for form in family.forms]
    return {
        "if": {"properties": {"family": {"const": name}}},
        "then": {"properties": {"parameters": {"anyOf": forms}}},
    }


def _numbered(family: Family) -> dict[str, Any]:
    """Describe parameters whose number is not fixed by the pattern of their names."""
    value = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1}]}
    pattern = f"^({family.numbered})$"
    return {"propertyNames": {"pattern": pattern}, "additionalProperties": value, "minProperties": 1}


def _form(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    return {
        "properties": {parameter.name: _one_or_more(parameter) for parameter in parameters},
        "required": [parameter.name for parameter in parameters],
        "additionalProperties": False,
    }


def _one_or_more(parameter: Parameter) -> dict[str, Any]:
    lower, upper = parameter.domain.lower, parameter.domain.upper
    one: dict[str, Any] = {"type": "integer" if parameter.domain.whole else "number"}
    one |= {"exclusiveMinimum": lower} if isfinite(lower) else {}
    one |= {"exclusiveMaximum": upper} if isfinite(upper) else {}
    description = f"{parameter.name}, {parameter.domain}"
    return {"description": description, "anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
