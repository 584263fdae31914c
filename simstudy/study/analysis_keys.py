"""Types of the keys of a config that say how a scenario is analysed: intervals, kind of error, and precision."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from simstudy.inference.intervals import METHODS
from simstudy.study import precision
from simstudy.study.faults import hint, show

MAX_TOLD = 20
"""Wrong targets of one mapping that are told at once."""

UNIQUE = {"uniqueItems": True}
Number = Annotated[float, Field(allow_inf_nan=False)]


def either(form: type, other: str) -> Discriminator:
    """Tell two forms of a value apart by its type, so that only the form meant is reported on."""
    return Discriminator(lambda value: f"<{form.__name__}>" if isinstance(value, form) else other)


def _method(name: str) -> str:
    if name not in METHODS:
        wrong = f"no method of confidence intervals is called {show(name)}{hint(name, list(METHODS))}"
        raise ValueError(wrong)
    return name


def _distinct(items: list[str]) -> list[str]:
    twice = [item for item in dict.fromkeys(items) if items.count(item) > 1]
    if twice:
        wrong = f"must name each method once, got {' and '.join(twice)} more than once"
        raise ValueError(wrong)
    return items


def _measures(targets: dict[str, Any]) -> dict[str, Any]:
    wrong = (said for name, value in targets.items() if (said := precision.wrong_target(name, value)))
    if faults := list(islice(wrong, MAX_TOLD)):
        raise ValueError("; ".join(faults))
    return targets


Method = Annotated[str, AfterValidator(_method), Field(json_schema_extra={"enum": list(METHODS)})]
Intervals = Annotated[list[Method], AfterValidator(_distinct), Field(min_length=1, json_schema_extra=UNIQUE)]
Mcse = Literal["influence", "table6"]
_Share = Annotated[str, Field(json_schema_extra={"pattern": precision.PATTERN})]
_Target = Annotated[
    Annotated[Number, Field(json_schema_extra={"exclusiveMinimum": 0}), Tag("<number>")]
    | Annotated[_Share, Tag("<str>")],
    either(str, "<number>"),
]
_TARGETS = {"propertyNames": {"enum": list(precision.MEASURES)}}
Precision = Annotated[dict[str, _Target], AfterValidator(_measures), Field(min_length=1, json_schema_extra=_TARGETS)]
