"""Families of a user's own, through the command line and the Python interface."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import simstudy
from simstudy.errors import ConfigError, ForeignResultsError, UnusableResultsError
from simstudy.families import FAMILIES
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.execute import UnfinishedTasksError
from simstudy.running.progress import Silent
from tests.plugins import BASE, OWN, call, family, here, registry, study

ROOT = Path(__file__).resolve().parents[1]
__all__ = ["here", "registry"]


def program(folder, *arguments):
    """Run the real program in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "simstudy", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        check=False,
    )


def blocks(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.npz"))}


def simulate(jobs=1, replicates=None, results="results/s"):
    """Simulate what is missing of s.yaml, without the report, which takes most of the time of a small run."""
    loaded = simstudy.load("s.yaml", replicates)
    Path(results).mkdir(parents=True, exist_ok=True)
    complete(Path(results), loaded, engine(jobs), "simstudy run s.yaml --plugin mine.py", Silent())
    return simstudy.Results(results)


def write(plugin=OWN, config=None):
    """Write a plug-in and a config of it into the working folder."""
    Path("mine.py").write_text(plugin)
    Path("s.yaml").write_text(config or study("own"))


# ---- the whole way, in processes of its own ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which a study of a plug-in, which no path leads to, was run by two workers."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "mine.py").write_text(OWN)
    (folder / "s.yaml").write_text(study("own"))
    done = program(folder, "run", "s.yaml", "--plugin", "plugins/mine.py", "--jobs", "2", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture
def copy(finished, tmp_path, registry, monkeypatch):
    """A copy of the finished folder, worked in, with the plug-in at the top."""
    shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    write(config=(finished / "s.yaml").read_text())
    return Path("results/s")


def test_the_report_tells_the_family(finished):
    page = (finished / "results/s/report.html").read_text()
    assert "simstudy run s.yaml --plugin plugins/mine.py" in page
    assert "log p(x) = log x − 2 log scale − x²/(2 scale²)" in page


def test_the_manifest_names_the_plugin(finished):
    said = json.loads((finished / "results/s/manifest.json").read_text())["plugins"]
    assert list(said) == ["own"]
    assert said["own"]["file"] == "mine.py"
    assert re.fullmatch(r"[0-9a-f]{64}", said["own"]["sha256"])


def test_a_report_is_made_again_by_another_process(copy):
    before = (copy / "report.html").read_bytes()
    (copy / "report.html").unlink()
    done = program(".", "report", "results/s", "--plugin", "mine.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert (copy / "report.html").read_bytes() == before


# ---- numbers -------------------------------------------------------------------------------------------------------


def test_jobs_do_not_change_bytes_and_runs_grow(copy):
    simstudy.load_plugin("mine.py")
    simulate(1, 30, "one")
    simulate(1, 60, "one")
    simulate(2, 60)
    assert blocks(Path("one")) == blocks(copy)


def test_names_and_draws_do_not_depend_on_the_text_of_the_plugin(copy):
    """An edit makes other results of the same data, so that two versions can be compared."""
    simstudy.load_plugin("mine.py")
    before = simstudy.Results(copy).replicates("own", 3000)
    write(OWN + "# edited\n")
    simstudy.load_plugin("mine.py")
    assert simulate(1, results="edited").replicates("own", 3000).equals(before)
    assert blocks(Path("edited")) != blocks(copy)


def test_a_plugin_that_draws_and_one_that_is_fitted(here):
    config = study("own").replace("name: own", "name: drawn").replace("}}", "}, fit: gamma}")
    config += "  - {name: fitted, family: gamma, parameters: {shape: 3, scale: 1}, fit: own}\n"
    write(config=config)
    simstudy.load_plugin("mine.py")
    results = simulate()
    for path in Path("results").rglob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert list(json.loads(str(stored["identity"]))["plugins"]) == ["own"]
    assert Counter(results.replicates("fitted", 3000)["status"]) == {"CONVERGED": 40}


def test_results_of_builtin_families_do_not_change(here):
    Path("s.yaml").write_text(study("rayleigh").replace("rayleigh", "normal").replace("scale: 2", "mean: 0, sd: 1"))
    simulate(results="without")
    write(OWN, Path("s.yaml").read_text())
    simstudy.load_plugin("mine.py")
    simulate(results="with")
    assert blocks(Path("without")) == blocks(Path("with"))
    assert "plugins" not in json.loads(Path("with/manifest.json").read_text())


def test_python_has_the_family_by_name(copy):
    assert simstudy.load_plugin("mine.py") == ["own"]
    assert simstudy.families() == [*FAMILIES, "own"]
    assert simstudy.family("own").name == "own"
    found = simstudy.fit("own", [[1.0, 2.0], [3.0, 3.0]])
    assert found.theta[:, 0] == pytest.approx([1.25**0.5, 4.5**0.5])
    assert simstudy.expected_information("own", {"scale": 2.0}).loc["scale", "scale"] == pytest.approx(1.0)
    results = simstudy.Results(copy)
    assert Counter(results.replicates("own", 3000)["status"]) == {"CONVERGED": 40}
    assert set(results.summary()["family"]) == {"own"}


# ---- what is refused -----------------------------------------------------------------------------------------------


def refused(capsys, *arguments):
    """Return the exit code and the lines of error, which come alone."""
    code = call(*arguments)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return code, [line.removeprefix("error: ") for line in printed.err.splitlines()]


@pytest.mark.parametrize("verb", ["run", "report"])
def test_results_without_their_plugin(copy, capsys, verb):
    """Not even for a study that has no need of it any more, for the old config cannot be read."""
    Path("s.yaml").write_text(study("own").replace("own", "normal").replace("scale: 2", "mean: 0, sd: 1"))
    before = blocks(copy)
    code, lines = refused(capsys, verb, "s.yaml" if verb == "run" else "results/s")
    assert (code, lines) == (
        2,
        [
            (
                "results/s: made with the plug-in mine.py, which defines own and is not loaded: give --plugin mine.py, "
                "or in Python simstudy.load_plugin('mine.py')"
            )
        ],
    )
    assert blocks(copy) == before
    with pytest.raises(ConfigError, match=r"give --plugin mine\.py"):
        simstudy.Results(copy)


@pytest.mark.parametrize("verb", ["run", "report"])
def test_results_of_an_edited_plugin(copy, capsys, verb):
    before = blocks(copy)
    write(OWN.replace("2.0 * np.log", "2 * np.log"), Path("s.yaml").read_text())
    code, (line,) = refused(capsys, verb, "s.yaml" if verb == "run" else "results/s", "--plugin", "mine.py")
    assert code == 4
    assert re.fullmatch(
        r"results/s: the plug-in changed: 'own' was of mine\.py \(sha256 [0-9a-f]{12}…\), is now of mine\.py "
        r"\(sha256 [0-9a-f]{12}…\); use another results folder or study name, or the plug-in as it was",
        line,
    )
    assert blocks(copy) == before
    with pytest.raises(ForeignResultsError, match="the plug-in changed"):
        simstudy.Results(copy)


def test_an_edited_plugin_of_scenarios_that_are_gone(copy, capsys):
    """What is left of the study does not depend on it; once back, their blocks are put away and made again."""
    config = Path("s.yaml").read_text()
    write(OWN + "# edited\n", study("normal").replace("scale: 2", "mean: 0, sd: 1"))
    simstudy.load_plugin("mine.py")
    simulate()
    Path("s.yaml").write_text(config)
    before = blocks(copy)
    assert call("run", "s.yaml", "--plugin", "mine.py", "--quiet") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all(re.search(r"made by another study: plugins is .*own.*; moved to quarantine/", line) for line in lines)
    assert set(blocks(copy / "quarantine").values()) <= set(before.values())


def test_a_builtin_family_in_the_place_of_a_plugin(copy, monkeypatch):
    simstudy.load_plugin("mine.py")
    own = simstudy.family("own")
    monkeypatch.setattr(simstudy.families.REGISTRY, "_plugins", {})
    monkeypatch.setitem(FAMILIES, "own", own)
    with pytest.raises(ForeignResultsError, match=r"'own' was of mine\.py .*, is now built in; "):
        simstudy.Results(copy)


@pytest.mark.parametrize("said", [[], {"own": None}, {"own": {"fill": "mine.py"}}, {"own": "mine.py"}])
def test_a_manifest_with_damaged_plugins(copy, said):
    path = copy / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"plugins": said}))
    with pytest.raises(UnusableResultsError, match=r"manifest\.json: damaged: its plugins cannot be read; "):
        simstudy.Results(copy)


