"""How the time of a run grows with its draws, what storing adds to it, and what a dask cluster costs."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks import command, parallel
from benchmarks.cases import CASES, SEED
from benchmarks.goals import CLUSTER_SHARE, EXPONENT, STORING_PERCENT, Goal, beside
from benchmarks.markdown import seconds, table
from benchmarks.timing import alternate
from simstudy.running.backends import engine
from simstudy.running.block import simulate
from simstudy.running.complete import complete
from simstudy.running.plan import missing_tasks
from simstudy.running.progress import Silent
from simstudy.study.scenario import Study

SIZE = 100
DRAWS = (10**6, 10**7, 10**8, 10**9)
FAMILIES = ("exponential", "gamma", "weibull")
STORED_DRAWS, STORED_SIZES = 10**8, (100, 1000)
ROUNDS = 3
CLUSTER_SECONDS = 40.0

LINEAR_TITLE = "Time against draws"
LINEAR_NOTE = (
    f"Seconds in which one job simulates and stores R data sets of n = {SIZE}, R·n draws in all, and the exponent of "
    "R·n by which they grow: the slope of log seconds against log draws."
)
STORING_TITLE = "Storing and resuming"
STORING_NOTE = (
    f"What writing every file through to the disk, and reading and checking all of them when the finished study is run "
    f"again, add to simulating {STORED_DRAWS:,} draws in the same process without storing anything; "
    f"medians of {ROUNDS} neighbours."
)
CLUSTER_TITLE = "A dask cluster of this machine"
CLUSTER_NOTE = (
    "Seconds of simulation of `simstudy run configs/quickstart.yaml --jobs 2`, workers started and ended, with as many "
    f"replicates as one job simulates in about {CLUSTER_SECONDS:g} s, by turns on either back end; medians of {ROUNDS}."
)
SKIPPED = "Left out: dask is not installed (extra `[dask]`)."


def linear(quick: bool) -> str:
    """Time runs of more and more draws."""
    draws = DRAWS[:2] if quick else DRAWS
    rows = [_line(name, draws) for name in FAMILIES]
    return table(["family", *(f"10^{round(math.log10(n))} draws" for n in draws), "exponent"], rows)


def _line(name: str, draws: Sequence[int]) -> list[str]:
    _timed(_study(name, draws[0]))  # the first run pays for imports and caches
    times = [median(_timed(_study(name, count)) for _ in range(ROUNDS if count == draws[0] else 1)) for count in draws]
    exponent = slope([math.log(count) for count in draws], [math.log(taken) for taken in times])
    wanted, margin = EXPONENT
    verdict = f"{wanted:g} ± {margin:g}: {'ok' if abs(exponent - wanted) <= margin else 'miss'}"
    return [str(CASES[name]), *map(seconds, times), f"{exponent:.3f} ({verdict})"]


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of the least squares line.

    >>> slope([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    2.0
    """
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    products = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return products / sum((a - mean_x) ** 2 for a in x)


def _study(name: str, draws: int, n: int = SIZE) -> Study:
    return Study("timed", SEED, (replace(CASES[name].scenario(n), replicates=draws // n),))


def _timed(study: Study) -> float:
    """Return the seconds in which this process simulates and stores a study."""
    with tempfile.TemporaryDirectory(prefix="simstudy-benchmark-") as folder:
        start = time.perf_counter()
        complete(Path(folder), study, engine(1), "", Silent())
        return time.perf_counter() - start


def storing(quick: bool) -> str:
    """Time a run that stores and is resumed against one that does not."""
    draws, rounds = (STORED_DRAWS // 100, 1) if quick else (STORED_DRAWS, ROUNDS)
    rows = [_stored(name, n, draws, rounds) for n in STORED_SIZES for name in FAMILIES]
    return table(["family", "n", "simulated", "stored and resumed", "added"], rows)


def _stored(name: str, n: int, draws: int, rounds: int) -> list[str]:
    study = _study(name, draws, n)
    pair = alternate(lambda: _without_storing(study), lambda: _stored_twice(study), rounds)
    added = 100.0 * (pair.ratio - 1.0)
    goal = Goal(STORING_PERCENT)
    return [str(CASES[name]), f"{n:,}", seconds(pair.first), seconds(pair.second), beside(f"{added:.1f}%", goal, added)]


def _without_storing(study: Study) -> None:
    for scenario in study.scenarios:
        for task in missing_tasks(scenario, {}):
            simulate(scenario, study.seed, task.first_block, task.last_block)


def _stored_twice(study: Study) -> None:
    with tempfile.TemporaryDirectory(prefix="simstudy-benchmark-") as folder:
        for _ in range(2):
            complete(Path(folder), study, engine(1), "", Silent())


def cluster(quick: bool) -> str:
    """Time the same study on both back ends."""
    if find_spec("distributed") is None:
        return SKIPPED
    replicates = 2000 if quick else parallel.replicates_for(CLUSTER_SECONDS)
    times: dict[str, list[float]] = {"loky": [], "dask": []}
    for _ in range(1 if quick else ROUNDS):
        for backend, found in times.items():
            found.append(command.run(parallel.CONFIG, 2, replicates, backend=backend).simulation)
    share = median(loky / dask for loky, dask in zip(times["loky"], times["dask"], strict=True))
    shown = beside(f"{share:.2f}", Goal(CLUSTER_SHARE, least=True), share)
    cells = [f"{replicates:,}", *(f"{median(found):.1f}" for found in times.values()), shown]
    return table(["replicates of each cell", "loky", "dask", "speed, loky = 1"], [cells])
