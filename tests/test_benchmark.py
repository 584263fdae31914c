"""The benchmark: it compares neighbours, knows what figures should reach, runs, and stands in the README."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from simstudy.families import FAMILIES
from simstudy.running.block import draw, estimate
from simstudy.study.streams import block_size, generator

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import benchmark  # noqa: E402
from benchmarks import (  # noqa: E402
    analysis,
    command,
    drawing,
    intervals,
    large,
    libraries,
    machine,
    memory,
    parallel,
    scaling,
    timing,
)
from benchmarks.cases import CASES, FIRST, SEED, Case  # noqa: E402
from benchmarks.goals import Goal, block_over_draw  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")


# By vectorised inversion, as a transform, or in another order, in simstudy: other numbers of the same law.
OTHER_NUMBERS = {
    "logistic", "cauchy", "laplace", "gumbel", "kumaraswamy", "inverse_gaussian", "lindley",
    "bivariate_normal", "multivariate_normal", "dirichlet", "bernoulli", "geometric", "negative_binomial",
    "student_t", "skew_normal", "generalized_extreme_value", "generalized_pareto",
}  # fmt: skip


def test_every_family_is_measured() -> None:
    assert list(CASES) == list(FAMILIES)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_point_is_a_typical_one(case: Case) -> None:
    for parameter, value in zip(case.family.listed[0].parameters, case.values, strict=True):
        assert parameter.typical[0] <= value <= parameter.typical[1]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_drawing_alone_draws_the_same_distribution(case: Case) -> None:
    n = 2000
    alone = case.draw(generator(case.scenario(n), SEED, 3), (block_size(n), n))
    simulated = draw(case.scenario(n), SEED, 3)
    if case.name in OTHER_NUMBERS:
        difference = kstest(alone.ravel(), simulated.ravel()).statistic
        assert difference < 2.2 * (2 / alone.size) ** 0.5  # a chance of 1e-4
    else:  # the same numbers to rounding; simstudy takes powers and exponentials in vectors
        assert_allclose(alone, simulated, rtol=1e-14)


def test_ratio_is_that_of_neighbours() -> None:
    """A machine that gets slower all the time changes no ratio by more than it changes between neighbours."""
    now, speed = [0.0], [1.0]

    def work(seconds: float) -> None:
        speed[0] *= 1.05
        now[0] += seconds * speed[0]

    pair = timing.alternate(lambda: work(2.0), lambda: work(6.0), 9, lambda: now[0])
    assert_allclose(pair.ratio, 3.0, rtol=0.05**2)
    assert pair.second > 1.5 * 6.0


def test_goals_are_those_of_the_project() -> None:
    expected = {
        "gamma": [2.5, 1.4, 1.4],
        "beta": [2.5, 1.4, 1.4],
        "weibull": [None, 3.5, 2.5],
        "logistic": [None, 3.5, 3.0],
        "cauchy": [None, 3.5, 3.0],
    }
    for family, bounds in expected.items():
        goals = [block_over_draw(family, n) for n in drawing.SIZES]
        assert [goal and goal.bound for goal in goals] == bounds


def test_goal_is_kept_at_its_bound() -> None:
    assert Goal(1.4).verdict(1.4) == "≤ 1.4: ok"
    assert Goal(1.4).verdict(1.41) == "≤ 1.4: miss"
    assert Goal(15.0, least=True).verdict(15.0) == "≥ 15: ok"
    assert Goal(15.0, least=True).verdict(14.9) == "≥ 15: miss"


@pytest.mark.skipif(machine.peak_bytes() is None, reason="the system does not say")
def test_peak_memory_is_seen() -> None:
    before = machine.peak_bytes()
    grown = np.ones(40_000_000)
    peak = machine.peak_bytes()
    assert before
    assert peak
    assert peak >= grown.nbytes


@pytest.mark.parametrize("case", [CASES["gamma"], CASES["weibull"], CASES["poisson"]], ids=lambda case: case.name)
def test_libraries_are_given_the_same_model(case: Case) -> None:
    import simstudy

    x = case.draw(generator(case.scenario(200), SEED, 0), (200,))
    expected = simstudy.fit(case.name, x).theta
    scipy = libraries.scipy_fit(case)
    if case.name == "poisson":
        assert scipy is None
    else:
        assert scipy
        shape, location, scale = scipy(x)
        assert location == 0.0
        assert_allclose([shape, scale], expected, rtol=1e-4)
        values = libraries.scipy_fit_and_value(case)
        assert values
        block = estimate(case.scenario(200), x[np.newaxis])
        assert_allclose(values(x), [block.value[0], block.value_limit[0]], rtol=1e-8)
    if find_spec("statsmodels"):
        domains = case.family.parametrisations[0].domains
        found = libraries.statsmodels_fit(case)(x).params
        assert_allclose([d.from_real(v) for d, v in zip(domains, found, strict=True)], expected, rtol=1e-4)


def test_quick_run_prints_its_tables() -> None:
    words = [ROOT / "scripts" / "benchmark.py", "--quick", "--families", "gamma", "poisson"]
    words += ["--sections", "drawing", "libraries", "large"]
    run = subprocess.run([sys.executable, *words], text=True, capture_output=True, check=True)
    assert "too short for its figures to be quoted" in run.stdout
    assert run.stdout.count("| gamma (2, 1) |") == 3
    assert re.search(r"\| gamma \(2, 1\) \| [\d.]+ \| [\d.]+ \| [\d.]+ \(≤ 2.5: \w+\) \|", run.stdout)
    assert re.search(r"\| poisson \(5\) \| (–|[\d.]+ µs) \| no `fit` \| – \| no `fit` \| – \|", run.stdout)
    assert ("| statsmodels | ÷ simstudy |" in run.stdout) == bool(find_spec("statsmodels"))
    assert ("statsmodels is left out: it is not installed" in run.stdout) != bool(find_spec("statsmodels"))


@pytest.mark.skipif(not command.can_watch(), reason="the memory of other processes cannot be read")
def test_run_of_the_command_is_watched(tmp_path: Path) -> None:
    config = tmp_path / "memory.yaml"
    config.write_text(memory.CONFIG)
    run = command.run(config, 2, 200, watch=True)
    assert 0.0 < run.simulation < run.whole
    assert run.worker_bytes
    assert run.main_bytes
    assert 20e6 < run.worker_bytes < 4e9
    assert 20e6 < run.main_bytes < 4e9


def test_failed_run_of_the_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"simstudy run missing\.yaml ended with exit code 2"):
        command.run(tmp_path / "missing.yaml", 1, 2)


def test_readme_is_written_only_by_a_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--quick"], ["--families", "gamma"], ["--sections", "large"]):
        with pytest.raises(SystemExit) as stop:
            benchmark.parse(["--write-readme", *words])
        assert stop.value.code == 2
        assert "--write-readme needs a whole run" in capsys.readouterr().err


def test_page_is_put_between_the_marks() -> None:
    text = f"before\n{benchmark.BEGIN}\nold\n{benchmark.END}\nafter\n"
    assert benchmark.placed(text, "new") == text.replace("old", "new")
    for wrong in ("", text * 2, f"{benchmark.END}\n{benchmark.BEGIN}"):
        with pytest.raises(ValueError, match=r"README\.md: the marks .* must stand there once each"):
            benchmark.placed(wrong, "new")


def test_readme_shows_the_page() -> None:
    page = README.split(benchmark.BEGIN)[1].split(benchmark.END)[0]
    for title in (
        drawing.TITLE,
        parallel.TITLE,
        scaling.CLUSTER_TITLE,
        scaling.LINEAR_TITLE,
        scaling.STORING_TITLE,
        libraries.TITLE,
        analysis.TITLE,
        intervals.TITLE,
        memory.TITLE,
        large.TITLE,
    ):
        assert f"### {title}\n" in page
    assert all(page.count(f"| {case} |") >= 1 for case in CASES.values())
    assert all(page.count(f"| {CASES[name]} |") >= 3 for name in FIRST)
    assert "| statsmodels | ÷ simstudy |" in page
    assert "quick run" not in page
