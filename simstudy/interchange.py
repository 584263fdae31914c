"""Results for other programs: the replicates of all cells as one long table, written part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simstudy.analysis.cell import Cell
from simstudy.analysis.row_by_row import row_by_row
from simstudy.errors import ConfigError, nearest
from simstudy.families.status import Status
from simstudy.files import replaced
from simstudy.parameters import Array
from simstudy.results import Results
from simstudy.study.limits import Limits
from simstudy.study.replicates import Parts, Replicates
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
    write((arrange(table) for cell in results.cells() for table in _tables(results.study.name, *cell)), path)
    return path


def _tables(study: str, scenario: Scenario, parts: Parts, limits: Limits) -> Iterator[pd.DataFrame]:
    """Yield the table of one cell in pieces of a bounded number of rows."""
    first = 0
    for part in parts:
        for start in range(0, len(part), step := max(1, PART // len(scenario.free))):
            piece = part.tail(len(part) - start).head(step)
            yield tidy(study, scenario, piece, limits, first + start)
        first += len(part)


def tidy(study: str, scenario: Scenario, replicates: Replicates, limits: Limits, first: int = 0) -> pd.DataFrame:
    """Return the table of replicates of one cell from ``first`` on, one by one, each parameter by parameter."""
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
        "replicate": np.repeat(np.arange(first, first + rows), size),
        "status": np.repeat(names[replicates.status], size),
        "iterations": np.repeat(replicates.iterations, size).astype(np.int64),
        "parameter": np.tile(np.array(scenario.free, dtype=object), rows),
        "truth": np.tile(limits.theta, rows),
        "estimate": replicates.theta.ravel(),
    }
    return pd.DataFrame(columns | {f"se_{kind}": np.sqrt(variances[kind]).ravel() for kind in KINDS})


def _variances(scenario: Scenario, replicates: Replicates, limits: Limits) -> dict[str, Array]:
    """Return the variances (R, p) that each data set claims, NaN where the fit did not converge."""

    def compute(cell: Cell) -> dict[str, Array]:
        return {kind: np.where(each > 0.0, each, np.nan) for kind, each in cell.model_variances.items()}

    return {kind: each.T for kind, each in row_by_row(scenario, replicates, limits, compute).items()}


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
