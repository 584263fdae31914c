"""One data set of ten million observations."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from benchmarks.cases import CASES, FIRST, SEED, Case
from benchmarks.machine import peak_bytes
from benchmarks.markdown import seconds, table
from simstudy.families.status import Status
from simstudy.running.block import simulate
from simstudy.running.memory import keep_freed_memory
from simstudy.study.limits import limits

SIZE = 10_000_000
BYTES_PER_NUMBER = 8

TITLE = "One data set of n = 10⁷"
NOTE = (
    "Draw, fit, information and score at θ̂ and at the truth, each family in a process of its own. The data alone are "
    f"{SIZE * BYTES_PER_NUMBER / 1e6:.0f} MB. Error: (θ̂ − θ) of each parameter, in its standard errors."
)


def section(cases: Sequence[Case], quick: bool) -> str:
    """Simulate one large data set of each of the first families in a new process each."""
    rows = [_row(case, quick) for case in cases if case.name in FIRST]
    return table(["family", "status", "time", "peak memory", "error"], rows)


def _row(case: Case, quick: bool) -> list[str]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        taken, peak, status, errors = process.submit(one, case.name, SIZE // 100 if quick else SIZE).result()
    memory = f"{peak / 1e6:.0f} MB" if peak else "–"
    shown = ", ".join(f"{error:+.2f}".replace("-", "−") for error in errors)
    verdict = f"{status.name} ({'ok' if status is Status.CONVERGED else 'miss'})"
    return [str(case), verdict, seconds(taken), memory, shown]


def one(name: str, n: int) -> tuple[float, int | None, Status, list[float]]:
    """Return seconds, peak bytes, status and standardised errors of one data set."""
    keep_freed_memory()
    case = CASES[name]
    scenario = case.scenario(n)
    start = time.perf_counter()
    found = simulate(scenario, SEED, 0, 0)
    taken = time.perf_counter() - start
    errors = (found.theta[0] - case.values) / np.sqrt(np.diag(limits(scenario).covariance) / n)
    return taken, peak_bytes(), Status(int(found.status[0])), errors.tolist()
