"""Made-up rows of the measures that are more than means: eigenvalues, distances, savings, rates; and nested samples."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

QUANTILES = {1: (0.455, 2.706, 3.841, 6.635), 2: (1.386, 4.605, 5.991, 9.21), 3: (2.366, 6.251, 7.815, 11.345)}
SLOPES = {"information_error": -1.0, "covariance_error": -1.0}


def cell_rows(rng, names, n, dead, scale) -> list[tuple]:
    """Return (measure, estimator, row, column, value, mcse, limit) of one cell."""
    rows = []

    def add(measure, estimator, name, value, mcse, limit):
        value += mcse * rng.standard_normal()
        rows.append((measure, estimator, name, "", np.nan if dead else value, np.nan if dead else mcse, limit))

    for estimator, noise in (("raw", 0.02), ("control-variate", 0.1 / n)):
        for name in names:
            add("scaled_bias", estimator, name, scale * 1.5 * (1 + 2 / n), scale * noise * np.sqrt(n), scale * 1.5)
        for prefix in ("", "information-"):
            spread = (len(names) > 1) / n
            add("largest_eigenvalue", f"{prefix}{estimator}", "", 1 + 3 / n + spread, noise, 1.0)
            if len(names) == 1:
                rows.append(("smallest_eigenvalue", *rows[-1][1:]))
            else:
                add("smallest_eigenvalue", f"{prefix}{estimator}", "", 1 + 3 / n - 2 * spread, noise, 1.0)
    for power, estimator in enumerate(("bias", "mse", "scaled_covariance", "mean_observed_information")):
        for name in names:
            add("replicates_saved", estimator, name, 1 + 0.1 * (power + 1) * n, 0.02 * n, np.nan)
    for quantile, limit in zip(("50%", "90%", "95%", "99%"), QUANTILES.get(len(names), QUANTILES[3]), strict=True):
        add("mahalanobis", quantile, "", limit * (1 + 4 / n), 0.02 * limit, limit)
    return rows


def rate_rows(names) -> list[tuple]:
    """Return the rates of a scenario, which stand at n = 0."""
    rows = [("rate", measure, "", "", slope - 0.02, 0.03, slope) for measure, slope in SLOPES.items()]
    rows += [("rate", "sd_observed_information", name, name, -0.49, 0.01, -0.5) for name in names]
    return rows


def nested(rng, names, sizes, information, dead) -> pd.DataFrame:
    """Return paths of eight data sets; where every fit failed at the smallest n, two paths begin with a failure."""
    at = np.unique(np.geomspace(max(sizes[0] // 2, 2), sizes[-1], 40).round().astype(int))
    parts = []
    for replicate in range(8):
        shock = rng.standard_normal(len(at)).cumsum() / at
        part = {"replicate": replicate, "n": at}
        part |= {f"theta[{name}]": 1.0 + shock for name in names}
        for i, j in combinations_with_replacement(range(len(names)), 2):
            size = np.sqrt(information[i, i] * information[j, j])
            part[f"information[{names[i]},{names[j]}]"] = information[i, j] + size * shock
        failed = dead if dead is not None else (replicate < 2) & (at < 6)
        parts.append(pd.DataFrame(part).assign(status=np.where(failed, "BOUNDARY", "CONVERGED")))
    return pd.concat(parts, ignore_index=True)
