import numpy as np
import pytest

from simstudy.numerics import symmetric

EPS = 2.0**-52


def matrices(size, rows=5, seed=0):
    """Positive definite matrices (rows, size, size) with eigenvalues between 1 and about 10."""
    root = np.random.default_rng(seed).standard_normal((rows, size, size))
    return np.eye(size) + root @ root.swapaxes(-1, -2) / size


def entries(full):
    return list(symmetric.pack(full).T)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_packed_order_is_the_upper_triangle_row_by_row(size):
    expected = [(i, j) for i in range(size) for j in range(i, size)]
    assert list(symmetric.pairs(size)) == expected
    assert [symmetric.position(i, j, size) for i, j in expected] == list(range(len(expected)))
    assert [symmetric.position(j, i, size) for i, j in expected] == list(range(len(expected)))
    assert symmetric.order(len(expected)) == size


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pack_and_unpack_are_inverse(size):
    full = matrices(size)
    packed = symmetric.pack(full)
    assert packed.shape == (5, size * (size + 1) // 2)
    np.testing.assert_array_equal(symmetric.unpack(packed), full)


def test_structural_zeros_and_ones_cost_nothing():
    x = np.array([1.0, 2.0])
    assert symmetric.times(x, 1.0) is x
    assert symmetric.times(x, 0.0, x) == 0.0
    assert symmetric.plus(0.0, x, 0.0) is x
    assert symmetric.is_zero(symmetric.plus())
    np.testing.assert_array_equal(symmetric.plus(x, x), [2.0, 4.0])
    np.testing.assert_array_equal(symmetric.times(x, -1.0, x), [-1.0, -4.0])


def test_an_array_of_zeros_is_no_structural_zero():
    zeros = np.zeros(2)
    assert not symmetric.is_zero(zeros)
    assert not symmetric.is_zero(np.float64(0.0))
    with np.errstate(invalid="ignore"):
        assert np.isnan(symmetric.times(zeros, np.array([np.inf, 1.0]))[0])


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_congruence(size, columns):
    full = matrices(size)
    jacobian = np.random.default_rng(1).standard_normal((5, size, columns))
    rows = [[jacobian[:, i, j] for j in range(columns)] for i in range(size)]
    found = symmetric.unpack(symmetric.fill(symmetric.congruence(entries(full), rows), 5))
    expected = jacobian.swapaxes(-1, -2) @ full @ jacobian
    size_of_terms = np.abs(jacobian.swapaxes(-1, -2)) @ np.abs(full) @ np.abs(jacobian)
    assert (np.abs(found - expected) <= 8 * EPS * size_of_terms).all()


def test_congruence_with_structural_entries():
    full = matrices(2)
    found = symmetric.congruence(entries(full), ((1.0, 0.0), (0.0, 2.0)))
    np.testing.assert_array_equal(found[0], full[:, 0, 0])
    np.testing.assert_array_equal(found[1], 2.0 * full[:, 0, 1])
    np.testing.assert_array_equal(found[2], 4.0 * full[:, 1, 1])
    diagonal = symmetric.congruence([full[:, 0, 0], 0.0, full[:, 1, 1]], ((1.0, 0.0), (0.0, 1.0)))
    assert symmetric.is_zero(diagonal[1])


def test_pull_back():
    vector = np.random.default_rng(2).standard_normal((5, 3))
    jacobian = np.random.default_rng(3).standard_normal((5, 3, 2))
    rows = [[jacobian[:, i, j] for j in range(2)] for i in range(3)]
    found = np.stack(symmetric.pull_back(list(vector.T), rows), axis=-1)
    np.testing.assert_allclose(found, np.einsum("rk,rkj->rj", vector, jacobian), rtol=0, atol=32 * EPS)


def test_select_keeps_rows_and_columns():
    full = matrices(4)
    for kept in [(0,), (2,), (0, 3), (1, 2, 3), (0, 1, 2, 3)]:
        found = symmetric.unpack(symmetric.fill(symmetric.select(entries(full), kept, 4), 5))
        np.testing.assert_array_equal(found, full[:, kept][:, :, kept])


def test_fill_spreads_scalars():
    np.testing.assert_array_equal(symmetric.fill([np.array([1.0, 2.0]), 0.0], 2), [[1.0, 0.0], [2.0, 0.0]])


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_solve(size):
    full = matrices(size)
    vector = np.random.default_rng(4).standard_normal((5, size))
    found, definite = symmetric.solve(entries(full), list(vector.T))
    assert definite.all()
    expected = np.linalg.solve(full, vector[..., np.newaxis])[..., 0]
    # Backward stable: relative error of the order of the condition number times ε.
    bound = 16 * size * EPS * np.linalg.cond(full) * np.linalg.norm(expected, axis=-1)
    assert (np.linalg.norm(np.stack(found, axis=-1) - expected, axis=-1) <= bound).all()


def test_solve_tells_which_matrices_are_not_positive_definite():
    full = np.array(
        [
            [[2.0, 1.0], [1.0, 2.0]],
            [[-1.0, 0.0], [0.0, 1.0]],
            [[1.0, 2.0], [2.0, 1.0]],
            [[1.0, 1.0], [1.0, 1.0]],
            [[0.0, 0.0], [0.0, 0.0]],
            [[np.nan, 0.0], [0.0, 1.0]],
            [[1.0, 0.0], [0.0, np.nan]],
            [[1.0, 0.0], [0.0, np.inf]],
            [[1e-300, 0.0], [0.0, 1e300]],
        ]
    )
    with np.errstate(all="ignore"):
        found, definite = symmetric.solve(entries(full), [np.ones(9), np.ones(9)])
    assert definite.tolist() == [True, False, False, False, False, False, False, False, True]
    np.testing.assert_allclose([found[0][0], found[1][0]], 1.0 / 3.0, rtol=1e-15)


def test_rows_do_not_depend_on_their_neighbours():
    full, vector = matrices(3, rows=67), np.random.default_rng(5).standard_normal((67, 3))
    together, _ = symmetric.solve(entries(full), list(vector.T))
    for row in (0, 31, 66):
        alone, _ = symmetric.solve(entries(full[row : row + 1]), list(vector[row : row + 1].T))
        np.testing.assert_array_equal([entry[0] for entry in alone], [entry[row] for entry in together])


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_factors_make_the_matrix_and_its_inverse(size):
    full = matrices(size)
    factors = symmetric.factor(entries(full))
    assert factors.definite.all()
    inner = np.moveaxis(symmetric.lower_inverse(factors), -1, 0)
    pivots = np.stack(factors.pivots, axis=-1)
    np.testing.assert_allclose(
        inner @ full @ inner.swapaxes(-1, -2), pivots[..., np.newaxis] * np.eye(size), atol=1e-13
    )
    np.testing.assert_allclose(
        inner.swapaxes(-1, -2) @ (inner / pivots[..., np.newaxis]), np.linalg.inv(full), atol=1e-13
    )
    assert not symmetric.factor(entries(-full)).definite.any()
