import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from simstudy.analysis import packed


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_upper_then_full_is_the_identity(size):
    matrix = np.random.default_rng(size).standard_normal((size, size))
    matrix = matrix + matrix.T
    assert_array_equal(packed.full(packed.upper(matrix)), matrix)
    assert_array_equal(packed.diagonal(packed.upper(matrix)), np.diagonal(matrix))


def test_by_entry_makes_each_entry_contiguous():
    rows = np.arange(12.0).reshape(4, 3)
    assert packed.by_entry(rows).flags.c_contiguous
    assert_array_equal(packed.by_entry(rows)[1], rows[:, 1])


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_multiplicities_count_all_entries(size):
    assert packed.multiplicity(size * (size + 1) // 2).sum() == size**2


def test_products_are_the_outer_product():
    vectors = np.random.default_rng(0).standard_normal((3, 5))
    for r in range(5):
        assert_allclose(packed.full(packed.products(vectors)[:, r]), np.outer(vectors[:, r], vectors[:, r]))


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_inverse_diagonal_is_that_of_the_inverse_whatever_the_units(size):
    rng = np.random.default_rng(size)
    factors = rng.standard_normal((20, size, 2 * size))
    units = 10.0 ** rng.uniform(-8, 8, size)
    matrices = factors @ factors.transpose(0, 2, 1)
    expected = np.diagonal(np.linalg.inv(matrices), axis1=1, axis2=2).T / units[:, None] ** 2
    found = packed.inverse_diagonal(packed.upper(matrices * np.outer(units, units)))
    assert_allclose(found, expected, rtol=1e-9)


def test_inverse_diagonal_of_an_indefinite_matrix_is_nan_and_spares_its_neighbours():
    entries = np.array([[1.0, 1.0, 4.0], [2.0, 0.0, 2.0], [1.0, 2.0, 4.0]])
    with np.errstate(all="ignore"):
        found = packed.inverse_diagonal(entries)
    assert np.isnan(found[:, 0]).any()
    assert_allclose(found[:, 1], [1.0, 0.5])
    assert_allclose(found[:, 2], [1.0 / 3.0, 1.0 / 3.0])


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_sandwich_diagonal_is_that_of_the_product_whatever_the_units(size):
    rng = np.random.default_rng(size)
    units = 10.0 ** rng.uniform(-8, 8, size)
    bread, filling = (f @ f.transpose(0, 2, 1) for f in rng.standard_normal((2, 20, size, 2 * size)))
    inverse = np.linalg.inv(bread)
    expected = np.diagonal(inverse @ filling @ inverse, axis1=1, axis2=2).T / units[:, None] ** 2
    scaled = [packed.upper(matrices * np.outer(units, units)) for matrices in (bread, filling)]
    assert_allclose(packed.sandwich_diagonal(*scaled), expected, rtol=1e-8)


def test_sandwich_diagonal_of_an_indefinite_matrix_is_nan_and_spares_its_neighbours():
    entries = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 2.0]])
    with np.errstate(all="ignore"):
        found = packed.sandwich_diagonal(entries, np.ones((3, 2)))
    assert np.isnan(found[:, 0]).any()
    assert_allclose(found[:, 1], [1.0, 0.25])
