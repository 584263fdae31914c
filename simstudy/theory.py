"""What theory says of maximum likelihood in small samples."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from simstudy.api import scenario_at
from simstudy.errors import ConfigError
from simstudy.study.higher_order import higher_order

if TYPE_CHECKING:
    import pandas as pd


def cox_snell_bias(
    family: str, parameters: Mapping[str, float], known: Iterable[str] = (), *, n: int | None = None
) -> pd.Series[float]:
    """Return the first-order bias of the maximum likelihood estimates.

    The bias of θ̂ᵣ from n observations is b_r/n + O(n⁻²) with

        b_r = Σ Iʳⁱ Iʲᵏ (E[∂ᵢⱼℓ ∂ₖℓ] + ½ E[∂ᵢⱼₖℓ]),

    summed over the free parameters i, j, k, where ℓ is the log-density of one observation and Iⁱʲ the inverse of its
    information (Cox & Snell 1968, J. R. Statist. Soc. B 30, 248–275, eq. 20).

    Parameters
    ----------
    family
        Name of a family.
    parameters
        Values of all parameters and constants of the family; their names choose the parametrisation.
    known
        Names of the parameters that are not estimated; constants never are.
    n
        Sample size; without it the coefficient b, the limit of n times the bias.

    Returns
    -------
    Series
        b/n, or b, by free parameter in the order given. NaN where the family is not regular enough, or an expectation
        does not exist or cannot be computed to six digits.

    Raises
    ------
    ConfigError
        If there is no such family or parametrisation, a value lies outside its domain, or n is no sample size.

    Examples
    --------
    >>> cox_snell_bias("normal", {"mean": 0, "variance": 4}, n=10)
    mean        0.0
    variance   -0.4
    dtype: float64
    """
    import pandas as pd

    if n is not None and not _is_size(n):
        message = f"{family}: n must be a whole number of at least 1, got {n!r}"
        raise ConfigError(message)
    scenario = scenario_at(family, dict(parameters), tuple(known))
    # Adding 0 makes the sign of −0 that of 0.
    values = higher_order(scenario).bias / (1 if n is None else n) + 0.0
    found = pd.Series(values, scenario.free, dtype=float)
    return found[[name for name in parameters if name in scenario.free]]


def _is_size(n: object) -> bool:
    """Tell whether n is a whole number of at least 1, of Python's or numpy's, which True is not."""
    return not isinstance(n, bool) and hasattr(n, "__index__") and operator.index(n) >= 1
