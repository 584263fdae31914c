"""Measures and Table-6 errors against what other software has published of the same estimates.

The estimates come from the scripts that made the data sets of two R packages, rsimsum (Gasparini 2018, JOSS 3) and
simhelpers (Joshi & Pustejovsky 2024), with the random numbers of R; the answers stand in their documentation.
"""

from decimal import Decimal

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import simstudy
from tests.r_streams import Stream


def t_test(x, y, pooled):
    """Return difference, standard error and degrees of freedom of samples (R, m) and (R, n)."""
    m, n = x.shape[1], y.shape[1]
    u, v = x.var(axis=1, ddof=1), y.var(axis=1, ddof=1)
    difference = x.mean(axis=1) - y.mean(axis=1)
    if pooled:
        common = ((m - 1) * u + (n - 1) * v) / (m + n - 2)
        return difference, np.sqrt(common * (1 / m + 1 / n)), np.full(len(x), m + n - 2.0)
    u, v = u / m, v / n
    return difference, np.sqrt(u + v), (u + v) ** 2 / (u**2 / (m - 1) + v**2 / (n - 1))


def drawn(draw, count):
    return [draw() for _ in range(count)]


@pytest.fixture(scope="module")
def tt():
    """The data sets behind ``tt`` of rsimsum, {mechanism: (first groups, second groups)}."""
    stream = Stream(2398756)
    rows = []
    for _ in range(500):
        normal = np.array(drawn(stream.normal, 120))
        gamma = np.array(drawn(lambda: stream.gamma(1.0), 120))
        rows.append((5 * normal[:60] + 5, 5 * normal[60:90] + 6, 10 * normal[90:] + 6, 5 * gamma[:60],
                     5 * gamma[60:90] + 1, 10 * gamma[90:] - 4))  # fmt: skip
    a, b, c, d, e, f = (np.array(part) for part in zip(*rows, strict=True))
    return {1: (a, b), 2: (a, c), 3: (d, e), 4: (d, f)}


def test_the_data_are_those_of_rsimsum(tt):
    """``head(tt)``: difference and standard error of the first replicate by mechanism and method."""
    head = {
        (1, 1): (-2.185467, 1.130916), (2, 1): (-3.359683, 1.572366), (1, 2): (-2.185467, 1.285290),
        (2, 2): (-3.359683, 2.016465), (3, 1): (-2.989333, 1.150093), (4, 1): (-1.152852, 1.368553),
    }  # fmt: skip
    for (mechanism, method), first in head.items():
        difference, error, _ = t_test(*tt[mechanism], pooled=method == 1)
        assert_allclose((difference[0], error[0]), first, atol=5e-7)


# mechanism, method: coverage of t intervals and of normal ones, each with its MCSE
RSIMSUM = {
    (1, 1): ("0.9400", "0.0106", "0.9400", "0.0106"), (1, 2): ("0.9400", "0.0106", "0.9360", "0.0109"),
    (2, 1): ("0.8780", "0.0146", "0.8680", "0.0151"), (2, 2): ("0.9420", "0.0105", "0.9320", "0.0113"),
    (3, 1): ("0.9380", "0.0108", "0.9380", "0.0108"), (3, 2): ("0.9500", "0.0097", "0.9420", "0.0105"),
    (4, 1): ("0.9020", "0.0133", "0.8940", "0.0138"), (4, 2): ("0.9420", "0.0105", "0.9360", "0.0109"),
}  # fmt: skip


@pytest.mark.parametrize(("mechanism", "method"), RSIMSUM)
def test_coverages_of_rsimsum(tt, mechanism, method):
    difference, error, df = t_test(*tt[mechanism], pooled=method == 1)
    reach = stats.t.ppf(0.975, df) * error
    given = {"lower": difference - reach, "upper": difference + reach}
    found = []
    for ends in (given, {}):
        table = simstudy.performance(difference, error, true=-1.0, mcse="table6", **ends).set_index("measure")
        found += [*table.loc["coverage", ["value", "mcse"]]]
    # five hundredths are exact in four digits
    assert found[::2] == [float(text) for text in RSIMSUM[mechanism, method][::2]]
    assert [f"{value:.4f}" for value in found] == list(RSIMSUM[mechanism, method])


@pytest.fixture(scope="module")
def t_res():
    """Estimates, standard errors and 95% intervals of ``t_res`` of simhelpers."""
    stream = Stream(20191228)
    normal = np.array([drawn(stream.normal, 100) for _ in range(1000)])
    difference, error, df = t_test(normal[:, :50] + 0.5, normal[:, 50:], pooled=False)
    reach = stats.t.ppf(0.975, df) * error
    return difference, error, difference - reach, difference + reach


def three_digits(value):
    """Return a number as a tibble shows it."""
    return Decimal(f"{value:.2e}")


def test_measures_of_simhelpers(t_res):
    estimates, errors, lower, upper = t_res
    table = simstudy.performance(estimates, errors, true=0.5, lower=lower, upper=upper, mcse="table6")
    found = table.set_index("measure")
    published = {
        ("bias", "value", 1): "0.00233", ("bias", "mcse", 1): "0.00638",
        ("empirical_se", "value", 1): "0.202", ("mse", "value", 1): "0.0407",
        ("coverage", "value", 1): "0.951", ("coverage", "mcse", 1): "0.00683",
        ("interval_width", "value", 1): "0.791", ("interval_width", "mcse", 1): "0.00179",
        ("rejection_rate", "value", 1): "0.702", ("rejection_rate", "mcse", 1): "0.0145",
        # relative to θ = 0.5
        ("relative_bias", "mcse", 1): "0.0128", ("mse", "value", 4): "0.163", ("mse", "mcse", 4): "0.00733",
        ("rmse", "value", 2): "0.403",
    }  # fmt: skip
    for (measure, column, factor), text in published.items():
        assert three_digits(factor * found.loc[measure, column]) == Decimal(text), (measure, column)
