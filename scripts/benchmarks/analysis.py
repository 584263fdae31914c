"""The analysis of a million stored replicates, and what the score as control variate saves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from benchmarks.cases import CASES, SEED
from benchmarks.goals import ANALYSIS_MEGABYTES, ANALYSIS_SECONDS, SAVED, Goal, beside
from benchmarks.machine import peak_bytes
from benchmarks.markdown import seconds, table
from simstudy.analysis.summary import Row, summarise_cell
from simstudy.figures.wording import plus_minus
from simstudy.running.block import simulate
from simstudy.running.memory import keep_freed_memory
from simstudy.study.limits import limits
from simstudy.study.replicates import Replicates
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size

FAMILIES = ("normal", "gamma", "weibull")
SIZE, REPLICATES = 20, 1_000_000
RUN = 20
"""Blocks that are simulated at a time."""

TITLE = "Analysis of a million replicates"
NOTE = (
    f"All measures of one scenario of two parameters at n = {SIZE} with R = {REPLICATES:,}, from the record in memory "
    "to the rows of the summary, each family in a process of its own; the memory is the most that it held, record "
    "included."
)
SAVINGS_TITLE = "Replicates saved"
SAVINGS_NOTE = (
    "How many replicates one with control variates is worth, for n · Var(θ̂) of the standard deviation of a normal "
    "distribution, ± 2 MCSE. The estimate of the mean's is exact."
)


def section(quick: bool) -> str:
    """Analyse a million replicates of each family."""
    rows = [_row(name, 20_000 if quick else REPLICATES) for name in FAMILIES]
    return table(["family", "time", "peak memory"], rows)


def _row(name: str, replicates: int) -> list[str]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        taken, peak = process.submit(one, name, replicates).result()
    held = (peak or 0) / 1e6
    memory = beside(f"{held:.0f} MB", Goal(ANALYSIS_MEGABYTES), held) if peak else "–"
    return [str(CASES[name]), beside(seconds(taken), Goal(ANALYSIS_SECONDS), taken), memory]


def one(name: str, replicates: int) -> tuple[float, int | None]:
    """Return seconds and peak bytes of the analysis of one family."""
    keep_freed_memory()
    scenario = replace(CASES[name].scenario(SIZE), replicates=replicates)
    record = _Held(tuple(_runs(scenario)))
    start = time.perf_counter()
    summarise_cell(scenario, record, limits(scenario))
    return time.perf_counter() - start, peak_bytes()


@dataclass(frozen=True)
class _Held:
    """A record in memory, in parts as a run stores them."""

    runs: tuple[Replicates, ...]

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def __iter__(self) -> Iterator[Replicates]:
        return iter(self.runs)


def _runs(scenario: Scenario) -> Iterator[Replicates]:
    """Simulate the replicates of a scenario, some blocks at a time."""
    blocks = -(-scenario.replicates // block_size(scenario.n))
    for first in range(0, blocks, RUN):
        yield simulate(scenario, SEED, first, min(first + RUN, blocks) - 1)


def savings(quick: bool) -> str:
    """Measure what control variates save for the normal distribution."""
    rows = []
    for n, least in SAVED.items():
        row = _saved(n, 2_000 if quick else 200_000)
        rows.append([f"n = {n:,}", beside(plus_minus(row.value, row.mcse), Goal(least, least=True), row.value)])
    return table(["sample size", "replicates saved"], rows)


def _saved(n: int, replicates: int) -> Row:
    scenario = replace(CASES["normal"].scenario(n), replicates=replicates)
    record = simulate(scenario, SEED, 0, -(-replicates // block_size(n)) - 1)
    found: Sequence[Row] = summarise_cell(scenario, record, limits(scenario))
    wanted = ("replicates_saved", "scaled_covariance", "sd")
    return next(row for row in found if (row.measure, row.estimator, row.row) == wanted)
