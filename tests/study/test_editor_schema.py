"""The JSON Schema that editors use agrees with the loader as far as a schema can."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.study import config


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = config.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def study(**scenario: Any) -> dict[str, Any]:
    gamma = {"family": "gamma", "parameters": {"shape": 2, "scale": 1}}
    return {"study": "s", "seed": 1, "replicates": 9, "sample_sizes": [9], "scenarios": [gamma | scenario]}


GOOD = {
    "plain": study(),
    "another parametrisation": study(parameters={"shape": 2, "mean": 3.5}),
    "crossing": study(parameters={"shape": [1, 2], "rate": 1}),
    "everything": study(name="g", known=["scale"], fit="gamma", level=0.9, replicates=1e5),
    "two shares": study(family="dirichlet", parameters={"alpha1": 1, "alpha2": [2, 3]}),
    "ten dimensions": study(
        family="multivariate_normal",
        sample_sizes=[20],
        parameters={f"mean{i}": 0 for i in range(1, 11)}
        | {f"cov{i}{'_' if 10 in (i, j) else ''}{j}": float(i == j) for i in range(1, 11) for j in range(i, 11)},
    ),
    "censored": study(censoring={"time": 2.5}),
    "covariates": study(
        family="logistic_regression",
        parameters={"intercept": 0, "slope1": [1, 2]},
        covariates={"family": "gamma", "parameters": {"shape": 2, "scale": 1}},
    ),
    "covariates one by one": study(
        family="linear_regression",
        parameters={"intercept": 0, "slope1": 1, "slope2": 1, "sd": 2},
        covariates=[{"family": "poisson", "parameters": {"mean": 2}}] * 2,
    ),
    "range": study(sample_sizes={"from": 10, "to": 100, "ratio": 2}),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_what_loads_is_valid(data: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    config.from_dict(data)
    validator.validate(data)


BAD = {
    "unknown family": study(family="gama"),
    "unknown key": study(nam="g"),
    "unknown parameter": study(parameters={"shape": 2, "skale": 1}),
    "missing parameter": study(parameters={"shape": 2}),
    "no parametrisation": study(parameters={"shape": 2, "scale": 1, "rate": 1}),
    "outside the domain": study(parameters={"shape": 2, "scale": 0}),
    "one of a list outside": study(parameters={"shape": [2, -1], "scale": 1}),
    "empty list": study(parameters={"shape": [], "scale": 1}),
    "text": study(parameters={"shape": "2", "scale": 1}),
    "path": study(name="../x"),
    "long name": study(name="x" * 101),
    "level": study(level=1),
    "one replicate": study(replicates=1),
    "n twice": study(sample_sizes=[9, 9]),
    "ratio": study(sample_sizes={"from": 10, "to": 100, "ratio": 1}),
    "censoring at nothing": study(censoring={}),
    "censoring at 0": study(censoring={"time": 0}),
    "covariates of an unknown family": study(
        family="logistic_regression",
        parameters={"intercept": 0, "slope1": 1},
        covariates={"family": "gama", "parameters": {}},
    ),
    "tenth slope": study(family="logistic_regression", parameters={"intercept": 0, "slope10": 1}),
    "known twice": study(known=["scale", "scale"]),
    "eleventh share": study(family="dirichlet", parameters={f"alpha{i}": 1 for i in range(1, 12)}),
    "covariance under the diagonal": study(
        family="multivariate_normal", parameters={"mean1": 0, "mean2": 0, "cov11": 1, "cov2_1": 0, "cov22": 1}
    ),
    "no seed": {key: value for key, value in study().items() if key != "seed"},
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_not_valid_does_not_load(data: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid(data)
    with pytest.raises(ConfigError):
        config.from_dict(data)


def test_every_parametrisation_of_every_family_is_described(
    validator: jsonschema.Draft202012Validator,
) -> None:
    for name, family in FAMILIES.items():
        for form in family.forms:
            values = {parameter.name: parameter.typical[1] for parameter in form}
            data = study(family=name, parameters=values)
            config.from_dict(data)
            validator.validate(data)
