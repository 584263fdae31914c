"""What holds of any config that the grammar of the schema can make, and of any that is nearly one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.inference.intervals import METHODS
from simstudy.study import config, names, precision
from simstudy.study.scenario import Study
from simstudy.study.yaml_source import scalar

# Families with a few parametrisations, ranges and constants among them, and values that lie in every domain.
VALUES = {"shape": (0.5, 4.0), "scale": (0.5, 4.0), "rate": (0.5, 4.0), "mean": (0.5, 4.0), "sd": (0.5, 4.0)}
FORMS = [("gamma", ("shape", "scale")), ("gamma", ("shape", "rate")), ("gamma", ("shape", "mean"))]
FORMS += [("normal", ("mean", "sd")), ("weibull", ("shape", "scale")), ("exponential", ("rate",))]
LIFETIMES = {"gamma": ("scale", "shape"), "weibull": ("shape", "scale")}

# A busy machine is slow now and then, which says nothing about a config.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)

NAMES = st.from_regex(names.PATTERN, fullmatch=True).filter(lambda name: names.fault(name) is None)


def _numbers(low: float, high: float) -> st.SearchStrategy[float | list[float]]:
    one = st.floats(low, high)
    return one | st.lists(one, min_size=1, max_size=3, unique=True)


SIZES = st.lists(st.integers(20, 10**6), min_size=1, max_size=4, unique=True) | st.fixed_dictionaries(
    {"from": st.integers(20, 100), "to": st.integers(100, 10_000), "ratio": st.floats(1.5, 10.0)}
)
SHARE = st.integers(1, 50).map(lambda share: f"{share}%")
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "level": st.floats(0.01, 0.99),
    "intervals": st.lists(st.sampled_from(list(METHODS)), min_size=1, max_size=4, unique=True),
    "mcse": st.sampled_from(["influence", "table6"]),
    "paths": st.booleans(),
    "precision": st.dictionaries(
        st.sampled_from(precision.MEASURES), st.floats(1e-6, 10.0) | SHARE, min_size=1, max_size=3
    ),
}


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one scenario: any form, lists that cross, what is known, another family, a censoring time."""
    family, form = draw(st.sampled_from(FORMS))
    found: dict[str, Any] = {
        "family": family,
        "parameters": {name: draw(_numbers(*VALUES[name])) for name in draw(st.permutations(form))},
    }
    if family in LIFETIMES and draw(st.booleans()):
        found["fit"] = next(name for name in LIFETIMES if name != family)
        found["known"] = {
            name: draw(st.floats(0.5, 4.0)) for name in LIFETIMES[found["fit"]][: draw(st.integers(0, 1))]
        }
    elif draw(st.booleans()):
        found["known"] = list(form[: draw(st.integers(0, len(form) - 1))])
    if family in LIFETIMES and draw(st.booleans()):
        found["censoring"] = {"time": draw(st.floats(0.1, 100.0))}
    return found | draw(st.fixed_dictionaries({}, optional={**COMMON, "sample_sizes": SIZES}))


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a config in which every scenario has a name of its own, which no parameter values make too long."""
    rows = draw(st.lists(scenarios(), min_size=1, max_size=3))
    for number, row in enumerate(rows):
        row["name"] = f"{draw(NAMES)[:30].rstrip('.')}{number}"
    top = {"study": draw(NAMES), "seed": draw(st.integers(0, 2**128 - 1)), "replicates": draw(st.integers(2, 10**9))}
    common = draw(st.fixed_dictionaries({"sample_sizes": SIZES}, optional=COMMON))
    return top | common | {"scenarios": rows}


class Quoting(yaml.SafeDumper):
    """Quotes text that YAML 1.2 takes for a number."""


Quoting.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, None if isinstance(scalar(text), str) else "'"
    ),
)


def shuffled(data: Any, order: Sequence[int]) -> Any:
    """Return plain data with the keys of all mappings in another order, but for parameters, whose order crosses."""
    if isinstance(data, list):
        return [shuffled(item, order) for item in data]
    if not isinstance(data, dict):
        return data
    keys = sorted(data, key=lambda key: (order[sum(map(ord, key)) % len(order)], key))
    return {key: data[key] if key == "parameters" else shuffled(data[key], order) for key in keys}


def written(data: Any, flow: bool | None) -> str:
    return yaml.dump(data, Dumper=Quoting, sort_keys=False, default_flow_style=flow, allow_unicode=True)


@PATIENT
@given(configs(), st.permutations(range(11)), st.sampled_from([None, True, False]))
def test_any_config_of_the_grammar_loads_the_same_in_any_order_and_form(
    data: dict[str, Any], order: Sequence[int], flow: bool | None
) -> None:
    study = config.from_dict(data)
    assert config.loads(written(data, flow), "x.yaml") == study
    assert config.from_dict(shuffled(data, order)) == study
    assert config.loads(written(shuffled(data, order), flow)) == study


@PATIENT
@given(configs())
def test_any_config_of_the_grammar_is_written_and_read_again(data: dict[str, Any]) -> None:
    study = config.from_dict(data)
    plain = config.to_dict(study)
    assert config.from_dict(json.loads(json.dumps(plain))) == study
    assert config.to_dict(config.from_dict(plain)) == plain
    assert config.loads(config.to_yaml(study)) == study
    assert study.seed == data["seed"]
    assert {cell.n for cell in study.scenarios} >= {
        n
        for n in data["sample_sizes"]
        if isinstance(n, int) and any("sample_sizes" not in s for s in data["scenarios"])
    }


# ---- what is nearly a config ----

STRANGE = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([]), st.just({})),
    st.sampled_from(["..", "nul", "gamma", "shape", 2**200, "\x1b[31m", "\n", "x" * 300, [[1]], {"a": {"b": None}}]),
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


def mutated(data: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    """Return data in which what stands at a path is replaced, removed, wrapped, or given another key."""
    if not path:
        return value if how == "replace" else [data]
    copy = dict(data) if isinstance(data, dict) else list(data)
    key = path[0]
    if len(path) > 1 or how in ("replace", "wrap"):
        copy[key] = mutated(copy[key], path[1:], how, value) if len(path) > 1 else [copy[key], value][how == "replace"]
        copy[key] = [copy[key]] if len(path) == 1 and how == "wrap" else copy[key]
    else:
        gone = copy.pop(key)
        if how == "rename" and isinstance(copy, dict):
            copy[str(value)] = gone
    return copy


@PATIENT
@given(configs(), st.data())
def test_any_mutated_config_loads_or_every_fault_has_its_line(data: dict[str, Any], draw: st.DataObject) -> None:
    for _ in range(draw.draw(st.integers(1, 3))):
        how = draw.draw(st.sampled_from(["replace", "replace", "remove", "wrap", "rename"]))
        data = mutated(data, draw.draw(st.sampled_from(places(data))), how, draw.draw(STRANGE))
    text = json.dumps(data) if draw.draw(st.booleans()) else written(data, None)
    try:
        study = config.loads(text, "x.yaml")
    except ConfigError as error:
        faults = error.faults
    else:
        assert config.from_dict(config.to_dict(study)) == study
        return
    assert faults
    assert all(re.match(r"x\.yaml:[1-9]\d*: \S", fault) and fault.isprintable() for fault in faults)


# ---- names ----


def derived(rows: Sequence[dict[str, Any]]) -> Study | None:
    """Return the study of scenarios whose names are derived; None where two are the same."""
    head = {"study": "s", "seed": 1, "replicates": 100, "sample_sizes": [10**6]}
    unnamed = [{key: value for key, value in row.items() if key != "sample_sizes"} for row in rows]
    try:
        return config.from_dict(head | {"scenarios": unnamed})
    except ConfigError as error:
        faults = error.faults
    assert all("is also that of" in fault or "with its parameter values" in fault for fault in faults)
    return None


def mechanisms(study: Study) -> dict[str, tuple[Any, ...]]:
    return {
        cell.name: (cell.family, cell.names, cell.values, cell.fit, cell.known, cell.held, cell.censoring)
        for cell in study.scenarios
    }


@PATIENT
@given(st.lists(scenarios(), min_size=1, max_size=3), st.lists(scenarios(), max_size=2))
def test_derived_names_are_valid_unique_and_never_come_to_mean_another_mechanism(
    rows: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    before, after = derived(rows), derived([*rows, *more])
    if before is None or after is None:
        return
    assert all(names.fault(name) is None for name in after.names)
    assert len({name.casefold() for name in after.names}) == len(after.scenarios)
    old, new = mechanisms(before), mechanisms(after)
    assert all(new[name] == what for name, what in old.items() if name in new)
    assert list(new.values())[: len(old)] == list(old.values())


ANY_NAME = st.text() | st.text(alphabet="aZ0_.+=,-/\\ \n\0é~:", max_size=300) | NAMES
DEVICES = st.sampled_from(["con", "NUL", "Aux", "com1", "LPT9"])


@PATIENT
@given(ANY_NAME | st.builds("{}{}".format, DEVICES, st.sampled_from(["", ".", ".txt", ".a.b"])))
def test_what_is_allowed_can_be_a_file_directly_in_its_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    if names.fault(name) is not None:
        return
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    # As long as what a run adds to a name: an ending, and the name of the temporary file before it is moved.
    path = folder / f".{name}.html.{2**31}.tmp"
    assert (folder / name).resolve().parent == folder.resolve()
    assert Path(name).parts == (name,)
    assert len(path.name.encode()) <= 255
    path.write_bytes(b"")
    (folder / name).mkdir()
    assert {found.name for found in folder.iterdir()} == {name, path.name}
    path.unlink()
    (folder / name).rmdir()


@PATIENT
@given(st.sampled_from(sorted(FAMILIES)))
def test_every_family_has_a_name_that_a_scenario_may_have(family: str) -> None:
    assert names.fault(family) is None