@pytest.mark.parametrize(
    ("plugin", "says"),
    [
        (None, "mine.py: the plug-in cannot be read, no such file or directory: give the path of a Python file"),
        ("x = (\n", "mine.py:1: SyntaxError: '(' was never closed: mend the plug-in"),
        ("x = 1\nx.y\n", "mine.py:2: AttributeError: 'int' object has no attribute 'y': mend the plug-in"),
        (BASE, "mine.py: defines no family: give it a class derived from simstudy.families.base.Family"),
        (BASE + family("normal"), "mine.py: the family 'normal' is built in: give yours another name"),
    ],
)
@pytest.mark.parametrize(
    "words", [("run", "s.yaml"), ("check", "s.yaml"), ("report", "results/s"), ("families",), ("schema",)]
)
def test_every_verb_refuses_a_plugin_that_cannot_be_used(here, capsys, words, plugin, says):
    write(plugin or "")
    if plugin is None:
        Path("mine.py").unlink()
    assert refused(capsys, *words, "--plugin", "mine.py") == (2, [says])
    if len(words) == 1:
        assert refused(capsys, "check-family", "mine.py") == (2, [says])
    assert not Path("results").exists()


def test_two_plugins_with_one_name(here, capsys):
    write()
    Path("other.py").write_text(OWN)
    code, lines = refused(capsys, "run", "s.yaml", "--plugin", "mine.py", "--plugin", "other.py")
    assert (code, lines) == (2, ["other.py: mine.py has a family 'own' as well: rename one, or leave one out"])


