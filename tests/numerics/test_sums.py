import math

import numpy as np
import pytest

from simstudy.numerics.sums import mean_product


@pytest.mark.parametrize("n", [1, 2, 7, 1000, 100_003])
def test_mean_product(n):
    first, second = np.random.default_rng(n).standard_normal((2, 3, n))
    expected = [math.fsum(a * b for a, b in zip(*row, strict=True)) / n for row in zip(first, second, strict=True)]
    # Each of n products and sums rounds by ε of the sum so far; their errors add up like a random walk, at most like n.
    bound = 2.0**-52 * n * np.abs(first * second).sum(axis=-1) / n
    assert (np.abs(mean_product(first, second) - expected) <= bound).all()


@pytest.mark.parametrize("n", [1, 5, 8, 333])
def test_a_row_does_not_depend_on_its_neighbours(n):
    first, second = np.random.default_rng(n).standard_normal((2, 67, n))
    together = mean_product(first, second)
    alone = [mean_product(first[r : r + 1], second[r : r + 1])[0] for r in range(67)]
    np.testing.assert_array_equal(together, alone)


def test_single_precision_stays_single():
    assert mean_product(np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)).dtype == np.float32
