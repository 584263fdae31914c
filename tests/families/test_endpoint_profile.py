"""The grid over endpoints, and what it takes for candidates of local maxima."""

import numpy as np

from simstudy.families.endpoint_profile import candidates, endpoints


def test_endpoints_run_from_the_largest_observation_to_the_least():
    low, high = np.array([1.0, 2.0]), np.array([3.0, 50.0])
    theta = endpoints(low, low, high)
    assert (np.diff(theta, axis=0) > 0.0).all()
    assert (1.0 + theta * high > 0.0).all()
    assert (1.0 - theta * low > 0.0).all()
    assert (1.0 + theta[0] * high < 1e-7).all()
    assert (1.0 - theta[-1] * low < 1e-7).all()


def test_endpoints_of_positive_numbers():
    theta = endpoints(np.zeros(1), np.array([2.0]), np.array([4.0]))
    assert theta[0] < 0.0 < theta[-1]
    assert 1.0 + 4.0 * theta[0] > 0.0


def test_nothing_for_constant_data():
    assert np.isnan(endpoints(np.zeros(1), np.zeros(1), np.zeros(1))).all()
    assert not candidates(np.full((9, 1), np.nan)).found.any()


def test_candidates_are_the_highest_peaks_and_else_shallow_slopes():
    v = np.linspace(-4.0, 4.0, 81)
    two_peaks = np.cos(2.0 * v) + 0.1 * v
    falling = np.exp(-v)
    terrace = v**3 + 0.001 * v  # where a maximum and a minimum have just merged
    found = candidates(np.stack([two_peaks, falling, terrace], axis=-1))
    np.testing.assert_array_equal(found.found, [True, False, True])
    assert abs(v[found.first[0]] - np.pi) < 0.2
    assert abs(v[found.second[0]]) < 0.2
    assert abs(v[found.first[2]]) <= 0.11
    assert abs(v[found.second[2]]) <= 0.11


def test_a_single_peak_is_both_candidates():
    v = np.linspace(-1.0, 1.0, 41)
    found = candidates((-(v**2))[:, np.newaxis])
    assert found.first[0] == found.second[0] == 20
