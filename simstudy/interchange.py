"""Results for other programs: the replicates of all cells as one long table, written cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.analysis.arrangement import of_scenario, spread
from simstudy.errors import ConfigError, nearest
from simstudy.families.status import Status
from simstudy.files import replaced
from simstudy.parameters import Array
from simstudy.results import Results
from simstudy.study.limits import Limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("observed", "expected", "sandwich")
"""Standard errors of one estimate, in the order of the columns."""
PART = 2**18
"""Most rows that are arranged and written at a time."""
PARQUET_HINT = "parquet: needs pyarrow, which is not installed; pip install 'simstudy[parquet]'"


def export(folder: str | Path, to: str, output: str | Path | None = None) -> Path:
    """Write the replicates of all cells as one table, which takes the place of a file that is there.

    Parameters
    ----------
    folder
        What a run wrote.
    to
        ``csv`` or ``parquet``: one row per replicate and parameter, with the columns study, scenario, family (that
        draws), fit (that is fitted), n, level, replicate (from 0, the row of `Results.replicates`), status,
        iterations, parameter, truth (θ*), estimate, se_observed, se_expected and se_sandwich. A standard error is the
        root of a diagonal element of (nJ)⁻¹, (n I(θ̂))⁻¹ and J⁻¹KJ⁻¹/n; there is none where the fit did not converge.
        ``rsimsum``: one row for each of these standard errors, with the columns dgm, n, rep, method (whose standard
        error), param, theta, se and true, as ``rsimsum::simsum`` and Stata's ``simsum`` and ``siman`` take; estimate
        and standard error are missing where the fit did not converge.
    output
        The file; by default ``replicates.csv``, ``replicates.parquet`` or ``rsimsum.csv`` in the folder.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        If there is no such form, or it needs a package that is not installed.
    UnusableResultsError
        If blocks are missing or damaged, or the file cannot be written.
    """
    if to not in _FORMS:
        message = f"export: no such form, got '{to}'{nearest(to, _FORMS)}; choose from {', '.join(_FORMS)}"
        raise ConfigError(message)
    name, arrange, write = _FORMS[to]
    results = Results(folder)
    path = Path(output) if output else results.folder / name
    write((arrange(part) for cell in results.cells() for part in _parts(tidy(results.study.name, *cell))), path)
    return path


def _parts(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield a table in parts, so that no copy is as large as it."""
    yield from (table.iloc[first : first + PART] for first in range(0, len(table), PART))


def tidy(study: str, scenario: Scenario, replicates: Replicates, limits: Limits) -> pd.DataFrame:
    """Return the table of one cell, replicate by replicate and in each parameter by parameter."""
    import pandas as pd

    size, rows = len(scenario.free), len(replicates)
    names = np.array([status.name for status in Status], dtype=object)
    variances = _variances(scenario, replicates, limits)
    columns = {
        "study": study,
        "scenario": scenario.name,
        "family": scenario.family,
        "fit": scenario.fit,
        "n": scenario.n,
        "level": scenario.level,
        "replicate": np.repeat(np.arange(rows), size),
        "status": np.repeat(names[replicates.status], size),
        "iterations": np.repeat(replicates.iterations, size).astype(np.int64),
        "parameter": np.tile(np.array(scenario.free, dtype=object), rows),
        "truth": np.tile(limits.theta, rows),
        "estimate": replicates.theta.ravel(),
    }
    return pd.DataFrame(columns | {f"se_{kind}": np.sqrt(variances[kind]).ravel() for kind in KINDS})


def _variances(scenario: Scenario, replicates: Replicates, limits: Limits) -> dict[str, Array]:
    """Return the variances (R, p) that each data set claims, NaN where the fit did not converge."""
    with np.errstate(all="ignore"):
        cell = of_scenario(scenario, replicates, limits)
        claimed = {kind: np.where(each > 0.0, each, np.nan) for kind, each in cell.model_variances.items()}
    return {kind: spread(claimed[kind], cell.converged).T for kind in KINDS}


def _simsum(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the form of simsum: one per standard error, estimates of failed fits missing."""
    import pandas as pd

    usable = table["status"] == Status.CONVERGED.name
    parts = [
        pd.DataFrame(
            {
                "dgm": table["scenario"],
                "n": table["n"],
                "rep": table["replicate"],
                "method": kind,
                "param": table["parameter"],
                "theta": table["estimate"].where(usable),
                "se": table[f"se_{kind}"].where(usable),
                "true": table["truth"],
            }
        )
        for kind in KINDS
    ]
    return pd.concat(parts).sort_index(kind="stable")


def _write_csv(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """Write CSV in UTF-8: floats are the shortest text of the same bits, an empty field is missing."""
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for place, table in enumerate(tables):
            table.to_csv(file, index=False, header=place == 0, lineterminator="\n")


def _write_parquet(tables: Iterable[pd.DataFrame], path: Path) -> None:
    """Write Parquet with a CRC-32 for each page, a row group for each part of a cell."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError(PARQUET_HINT) from error
    with replaced(path) as temporary:
        first, rest = _first(tables)
        schema = pa.Schema.from_pandas(first, preserve_index=False)
        with parquet.ParquetWriter(temporary, schema, write_page_checksum=True) as file:
            for table in rest:
                file.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))


def _first(tables: Iterable[pd.DataFrame]) -> tuple[pd.DataFrame, Iterator[pd.DataFrame]]:
    """Return the first table, and all of them."""
    iterator = iter(tables)
    first = next(iterator)

    def every() -> Iterator[pd.DataFrame]:
        yield first
        yield from iterator

    return first, every()


def _as_it_is(table: pd.DataFrame) -> pd.DataFrame:
    return table


_Form = tuple[str, Callable[["pd.DataFrame"], "pd.DataFrame"], Callable[[Iterable[Any], Path], None]]
_FORMS: dict[str, _Form] = {
    "csv": ("replicates.csv", _as_it_is, _write_csv),
    "parquet": ("replicates.parquet", _as_it_is, _write_parquet),
    "rsimsum": ("rsimsum.csv", _simsum, _write_csv),
}
