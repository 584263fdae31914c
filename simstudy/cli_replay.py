"""The verb that replays one replicate, and what it prints."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simstudy.cli_options import Plugins, ResultsFolder, load_plugins
from simstudy.cli_process import say

if TYPE_CHECKING:
    import pandas as pd

    from simstudy.parameters import Array
    from simstudy.replaying import Replay

DIFFERS = 3
"""Exit code where the stored row is another."""
_LONGEST = 40
_ENDS = 15


def replay(
    results: ResultsFolder,
    replicate: Annotated[int, typer.Option(help="Number of the replicate, from 0.", show_default=False)],
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Scenario; not needed where there is one.", show_default=False)
    ] = None,
    n: Annotated[
        int | None, typer.Option("--n", help="Sample size; not needed where there is one.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write the data set to this file, in place of one that is there.", show_default=False),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Redraw one data set, refit it step by step, and compare with the stored row; exit code 3 if that differs."""
    from simstudy.redrawn import redrawn, write_csv
    from simstudy.replaying import refitted

    load_plugins(plugin)
    drawn = redrawn(results, scenario, n, replicate)
    if csv is not None:  # before the fit, which may raise an exception
        write_csv(csv, drawn.data, drawn.columns)
        say(f"data: {csv}")
    found = refitted(drawn)
    say("\n".join(lines(found)))
    raise typer.Exit(DIFFERS if found.equal is False else 0)


def lines(found: Replay) -> Iterator[str]:
    """Yield what there is to say of a replicate."""
    cell, fit = found.scenario, found.fit
    yield f"scenario '{cell.name}', n = {cell.n}, replicate {found.replicate}"
    yield from _data(found)
    yield f"status: {fit.status}: {fit.status.sentence}"
    yield f"iterations: {int(fit.iterations)}"
    yield from _estimates(found)
    value, limit = float(found.record.value[0]), float(found.record.value_limit[0])
    yield f"log-likelihood: {value!r} at the estimate, {limit!r} at θ*"
    yield from _matrix("observed information per observation, at the estimate", fit.names, fit.observed_information)
    yield from _matrix("expected information per observation, at the estimate", fit.names, fit.expected_information)
    yield from _intervals(found)
    yield from _iterations(found)
    yield from found.notes
    yield from _comparison(found)


def _data(found: Replay) -> Iterator[str]:
    import numpy as np

    from simstudy.cli_messages import table

    columns = found.data.T if found.data.ndim == 2 else found.data[np.newaxis]
    rows: list[tuple[str, ...]] = [("data", "n", "min", "max", "mean", "distinct values")]
    with np.errstate(all="ignore"):
        for name, x in zip(found.columns, columns, strict=True):
            ends = (repr(each.item()) for each in (x.min(), x.max()))
            rows.append((name, str(len(x)), *ends, f"{x.mean():.10g}", str(len(np.unique(x)))))
    yield from table(rows, right=range(1, 6))


def _estimates(found: Replay) -> Iterator[str]:
    import numpy as np

    from simstudy.cli_messages import table
    from simstudy.study.limits import limiting_value

    fit, at = found.fit, limiting_value(found.scenario)
    with np.errstate(all="ignore"):
        errors = [np.sqrt(np.diagonal(fit.covariance(kind))) for kind in ("observed", "expected", "sandwich")]
    rows: list[tuple[str, ...]] = [("parameter", "θ*", "estimate", "se observed", "se expected", "se sandwich")]
    for i, name in enumerate(fit.names):
        shown = (f"{error[i]:.6g}" for error in errors)
        rows.append((name, f"{at[i]:.10g}", repr(float(fit.theta[i])), *shown))
    yield from table(rows, right=range(1, 6))
    if known := found.scenario.known_values:
        yield f"known: {', '.join(f'{name} = {value:g}' for name, value in known.items())}"


def _matrix(title: str, names: Sequence[str], matrix: Array) -> Iterator[str]:
    from simstudy.cli_messages import table

    rows = [(name, *(f"{value:.10g}" for value in row)) for name, row in zip(names, matrix.tolist(), strict=True)]
    yield f"{title}:"
    yield from (f"  {line}" for line in table([("", *names), *rows], right=range(1, len(names) + 1)))


def _intervals(found: Replay) -> Iterator[str]:
    from simstudy.cli_messages import table

    level = found.scenario.level
    rows = [("method", "parameter", "lower", "upper")]
    for method in found.scenario.intervals:
        lower, upper = found.fit.interval(method, level)
        ends = zip(found.fit.names, lower.tolist(), upper.tolist(), strict=True)
        rows += [(method, name, f"{low:.10g}", f"{high:.10g}") for name, low, high in ends]
    yield f"intervals at level {level:g}:"
    yield from (f"  {line}" for line in table(rows, right=(2, 3)))


def _iterations(found: Replay) -> Iterator[str]:
    """Yield the iterations of each solver from the start that led highest."""
    solvers = [name for name in dict.fromkeys(found.trace["solver"]) if name != "estimate"]
    if not solvers:
        own = "the family's own algorithm, which tells none of them" if int(found.fit.iterations) else "closed form"
        yield f"iterations of the optimiser: {own}"
    for solver in solvers:
        part = found.trace[found.trace["solver"] == solver]
        yield from _solver(solver, part)
    yield f"Newton decrement at the estimate: {found.trace['decrement'].iloc[-1]:.3g}"


def _solver(solver: str, part: pd.DataFrame) -> Iterator[str]:
    from simstudy.cli_messages import table

    starts = part["start"].nunique()
    shown = part[part["start"] == _highest(part)].drop(columns=["solver", "start"]).dropna(axis=1, how="all")
    if "safeguard" in shown and not shown["safeguard"].any():
        shown = shown.drop(columns="safeguard")
    rows = [tuple(map(_text, row)) for row in shown.to_numpy(dtype=object).tolist()]
    if len(rows) > _LONGEST:
        rows = [*rows[:_ENDS], ("…",) + ("",) * (len(shown.columns) - 1), *rows[-_ENDS:]]
    best = f", the highest of {starts} starts" if starts > 1 else ""
    yield f"iterations of {solver}{best}:"
    aligned = table([tuple(map(str, shown.columns)), *rows], right=range(len(shown.columns) - ("safeguard" in shown)))
    yield from (f"  {line}" for line in aligned)


def _highest(part: pd.DataFrame) -> int:
    """Return the start whose last value is the highest; the first where there are no values."""
    last = part.groupby("start").tail(1).set_index("start")
    for column in ("log_likelihood", "objective"):
        if column in last and last[column].notna().any():
            return int(last.index[int(last[column].argmax())])
    return int(last.index[0])


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.10g}"
    return str(value)


def _comparison(found: Replay) -> Iterator[str]:
    if found.stored is None:
        yield "equal to the stored row: unknown, as there is none to compare with"
        return
    fields = [name for name in vars(found.record) if getattr(found.record, name).size]
    same = [name for name in fields if name not in found.differing]
    if found.equal:
        yield f"equal to the stored row: yes, bit for bit ({', '.join(same)})"
        return
    yield f"equal to the stored row: no, these fields differ: {', '.join(found.differing)}"
    yield f"the same bit for bit: {', '.join(same) or 'none'}"
    for name in found.differing:
        stored, redrawn = (getattr(each, name)[0].tolist() for each in (found.stored, found.record))
        yield f"  {name}: stored {stored}, redrawn {redrawn}"
