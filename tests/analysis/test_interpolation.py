"""Functions of very many points by splines: against the functions themselves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import interpolation
from simstudy.analysis.interpolation import FEW
from simstudy.analysis.streaming import run
from tests.analysis.rows import Table, values

TOLERANCE = 1e-6


def everywhere(function, points, tolerance, pieces=1):
    """The function at points (p, m), None where it cannot be had."""
    table = Table(pieces, values=points)
    found = run(table, interpolation.everywhere(function, values, points.shape[1], tolerance))
    return None if found is None else found(points)


class Counted:
    """A function of points (r, p) that knows at how many it was evaluated."""

    def __init__(self, function):
        self.function, self.rows = function, 0

    def __call__(self, points):
        self.rows += len(points)
        return np.stack(self.function(*points.T), axis=-1)


def cloud(size, count, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(size, count))
    points[0] += 2.0 * points[-1]
    return points


FUNCTIONS = {
    "of none": lambda x, y: (np.full_like(x, 2.0), np.zeros_like(x)),
    "of the first": lambda x, y: (np.tanh(x), np.exp(-(x**2) / 9.0)),
    "of the second": lambda x, y: (np.tanh(y), 1.0 + y),
    "of both": lambda x, y: (np.tanh(0.2 * (x + y)), np.cos(0.2 * (x - y))),
}


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_few_evaluations_do_for_many_points(name, pieces):
    points, function = cloud(2, 30_000), Counted(FUNCTIONS[name])
    found = everywhere(function, points, TOLERANCE, pieces)
    assert function.rows < 6_000
    error = np.abs(found - function(points.T).T)
    # What is verified at some points on average may be exceeded between them, far out by the root of their number.
    assert np.sqrt(np.mean(error**2)) < 3.0 * TOLERANCE
    assert error.max() < TOLERANCE * np.sqrt(30_000)


def test_few_points_are_computed_one_by_one():
    points, function = cloud(3, FEW), Counted(lambda x, y, z: (np.sin(20.0 * x * y * z),))
    assert_array_equal(everywhere(function, points, TOLERANCE), function(points.T).T)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y, z: (x + y * z,),
        lambda x, y, z: (np.sign(x),),
        lambda x, y, z: (np.where(x > 2.0, np.nan, x),),
        lambda x, y, z: (np.sin(500.0 * x),),
    ],
    ids=["three coordinates", "a jump", "not a number", "not smooth"],
)
def test_what_cannot_be_had_is_not_had(function):
    assert everywhere(Counted(function), cloud(3, 5_000), TOLERANCE) is None


def test_a_polynomial_of_fifth_degree_is_exact():
    points = cloud(1, 1_000)
    found = everywhere(Counted(lambda x: (x**5 - x**2,)), points, TOLERANCE)
    assert_allclose(found[0], points[0] ** 5 - points[0] ** 2, rtol=1e-9, atol=1e-9)
