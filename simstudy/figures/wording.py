"""Numbers as prose: rounded to what their Monte Carlo error supports."""

from __future__ import annotations

import math
from collections.abc import Sequence

NO_ESTIMATE = "no usable replicate"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _signed(text: str) -> str:
    """Write the minus sign, but none before a zero."""
    return text.replace("-", "" if not any(digit in text for digit in "123456789") else "−")


def _scientific(value: float, decimals: int) -> str:
    mantissa, exponent = f"{value:.{max(decimals, 0)}e}".split("e")
    return f"{_signed(mantissa)} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def number(value: float, digits: int = 4) -> str:
    """Return a number to so many significant digits, without trailing zeros.

    >>> number(0.25), number(-12345678.0, 3), number(3.0)
    ('0.25', '−1.23 × 10⁷', '3')
    """
    if not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        return _scientific(value, digits - 1)
    text = f"{value:.{max(digits - 1 - (math.floor(math.log10(abs(value))) if value else 0), 0)}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def _decimals(error: float) -> int:
    """Return the decimals that show an error to one digit, or to two where the first is 1."""
    exponent = math.floor(math.log10(error))
    return -exponent + (error / 10.0**exponent < 1.95)


def plus_minus(value: float, mcse: float, unit: str = "") -> str:
    """Return value ± 2 MCSE, both rounded to what the error supports.

    >>> plus_minus(0.251318, 0.0002), plus_minus(94.61, 0.3, " %"), plus_minus(2.0, 0.0)
    ('0.2513 ± 0.0004', '94.6 % ± 0.6 %', '2 ± 0')
    """
    shown, error = split_error(value, mcse)
    return f"{shown}{unit} ± {error}{unit}" if error else shown + (unit if math.isfinite(value) else "")


def split_error(value: float, mcse: float) -> tuple[str, str]:
    """Return value and 2 MCSE to the same decimals; the error is empty where it is not known.

    >>> split_error(0.251318, 0.0002), split_error(123456789.0, 2e4), split_error(-0.3, 1.0)
    (('0.2513', '0.0004'), ('1.2346 × 10⁸', '0.0004 × 10⁸'), ('0', '2'))
    """
    if not (math.isfinite(value) and math.isfinite(mcse)):
        return number(value), ""
    if 2 * mcse <= 1e-12 * abs(value):
        return number(value), "0"
    if 2 * mcse < 1e-6 * abs(value):  # more digits than anyone reads
        return number(value, 7), number(2 * mcse, 1)
    largest = max(abs(value), 2 * mcse)
    power = 0 if 1e-4 <= largest < 1e6 else math.floor(math.log10(largest))
    decimals = max(_decimals(2 * mcse / 10.0**power), 0)
    unit = f" × 10{str(power).translate(_SUPERSCRIPT)}" if power else ""
    shown, error = (f"{part / 10.0**power:.{decimals}f}" for part in (value, 2 * mcse))
    return f"{_signed(shown)}{unit}" if float(shown) else "0", f"{error}{unit}"


def percent(fraction: float) -> str:
    """Return the size of a fraction in per cent to two significant digits.

    >>> percent(0.0057), percent(-0.352), percent(1.5)
    ('0.57 %', '35 %', '150 %')
    """
    size = 100 * abs(fraction)
    return f"{size:.0f} %" if size >= 10 else f"{number(size, 2)} %"


def against(value: float, mcse: float, limit: float, name: str) -> str:
    """Return how an estimate stands to its limit: ``0.6 % above I(θ) = 0.2498``, or within its error.

    Within ±2 MCSE of the limit no direction is claimed.
    """
    if not math.isfinite(limit):
        return "with no limit to compare it with"
    # As many digits as the estimate has, so that the two can be compared.
    known = math.log10(abs(limit) / mcse) if limit and mcse > 0 else 0.0
    shown = number(limit, min(max(4, math.ceil(known) + 1), 12))
    if abs(value - limit) <= 1e-12 * abs(limit):
        return f"equal to {name} = {shown}"
    if abs(value - limit) <= 2 * mcse:
        return f"within 2 MCSE of {name} = {shown}"
    direction = "above" if value > limit else "below"
    if limit == 0:
        return f"{direction} {name} = 0"
    return f"{percent((value - limit) / limit)} {direction} {name} = {shown}"


def listed(parts: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