def test_a_plugin_that_raises_while_the_config_is_read(here, capsys):
    text = BASE + family("own", "def minimum_size(self, free):\n    return 1 / 0")
    write(text)
    code, lines = refused(capsys, "check", "s.yaml", "--plugin", "mine.py")
    assert (code, lines) == (
        2,
        [f"mine.py:{text.count(chr(10))}: ZeroDivisionError: division by zero: mend the plug-in"],
    )


# ---- verbs that read configs ---------------------------------------------------------------------------------------


def test_families_schema_and_check_know_it(here, capsys):
    write(config=study("own", "b"))
    Path("b.py").write_text(BASE + family("b"))
    both = ("--plugin", "mine.py", "--plugin", "b.py")
    assert call("families", *both) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[-2:]] == [["own", "scale"], ["b", "scale"]]
    assert call("families", "own", *both) == 0
    assert "own: log p(x) = log x − 2 log scale − x²/(2 scale²)" in capsys.readouterr().out
    assert call("schema", *both) == 0
    schema = json.loads(capsys.readouterr().out)["$defs"]["ScenarioConfig"]
    assert schema["properties"]["family"]["enum"] == [*FAMILIES, "own", "b"]
    assert call("check", "s.yaml", *both) == 0
    assert "s: 2 scenarios, 2 cells, 80 replicates" in capsys.readouterr().out


# ---- plug-ins that misbehave ---------------------------------------------------------------------------------------


HARMLESS = {
    "nan_density": ("NOT_FINITE", "def log_density(self, x, theta):\n    return np.full(x.shape, np.nan) * theta[0]"),
    "nan_sample": ("NOT_FINITE", "def sample(self, rng, theta, size):\n    return np.full(size, np.nan)"),
    "nan_start": ("MAX_ITERATIONS", "def start(self, x):\n    return (np.full(len(x), np.nan),)"),
}


