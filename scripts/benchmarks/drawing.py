"""What a whole simulated block costs, against drawing its numbers alone."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.cases import SEED, Case
from benchmarks.goals import beside, block_over_draw
from benchmarks.markdown import table
from benchmarks.timing import Pair, alternate
from simstudy.running.block import simulate
from simstudy.running.plan import task_blocks
from simstudy.study.streams import block_size, generator

SIZES = (50, 200, 2000)
ROUNDS = 5
ROUND_SECONDS = 0.6

TITLE = "Drawing, and drawing, fitting and recording"
NOTE = (
    "Nanoseconds per observation, one process. Draw: the numpy Generator's own method for the family, on the "
    "streams and blocks of a study. Block: the whole of the same blocks (draw, fit, information and score at θ̂ "
    "and at the truth, record). Each is timed over one task, or as much of it as takes about half a second, the two "
    f"by turns; medians of {ROUNDS}."
)


def section(cases: Sequence[Case], quick: bool) -> str:
    """Time every case at every size."""
    header = ["family"]
    for n in SIZES:
        header += [f"draw, n = {n:,}", "block", "block ÷ draw"]
    rows = [[str(case), *(cell for n in SIZES for cell in _cells(case, n, quick))] for case in cases]
    return table(header, rows)


def _cells(case: Case, n: int, quick: bool) -> list[str]:
    blocks = 1 if quick else _affordable(case, n)
    pair = measure(case, n, blocks, 1 if quick else ROUNDS)
    each = 1e9 / (blocks * block_size(n) * n)
    ratio = beside(f"{pair.ratio:.2f}", block_over_draw(case.name, n), pair.ratio)
    return [f"{pair.first * each:.1f}", f"{pair.second * each:.1f}", ratio]


def _affordable(case: Case, n: int) -> int:
    """Return the blocks of a task, or fewer where simulating these takes longer than a round should."""
    scenario = case.scenario(n)
    simulate(scenario, SEED, 0, 0)
    start = time.perf_counter()
    simulate(scenario, SEED, 0, 0)
    return max(1, min(task_blocks(n, len(scenario.free)), int(ROUND_SECONDS / (time.perf_counter() - start))))


def measure(case: Case, n: int, blocks: int, rounds: int) -> Pair:
    """Time drawing some blocks against simulating them."""
    scenario, size = case.scenario(n), (block_size(n), n)

    def draw() -> None:
        for block in range(blocks):
            case.draw(generator(scenario, SEED, block), size)

    return alternate(draw, lambda: simulate(scenario, SEED, 0, blocks - 1), rounds)
