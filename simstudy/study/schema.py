"""The shape of a config: keys, types and ranges, as far as they need no family."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Tag
from pydantic import ValidationError as SchemaError

from simstudy.inference.intervals import METHODS
from simstudy.study import names
from simstudy.study.analysis_keys import UNIQUE, Intervals, Mcse, Number, Precision, either
from simstudy.study.faults import BROKEN, Faults, Path, hint, show

MAX_SIZE = 10**9
MAX_REPLICATES = 10**9
MAX_SEED = 2**128 - 1
DEFAULT_LEVEL = 0.95
DEFAULT_MCSE = "influence"

_SIZE = f"a whole number from 1 to {MAX_SIZE:,}"

EXPECTED = {
    "": "a mapping with study, seed, replicates, sample_sizes and scenarios",
    "study": f"the name of the study, made of {names.RULE}",
    "seed": "a whole number from 0 to 2^128 - 1",
    "replicates": f"a whole number from 2 to {MAX_REPLICATES:,}",
    "sample_sizes": "a list such as [25, 50, 100], or {from: 25, to: 6400, ratio: 2}",
    "sample_sizes.*": _SIZE,
    "sample_sizes.from": _SIZE,
    "sample_sizes.to": _SIZE,
    "sample_sizes.ratio": "a number above 1, by which each sample size is multiplied",
    "level": "the nominal coverage of confidence intervals, a number between 0 and 1 such as 0.95",
    "intervals": f"a list of methods of confidence intervals, from {', '.join(METHODS)}",
    "intervals.*": f"a method of confidence intervals, one of {', '.join(METHODS)}",
    "mcse": "influence (the default, right for any estimator) or table6 (the textbook formulas)",
    "paths": "true, to follow nested samples of a few long draws as n grows, or false",
    "precision": (
        "a mapping of measures to the Monte Carlo standard errors to reach, such as "
        "{coverage: 0.002, scaled_covariance: 1%}"
    ),
    "precision.*": "a positive number such as 0.002, or a share of the measure's size such as 1%",
    "scenarios": "a list of scenarios, each with family and parameters",
    "scenarios.*": "a mapping with family and parameters",
    "name": f"the name of the scenario, made of {names.RULE}",
    "family": "the name of the family that draws the data",
    "parameters": "a mapping of parameter names to values, such as {shape: 2, scale: 1}",
    "parameters.*": "a finite number, or a list of finite numbers that cross",
    "fit": "the name of the fitted family, by default the one that draws the data",
    "known": (
        "a list of the parameters that are held at their values, such as [scale]; "
        "with values, such as {scale: 1}, where another family is fitted"
    ),
    "known.*": "the name of a parameter",
    "censoring": "a mapping with the time at which observations are cut, such as {time: 2}",
    "censoring.time": "a positive, finite number, the time at which observations are cut",
    "covariates": (
        "how the covariates of a regression are drawn: a mapping such as "
        "{family: gamma, parameters: {shape: 2, scale: 1}} for all, or a list with one for each"
    ),
    "covariates.*": "a mapping with family and parameters",
    "covariates.family": "the name of the family that draws the covariate",
    "covariates.parameters": "a mapping of parameter names to numbers, such as {shape: 2, scale: 1}",
    "covariates.parameters.*": "a finite number",
}
"""What each key must be, for messages and for the JSON Schema."""


def _valid_name(name: str) -> str:
    fault = names.fault(name)
    if fault:
        raise ValueError(fault)
    return name


def _whole(value: Any) -> Any:
    """Take 1e5 for the whole number that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_FORMS = ("<list>", "<dict>", "<number>", "<str>", "[key]")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _says(key: str, *, optional: bool = False) -> Any:
    """Describe a field; the default of an optional one is never looked at, and a factory keeps it unseen."""
    text = EXPECTED[key]
    return Field(default_factory=str, description=text) if optional else Field(description=text)


_NAME = {"pattern": names.PATTERN, "maxLength": names.MAX_LENGTH}

Name = Annotated[str, AfterValidator(_valid_name), Field(json_schema_extra=_NAME)]
Size = Annotated[int, Field(ge=1, le=MAX_SIZE), BeforeValidator(_whole)]
ReplicateCount = Annotated[int, Field(ge=2, le=MAX_REPLICATES), BeforeValidator(_whole)]
Level = Annotated[float, Field(gt=0, lt=1)]
Values = Annotated[
    Annotated[list[Number], Field(min_length=1), Tag("<list>")] | Annotated[Number, Tag("<number>")],
    either(list, "<number>"),
]


class Range(_Model):
    """Sample sizes in geometric progression: from, from·ratio, from·ratio², … rounded, as far as `to`."""

    start: Size = Field(alias="from", description=EXPECTED["sample_sizes.from"])
    to: Size = _says("sample_sizes.to")
    ratio: Annotated[Number, Field(gt=1)] = _says("sample_sizes.ratio")