def test_what_is_not_a_number_is_a_status(here):
    write(
        BASE + family("own") + "".join(family(name, text) for name, (_, text) in HARMLESS.items()),
        study("own", *HARMLESS),
    )
    simstudy.load_plugin("mine.py")
    results = simulate()
    for name, (status, _) in HARMLESS.items():
        assert Counter(results.replicates(name, 3000)["status"]) == {status: 40}
    assert Counter(results.replicates("own", 3000)["status"]) == {"CONVERGED": 40}


HARMFUL = {
    "raises": ("def start(self, x):\n    raise ValueError('no\\nstart')", r"mine\.py:\d+: ValueError: no start"),
    "sample_shape": (
        "def sample(self, rng, theta, size):\n    return rng.rayleigh(theta[0], size[0])",
        r"sample returned float64 of shape \(21,\), not real numbers of shape \(21, 3000\)",
    ),
    "complex_sample": (
        "def sample(self, rng, theta, size):\n    return rng.rayleigh(theta[0], size) + 0j",
        r"sample returned complex128 of shape \(21, 3000\), not real numbers of shape",
    ),
    "density_shape": (
        "def log_density(self, x, theta):\n    return x.sum(axis=-1)",
        r"mine\.py:\d+: log_density returned float64 of shape \(21,\), not real numbers of shape \(21, 3000\)",
    ),
    "complex_density": (
        "def log_density(self, x, theta):\n    return super().log_density(x, theta) + 0j",
        r"mine\.py:\d+: log_density returned complex128 of shape \(21, 3000\), not real numbers",
    ),
    "start_shape": (
        "def start(self, x):\n    return x.mean(axis=-1)",
        r"mine\.py:\d+: start has 21 entries, not 1",
    ),
    "score_count": ("def score(self, x, theta):\n    return ()", "score has 0 entries, not 1"),
    "writes_data": (
        "def start(self, x):\n    x.sort(axis=-1)\n    return super().start(x)",
        r"mine\.py:\d+: ValueError: .*read-only",
    ),
    "writes_theta": (
        "def log_density(self, x, theta):\n    theta[0] *= 2\n    return super().log_density(x, theta)",
        r"mine\.py:\d+: .*(read-only|'tuple' object|output array)",
    ),
}


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_cannot_be_stored_is_told_and_the_others_are(here, jobs):
    bad = "".join(family(name, member) for name, (member, _) in HARMFUL.items())
    write(BASE + family("own") + bad, study(*HARMFUL, "own"))
    simstudy.load_plugin("mine.py")
    with pytest.raises(UnfinishedTasksError) as caught:
        simulate(jobs)
    lines = sorted(str(caught.value).splitlines()[:-1])
    assert len(lines) == len(HARMFUL)
    for name, line in zip(sorted(HARMFUL), lines, strict=True):
        assert re.match(rf"scenario '{name}', n = 3000, replicates 0-41: .*{HARMFUL[name][1]}", line), line
    assert caught.value.exit_code == 3
    assert [Path(name).parts[3] for name in blocks(here)] == ["own"]


def test_limits_that_cannot_be_computed(here):
    members = {
        "raises": "def expected_information(self, theta):\n    raise ValueError('no information')",
        "complex_information": "def expected_information(self, theta):\n    return (4.0 / theta[0] ** 2 + 0j,)",
        "information_shape": "def expected_information(self, theta):\n    return np.ones((7, 3))",
    }
    write(BASE + "".join(family(*item) for item in members.items()), study(*members))
    simstudy.load_plugin("mine.py")
    results = simulate()
    limits = {scenario.name: found for scenario, _, found in results.cells()}
    assert re.fullmatch(
        r"the limits cannot be computed: mine\.py:\d+: ValueError: no information", limits["raises"].irregularity
    )
    assert (
        "expected_information returned complex128 of shape (1,), not real numbers"
        in limits["complex_information"].irregularity
    )
    assert "expected_information has 7 entries, not 1" in limits["information_shape"].irregularity
    summary = results.summary()
    assert summary.query("measure == 'bias'")["value"].notna().all()
    assert summary.query("measure == 'coverage' and estimator == 'expected'")["value"].isna().all()


