"""Numbers in sentences."""

import math

import numpy as np
import pytest

from simstudy.figures.wording import against, listed, number, percent, plus_minus, split_error


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (1234.5, 4, "1234"),
        (0.00012345, 3, "0.000123"),
        (0.000012345, 3, "1.23 × 10⁻⁵"),
        (-2e6, 3, "−2.00 × 10⁶"),
        (math.nan, 4, "–"),
        (math.inf, 4, "–"),
    ],
)
def test_number(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "mcse", "text"),
    [
        (0.2513, 0.0002, "0.2513 ± 0.0004"),
        (0.25131, 0.00009, "0.25131 ± 0.00018"),
        (12.0, 30.0, "12 ± 60"),
        (-0.2, 1.0, "0 ± 2"),
        (1e-9, 1e-11, "(1.00 ± 0.02) × 10⁻⁹"),
        (5.0, math.nan, "5"),
        (math.nan, 1.0, "–"),
        (3.0, 0.0, "3 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (0.078125, 2e-12, "0.078125 ± 4 × 10⁻¹²"),
        (1234567.0, 1e-3, "1.234567 × 10⁶ ± 0.002"),
    ],
)
def test_plus_minus(value, mcse, text):
    assert plus_minus(value, mcse).replace("(", "").replace(")", "") in {text, expanded(text)}


def expanded(text: str) -> str:
    """A common factor may be written once or twice."""
    inner, _, factor = text.partition(") ")
    return " ± ".join(f"{part} {factor}" for part in inner.strip("(").split(" ± "))


@pytest.mark.parametrize("seed", range(50))
def test_rounding_stays_well_inside_the_error(seed):
    rng = np.random.default_rng(seed)
    value = rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 4)
    mcse = abs(value) * 10 ** rng.uniform(-5, 0.5)
    shown, error = (float(part.replace("−", "-")) for part in split_error(value, mcse))
    assert abs(shown - value) <= 0.26 * 2 * mcse + 1e-12 * abs(value)
    assert 0.7 < error / (2 * mcse) < 1.4


@pytest.mark.parametrize(
    ("value", "mcse", "limit", "text"),
    [
        (0.2513, 0.0002, 0.2498, "0.6 % above I(θ) = 0.2498"),
        (0.2400, 0.0002, 0.2498, "3.9 % below I(θ) = 0.2498"),
        (0.2499, 0.0002, 0.2498, "within 2 MCSE of I(θ) = 0.2498"),
        (1.0, 0.0, 1.0, "equal to I(θ) = 1"),
        (0.1, 0.01, 0.0, "above I(θ) = 0"),
        (-8.0, 0.1, -4.0, "100 % below I(θ) = −4"),
        (0.6441917, 8e-7, 0.64493407, "0.12 % below I(θ) = 0.6449341"),
    ],
)
def test_against(value, mcse, limit, text):
    assert against(value, mcse, limit, "I(θ)") == text


def test_percent_and_lists():
    assert [percent(x) for x in (0.0, 0.00123, 0.0996, -12.5)] == ["0 %", "0.12 %", "10 %", "1250 %"]
    assert [listed(x) for x in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
