"""What the figures should reach, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass

BY_STATISTICS = ("normal", "exponential", "gamma", "lognormal", "poisson", "beta")
"""Families whose data sets are reduced to sufficient statistics."""

CLOSED_FORM = (
    "pareto", "rayleigh", "half_normal", "maxwell", "chi_squared", "von_mises", "lindley", "binomial", "bernoulli",
    "geometric", "categorical", "zero_inflated_poisson", "bivariate_normal", "multivariate_normal", "dirichlet",
    "linear_regression", "uniform", "shifted_exponential",
)  # fmt: skip
"""Exponential families and closed forms beside those."""
ONE_PASS = ("gumbel", "laplace", "inverse_gaussian", "pareto", "log_logistic")
SHAPED = ("student_t", "generalized_extreme_value", "generalized_pareto", "negative_binomial")

SPEED_UP = 1.8
CLUSTER_SHARE = 0.85
"""Least speed of a dask cluster of this machine, in units of loky's."""
EXPONENT = 1.0, 0.05
"""Power of the number of draws with which the time of a run grows, and how far it may be from that."""
STORING_PERCENT = 5.0
WORKER_MEGABYTES, MAIN_MEGABYTES = 400.0, 500.0
ANALYSIS_SECONDS, ANALYSIS_MEGABYTES = 10.0, 1000.0
PROFILE_TIMES = 40.0
SAVED = {20: 4.0, 200: 30.0, 2000: 250.0}
"""Least replicates saved by control variates, by n."""
TIMES_SCIPY = {
    "gamma": 15.0, "weibull": 300.0, "student_t": 100.0, "cauchy": 100.0, "generalized_extreme_value": 100.0,
    "generalized_pareto": 100.0,
}  # fmt: skip
"""How many times faster than a loop of scipy's fit at n = 200."""


@dataclass(frozen=True)
class Goal:
    """A bound that a figure should keep, from above or from below."""

    bound: float
    least: bool = False

    def verdict(self, value: float) -> str:
        """Say whether a value keeps the bound.

        >>> Goal(1.4).verdict(1.5), Goal(1.8, least=True).verdict(1.85)
        ('≤ 1.4: miss', '≥ 1.8: ok')
        """
        kept = value >= self.bound if self.least else value <= self.bound
        return f"{'≥' if self.least else '≤'} {self.bound:g}: {'ok' if kept else 'miss'}"


def beside(value: str, goal: Goal | None, figure: float) -> str:
    """Return a figure as it is shown, with its goal where it has one."""
    return f"{value} ({goal.verdict(figure)})" if goal else value


def block_over_draw(family: str, n: int) -> Goal | None:
    """Return the most that simulating a block may take, in units of drawing it."""
    if family in BY_STATISTICS:
        return Goal(2.5 if n < 200 else 1.4)
    if family in _FIRST_ITERATIVE:
        return None if n < 200 else Goal(3.5 if n < 2000 else _FIRST_ITERATIVE[family])
    for members, bound in ((ONE_PASS, 4.0), (CLOSED_FORM, 2.0), (SHAPED, 12.0)):
        if family in members and n >= 2000:
            return Goal(bound)
    return None


_FIRST_ITERATIVE = {"weibull": 2.5, "logistic": 3.0, "cauchy": 3.0}