def test_limits_follow_an_edit(here):
    write()
    simstudy.load_plugin("mine.py")
    before = simstudy.expected_information("own", {"scale": 2.0}).iloc[0, 0]
    write(BASE + family("own", "def expected_information(self, theta):\n    return (7.0 + 0.0 * theta[0],)"))
    simstudy.load_plugin("mine.py")
    after = simstudy.expected_information("own", {"scale": 2.0}).iloc[0, 0]
    assert (before, after) == (pytest.approx(1.0), 7.0)


# ---- check-family --------------------------------------------------------------------------------------------------

QUICK = "domains,score,start,known_parameters"


def test_a_family_that_keeps_the_laws(here, capsys):
    write()
    assert call("check-family", "mine.py", "--laws", QUICK) == 0
    heading, *laws, verdict = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"own from mine\.py \(sha256 [0-9a-f]{12}…\)", heading)
    assert [line.split() for line in laws] == [
        ["domains", "holds", "at", "3", "points"],
        ["score", "holds", "at", "3", "points"],
        ["start", "holds", "at", "3", "points"],
        ["known_parameters", "holds", "with", "nothing", "to", "check"],
    ]
    assert verdict == "own: all 4 laws hold"


def test_a_family_that_breaks_laws(here, capsys):
    wrong = "irregular = {'start': 'it is rough'}\ndef score(self, x, theta):\n    return (x * 0.0 + 1.0,)"
    write(BASE + family("own") + family("wrong", wrong) + family("raises", "def score(self, x, theta):\n    1 / 0"))
    assert call("check-family", "mine.py", "--laws", "domains, score, start") == 3
    lines = capsys.readouterr().out.splitlines()
    assert "own: all 3 laws hold" in lines
    part = lines[lines.index("own: all 3 laws hold") + 1 :]
    assert re.match(r"  score  +FAILS  at 3 of 3 points: ", part[2])
    assert re.match(r"      at scale=[\d.]+: error [\d.e+-]+, tolerance [\d.e+-]+: ", part[3])
    assert re.match(r"  start  +not checked, excepted: it is rough", part[6])
    assert part[7] == "wrong: 1 of 3 laws fail"
    assert re.match(r"      at scale=[\d.]+: raised mine\.py:\d+: ZeroDivisionError: division by zero", part[11])
    assert lines[-1] == "raises: 1 of 3 laws fail"


def test_one_of_the_families_of_a_file_and_a_builtin_one(here, capsys):
    write(BASE + family("a") + family("b"))
    assert call("check-family", "b", "--plugin", "mine.py", "--laws", "domains", "--seed", "3") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "b: the law holds"
    assert call("check-family", "gamma", "--laws", "domains score") == 0
    assert capsys.readouterr().out.splitlines()[0] == "gamma"
    assert call("check-family", "binomial", "--laws", "domains") == 0
    assert capsys.readouterr().out.splitlines()[0] == "binomial, with trials = 7"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("gama",), "family: there is no family 'gama'; did you mean 'gamma'?"),
        (("gamma", "--laws", "scor"), "laws: there is no law 'scor'; did you mean 'score'?"),
        (("gamma", "--laws", " ,"), "laws: none is named: give some of domains, "),
        (("mine.py",), "wrong: irregular: there is no law 'scor'; did you mean 'score'?"),
        (("folder/none.py",), "folder/none.py: the plug-in cannot be read, no such file or directory"),
    ],
)
def test_what_cannot_be_checked(here, capsys, arguments, says):
    write(OWN + family("wrong", "irregular = {'scor': 'a slip'}"))
    code, (line,) = refused(capsys, "check-family", *arguments)
    assert code == 2
    assert line.startswith(says)