Known = Annotated[
    Annotated[list[str], Field(json_schema_extra=UNIQUE), Tag("<list>")] | Annotated[dict[str, Number], Tag("<dict>")],
    either(dict, "<list>"),
]

Sizes = Annotated[
    Annotated[list[Size], Field(min_length=1, json_schema_extra=UNIQUE), Tag("<list>")]
    | Annotated[Range, Tag("<dict>")],
    either(dict, "<list>"),
]


class CensoringConfig(_Model):
    """Type-I right censoring: observations are cut at a time."""

    time: Annotated[Number, Field(gt=0)] = _says("censoring.time")


class CovariateConfig(_Model):
    """How a covariate is drawn."""

    family: str = _says("covariates.family")
    parameters: dict[str, Number] = _says("covariates.parameters")


Covariates = Annotated[
    Annotated[list[CovariateConfig], Field(min_length=1), Tag("<list>")] | Annotated[CovariateConfig, Tag("<dict>")],
    either(list, "<dict>"),
]


class ScenarioConfig(_Model):
    """One or, where lists of values cross, several data-generating mechanisms."""

    name: Name = _says("name", optional=True)
    family: str = _says("family")
    parameters: dict[str, Values] = _says("parameters")
    fit: str = _says("fit", optional=True)
    known: Known = _says("known", optional=True)
    censoring: CensoringConfig = _says("censoring", optional=True)
    covariates: Covariates = _says("covariates", optional=True)
    sample_sizes: Sizes = _says("sample_sizes", optional=True)
    replicates: ReplicateCount = _says("replicates", optional=True)
    level: Level = _says("level", optional=True)
    intervals: Intervals = _says("intervals", optional=True)
    mcse: Mcse = _says("mcse", optional=True)
    paths: bool = _says("paths", optional=True)
    precision: Precision = _says("precision", optional=True)


class StudyConfig(_Model):
    """A Monte Carlo study; sample_sizes, replicates and level hold where a scenario has none of its own."""

    study: Name = _says("study")
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = _says("seed")
    replicates: ReplicateCount = _says("replicates", optional=True)
    sample_sizes: Sizes = _says("sample_sizes", optional=True)
    level: Level = Field(DEFAULT_LEVEL, description=EXPECTED["level"])
    intervals: Intervals = _says("intervals", optional=True)
    mcse: Mcse = _says("mcse", optional=True)
    paths: bool = _says("paths", optional=True)
    precision: Precision = _says("precision", optional=True)
    scenarios: Annotated[list[ScenarioConfig], Field(min_length=1)] = _says("scenarios")


def check(data: Any, faults: Faults) -> None:
    """Note every key that is unknown or missing and every value of the wrong type or out of range."""
    try:
        StudyConfig.model_validate(data)
    except SchemaError as error:
        for found in error.errors(include_url=False, include_context=False):
            if found["input"] is not BROKEN:
                path = _place(found["loc"], data)
                faults.add(path, partial(_tell, path, found["type"], found["input"], found["msg"]))


def _place(steps: Path, data: Any) -> Path:
    """Drop from a location what names a form of the schema and no key or index of the data."""
    path: Path = ()
    for step in steps:
        known = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
        data = data[step] if step in known else data
        path = path if step in _FORMS and step not in known else (*path, step)
    return path


def _tell(path: Path, kind: str, value: Any, message: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown key{hint(str(path[-1]), _siblings(path))}"
    if kind == "missing":
        return f"is missing: give {EXPECTED[_key(path)]}"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    got = "an empty list" if value == [] else show(value)
    expected = EXPECTED.get(_key(path))
    return f"must be {expected}, got {got}" if expected else f"{message}, got {got}"


def _key(path: Path) -> str:
    """Return the key of a path in the table of what is expected."""
    steps = path[2:] if path[:1] == ("scenarios",) and len(path) > 2 else path
    if steps[:1] == ("covariates",) and len(steps) > 2 and isinstance(steps[1], int):
        steps = (steps[0], *steps[2:])
    for parameters in (("parameters",), ("covariates", "parameters")):
        if steps[: len(parameters)] == parameters and len(steps) > len(parameters):
            return ".".join((*parameters, "*"))
    if steps[:1] == ("precision",) and len(steps) > 1:
        return "precision.*"
    return ".".join("*" if isinstance(step, int) else step for step in steps)


def _siblings(path: Path) -> list[str]:
    """Return the keys that are known where an unknown one stands."""
    model: type[_Model] = ScenarioConfig if len(path) > 1 else StudyConfig
    inner: dict[str | int, type[_Model]] = {
        "sample_sizes": Range,
        "censoring": CensoringConfig,
        "covariates": CovariateConfig,
    }
    holders = [step for step in path[:-1] if not isinstance(step, int)]
    model = inner.get(holders[-1], model) if holders else model
    return [field.alias or name for name, field in model.model_fields.items()]
