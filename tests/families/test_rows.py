"""A data set's numbers do not depend, not by a bit, on the data sets that it is drawn and fitted with."""

from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest

from simstudy.contract.points import base_points, middle_points
from simstudy.families.status import Status
from simstudy.inference import Fit, fit
from simstudy.running.block import draw, estimate, simulate
from simstudy.study.replicates import Replicates, concatenate
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size
from tests.contract.user_families import Gumbel, Rayleigh
from tests.core_families import FAMILIES

USERS = {"rayleigh": Rayleigh(), "gumbel": Gumbel()}
# Rows in a block: more than a SIMD register holds, and not a multiple of that.
ROWS = 37
SAID = [field for field in fields(Fit) if not field.name.startswith("_")]


def assert_same_rows(found, expected, row, but=()):
    """Compare what is said of one data set, its iterations included."""
    for field in SAID:
        if field.name not in ("names", "size", *but):
            one, among = getattr(found, field.name), getattr(expected, field.name)[row]
            np.testing.assert_array_equal(one, among, err_msg=f"{field.name} of row {row}")


def subsets(names):
    return [known for count in range(len(names)) for known in combinations(names, count)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 50, 333])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_data_set_is_fitted_as_if_it_were_alone(name, n):
    family = FAMILIES[name]
    for seed, point in enumerate(base_points(family)):
        x = family.sample(np.random.default_rng(seed), point.base, (ROWS, n))
        together = fit(family, x)
        for row in range(0, ROWS, 3):
            assert_same_rows(fit(family, x[row]), together, row)


@pytest.mark.parametrize("n", [1, 2, 7, 50])
@pytest.mark.parametrize("name", USERS)
def test_also_by_numerical_defaults(name, n):
    """Only the default I(θ̂) is looked for with draws, shared by all rows; it is no part of the record."""
    family = USERS[name]
    for seed, point in enumerate(base_points(family)):
        x = family.sample(np.random.default_rng(seed), point.base, (ROWS, n))
        together = fit(family, x)
        for row in range(0, ROWS, 9):
            alone = fit(family, x[row])
            assert_same_rows(alone, together, row, but=["expected_information"])
            if alone.status is Status.CONVERGED:
                np.testing.assert_allclose(alone.expected_information, together.expected_information[row], rtol=1e-8)


@pytest.mark.parametrize("name", FAMILIES)
def test_also_where_parameters_are_known(name):
    family = FAMILIES[name]
    for point in middle_points(family):
        names = point.parametrisation.names
        values = dict(zip(names, point.phi, strict=True))
        x = family.sample(np.random.default_rng(4), point.base, (ROWS, 20))
        for known in subsets(names):
            held = {key: values[key] for key in known}
            together = fit(family, x, held, names)
            for row in range(0, ROWS, 6):
                assert_same_rows(fit(family, x[row], held, names), together, row)


@pytest.mark.parametrize("name", FAMILIES)
def test_degenerate_neighbours_do_not_matter(name):
    family = FAMILIES[name]
    point = base_points(family)[0]
    x = np.array(family.sample(np.random.default_rng(6), point.base, (9, 20)), dtype=float)
    alone = fit(family, x)
    worse = x.copy()
    worse[2], worse[4], worse[6, 3], worse[8, 0] = x[2, 0], 0.0, np.nan, np.inf
    among = fit(family, worse)
    for row in (0, 1, 3, 5, 7):
        for field in SAID:
            if field.name not in ("names", "size"):
                np.testing.assert_array_equal(getattr(alone, field.name)[row], getattr(among, field.name)[row])


@pytest.mark.parametrize("layout", ["Fortran order", "every other column", "read only", "list"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_layout_of_the_data_does_not_matter(name, layout):
    family = FAMILIES[name]
    x = np.asarray(family.sample(np.random.default_rng(7), base_points(family)[0].base, (ROWS, 30)))
    given = {"Fortran order": np.asfortranarray(x), "every other column": np.repeat(x, 2, axis=1)[:, ::2]}.get(
        layout, x
    )
    given = given.tolist() if layout == "list" else given
    if layout == "read only":
        given = x.copy()
        given.setflags(write=False)
    found, expected = fit(family, given), fit(family, x)
    for field in SAID:
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


CELLS = [
    Scenario(family.name, family.name, point.parametrisation.names, point.phi, family.name, known, 1, 1, 0.95)
    for family in FAMILIES.values()
    for point in middle_points(family)
    for known in subsets(point.parametrisation.names)
]


def label(cell):
    return f"{cell.family}-{'-'.join(cell.names)}-known-{'-'.join(cell.known) or 'none'}"


def assert_same_records(found, expected):
    for field in fields(Replicates):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


@pytest.mark.parametrize("n", [2, 16, 200, 2000])
@pytest.mark.parametrize("cell", CELLS, ids=label)
def test_a_run_of_blocks_is_its_blocks(cell, n):
    """A few blocks at once are bit for bit the blocks one by one, and start wherever one likes."""
    cell = replace(cell, n=n)
    last = 2 if n < 200 else 4
    single = [simulate(cell, 11, block, block) for block in range(last + 1)]
    assert all(len(part) == block_size(n) for part in single)
    assert_same_records(simulate(cell, 11, 0, last), concatenate(single))
    assert_same_records(simulate(cell, 11, 1, last), concatenate(single[1:]))


@pytest.mark.parametrize("n", [1, 20_000, 65_536, 300_000])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_run_of_blocks_is_its_blocks_at_any_size(name, n):
    family = FAMILIES[name]
    point = middle_points(family)[0]
    cell = Scenario(name, name, point.parametrisation.names, point.phi, name, (), n, 1, 0.95)
    single = [simulate(cell, 11, block, block) for block in range(3)]
    assert_same_records(simulate(cell, 11, 0, 2), concatenate(single))


@pytest.mark.parametrize("cell", [c for c in CELLS if not c.known], ids=label)
def test_a_replicate_is_replayed_alone(cell):
    """Drawing its block again and fitting one row gives the record of that replicate."""
    cell = replace(cell, n=40)
    record = simulate(cell, 5, 0, 1)
    size = block_size(cell.n)
    for replicate in (0, 17, size - 1, size, 2 * size - 1):
        x = draw(cell, 5, replicate // size)[replicate % size : replicate % size + 1]
        alone = estimate(cell, x)
        for field in fields(Replicates):
            np.testing.assert_array_equal(getattr(alone, field.name)[0], getattr(record, field.name)[replicate])
