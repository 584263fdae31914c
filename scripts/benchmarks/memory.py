"""What memory a run takes as it grows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import command
from benchmarks.goals import MAIN_MEGABYTES, WORKER_MEGABYTES, Goal, beside
from benchmarks.markdown import table

SIZE = 50
REPLICATES = (10_000, 100_000, 1_000_000)
CONFIG = f"""
study: memory
seed: 20240611
replicates: 1000
sample_sizes: [{SIZE}]
scenarios:
  - family: gamma
    parameters: {{shape: 2.0, scale: 1.0}}
  - family: weibull
    parameters: {{shape: 2.5, scale: 1.0}}
  - family: cauchy
    parameters: {{loc: 0.0, scale: 1.0}}
"""

TITLE = "Memory"
NOTE = (
    f"`simstudy run --jobs 2` on a gamma, a Weibull and a Cauchy scenario at n = {SIZE} with R replicates each: "
    "the most memory that a worker held, and the main process, which summarises the replicates part by part."
)
SKIPPED = "Left out: reading the memory of other processes needs psutil (extra `[dev]`) and Linux."


def section(quick: bool) -> str:
    """Measure the memory of workers for more and more replicates."""
    if not command.can_watch():
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="simstudy-benchmark-") as folder:
        config = Path(folder) / "memory.yaml"
        config.write_text(CONFIG, encoding="utf-8")
        rows = [_row(config, replicates) for replicates in (REPLICATES[:1] if quick else REPLICATES)]
    return table(["replicates", "worker", "main process"], rows)


def _row(config: Path, replicates: int) -> list[str]:
    run = command.run(config, 2, replicates, watch=True)
    worker, main = (run.worker_bytes or 0) / 1e6, (run.main_bytes or 0) / 1e6
    return [
        f"R = {replicates:,}",
        beside(f"{worker:.0f} MB", Goal(WORKER_MEGABYTES), worker),
        beside(f"{main:.0f} MB", Goal(MAIN_MEGABYTES), main),
    ]
