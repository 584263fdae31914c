"""Counts: a data set's numbers do not depend, not by a bit, on the data sets that it is drawn and fitted with."""

from dataclasses import fields, replace

import numpy as np
import pytest

from simstudy.contract.points import all_points, middle_points
from simstudy.families import FAMILIES
from simstudy.inference import fit
from simstudy.running.block import simulate
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from tests.families.test_rows import ROWS, assert_same_rows, subsets

NAMES = ("binomial", "bernoulli", "geometric", "negative_binomial", "zero_inflated_poisson", "categorical")


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50, 333])
@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_fitted_as_if_it_were_alone(name, n):
    family = FAMILIES[name]
    for seed, point in enumerate(all_points(family)):
        names = point.parametrisation.names
        x = family.sample(np.random.default_rng(seed), point.base, (ROWS, n))
        together = fit(family, x, None, names)
        for row in range(0, ROWS, 9):
            assert_same_rows(fit(family, x[row], None, names), together, row)


@pytest.mark.parametrize("name", NAMES)
def test_also_beside_outliers_and_with_parameters_known(name):
    family = FAMILIES[name]
    for point in middle_points(family):
        names = point.parametrisation.names
        x = family.sample(np.random.default_rng(4), point.base, (ROWS, 20)).astype(float)
        x[1, 0], x[4], x[7, 3] = 1e6, x[4, 0], np.nan
        for known in subsets(names):
            held = {key: value for key, value in zip(names, point.phi, strict=True) if key in known}
            together = fit(family, x, held, names)
            for row in range(0, ROWS, 3):
                assert_same_rows(fit(family, x[row], held, names), together, row)


CELLS = [
    Scenario(
        family.name, family.name, (*form.names, *constants), (*point.phi, *constants.values()), family.name,
        (*known, *constants), 1, 1, 0.95,
    )
    for name in NAMES
    for family in [FAMILIES[name]]
    for constants in [{c.name: getattr(family, c.name) for c in family.constants}]
    for point in middle_points(family)
    for form in [point.parametrisation]
    for known in subsets(form.names)
]  # fmt: skip


@pytest.mark.parametrize("n", [2, 2000])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.family}-{'-'.join(cell.names)}-{'-'.join(cell.known)}")
def test_a_run_of_blocks_is_its_blocks(cell, n):
    cell = replace(cell, n=n)
    single = concatenate([simulate(cell, 11, block, block) for block in range(3)])
    joined = simulate(cell, 11, 0, 2)
    for field in fields(Replicates):
        np.testing.assert_array_equal(getattr(joined, field.name), getattr(single, field.name), err_msg=field.name)
