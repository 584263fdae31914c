"""Factors of a study, read from names."""

import itertools

import pandas as pd
import pytest

from simstudy.figures.factors import cells, factors, parsed
from simstudy.study import names


@pytest.mark.parametrize("base", ["gamma", "normal-fitted-to-student_t", "my-own.name", "a=1-b"])
@pytest.mark.parametrize("values", [{}, {"shape": 0.5}, {"loc": -1.0, "scale": 1e-8, "x1": 1e300}])
@pytest.mark.parametrize("known", [(), ("scale",), ("loc", "scale")])
@pytest.mark.parametrize("censoring", [None, 2.5])
def test_names_are_parsed_as_they_are_derived(base, values, known, censoring):
    found = values | ({"known": "+".join(known)} if known else {})
    found |= {} if censoring is None else {"censoring": censoring}
    if values or (not known and censoring is None):
        assert parsed(names.derive(base, values, known, censoring)) == (base, found)


@pytest.mark.parametrize("name", ["", "plain", "-a=1", "x-", "x-a=", "x-=1", "x-a=1,b", "尺度", "x-1=2"])
def test_other_names_are_all_stem(name):
    assert parsed(name) == (name, {})


def rows_of(levels: dict[str, dict[str, list[float]]], sizes=(10, 20)) -> pd.DataFrame:
    crossed = [
        (family, dict(zip(keys, point, strict=True)))
        for family, keys in levels.items()
        for point in itertools.product(*keys.values())
    ]
    records = [(names.derive(family, values), family, n) for n in sizes for family, values in crossed]
    return pd.DataFrame(records, columns=["scenario", "family", "n"])


def test_cells_come_in_lexicographic_order_of_their_factors():
    rows = rows_of({"weibull": {"shape": [10.0, 2.0], "scale": [1.0, 3.0]}, "gamma": {"shape": [2.0, 0.5]}})
    found = cells(rows)
    assert len(found) == 12
    keys = [
        (["weibull", "gamma"].index(stem), values["shape"], values.get("scale", 0.0), n)
        for (stem, values), n in zip(map(parsed, found["scenario"]), found["n"], strict=True)
    ]
    assert keys == sorted(keys)


def test_factors_have_more_than_one_level():
    rows = rows_of({"weibull": {"shape": [2.0], "scale": [1.0, 3.0]}, "normal": {"sd": [1.0]}}, sizes=(10,))
    found = {factor.name: factor.levels for factor in factors(cells(rows))}
    assert found == {"family": ("weibull", "normal"), "shape": ("", 2.0), "scale": ("", 1.0, 3.0), "sd": ("", 1.0)}


def test_stems_that_are_no_families_are_scenarios():
    rows = rows_of({"first": {"shape": [1.0, 2.0]}, "second": {"shape": [1.0, 2.0]}}).assign(family="gamma")
    assert [factor.name for factor in factors(cells(rows))] == ["scenario", "shape", "n"]


def test_rows_of_all_sizes_together_are_no_cells():
    rows = rows_of({"gamma": {"shape": [1.0, 2.0]}})
    assert len(cells(pd.concat([rows, rows.assign(n=0)]))) == len(rows)
