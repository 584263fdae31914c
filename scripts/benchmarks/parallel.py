"""What a second job gains."""

from __future__ import annotations

from statistics import median

from benchmarks import ROOT, command
from benchmarks.goals import SPEED_UP, Goal, beside
from benchmarks.markdown import table
from simstudy.running.costs import measured_costs
from simstudy.running.plan import estimate
from simstudy.study.config import load

CONFIG = ROOT / "configs" / "quickstart.yaml"
WORK_SECONDS = 20.0
ROUNDS = 3
JOBS = (1, 2)

TITLE = "Two jobs"
NOTE = (
    "Seconds of `simstudy run configs/quickstart.yaml` with as many replicates as one job simulates in about "
    f"{WORK_SECONDS:g} s, each time in a new process and results folder, by turns; medians of {ROUNDS}. "
    "Simulation: from before the workers start until the last file is on the disk, as the manifest says. Whole "
    "command: also start-up, summary, figures and report, which one process makes."
)


def section(quick: bool) -> str:
    """Time the same study at one and at two jobs."""
    replicates = 2000 if quick else replicates_for(WORK_SECONDS)
    runs: dict[int, list[command.Run]] = {jobs: [] for jobs in JOBS}
    for _ in range(1 if quick else ROUNDS):
        for jobs in JOBS:
            runs[jobs].append(command.run(CONFIG, jobs, replicates))
    rows = [
        _row("simulation", [[run.simulation for run in runs[jobs]] for jobs in JOBS], Goal(SPEED_UP, least=True)),
        _row("whole command", [[run.whole for run in runs[jobs]] for jobs in JOBS], None),
    ]
    return table([f"{replicates:,} replicates of each cell", "1 job", "2 jobs", "speed-up"], rows)


def _row(what: str, times: list[list[float]], goal: Goal | None) -> list[str]:
    one, two = times
    gain = median(first / second for first, second in zip(one, two, strict=True))
    return [what, f"{median(one):.1f}", f"{median(two):.1f}", beside(f"{gain:.2f}", goal, gain)]


def replicates_for(seconds: float) -> int:
    """Return how many replicates of every cell take one job that long."""
    study = load(CONFIG)
    taken = sum(cell.seconds for cell in estimate(study, measured_costs(study.scenarios)))
    return max(2, round(study.scenarios[0].replicates * seconds / taken / 1000.0) * 1000)
