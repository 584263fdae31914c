"""The real program in its own process: arguments, messages, exit codes, signals, streams."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import simstudy
from simstudy.running.backends import engine
from simstudy.running.complete import complete
from simstudy.running.progress import Silent

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-m", "simstudy"]

CONFIG = """
study: small
seed: 3
replicates: {replicates}
sample_sizes: [20, 5000]
scenarios:
  - {{family: normal, parameters: {{mean: 0, sd: 1}}}}
  - {{family: poisson, parameters: {{mean: 0.1}}}}
"""


def write_config(folder, replicates=200, **changes):
    text = CONFIG.format(replicates=replicates)
    for old, new in changes.items():
        text = re.sub(rf"{old}: .*", f"{old}: {new}", text, count=1)
    (folder / "small.yaml").write_text(text)
    return "small.yaml"


def call(folder, *arguments, **options):
    """Run the program in a folder and return what became of it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    environment = {name: value for name, value in environment.items() if value is not None}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 120, **options}
    return subprocess.run([*PROGRAM, *map(str, arguments)], cwd=folder, env=environment, check=False, **options)


def tree(folder):
    """Relative paths and bytes of all results but the manifest, which holds times, and locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json" and not path.name.startswith(".lock")
    }


def simulate(folder, replicates=None):
    """Simulate what is missing, here and without a report, which takes most of the time of a small run."""
    study = simstudy.load(folder / "small.yaml", replicates)
    results = folder / "results/small"
    results.mkdir(parents=True, exist_ok=True)
    complete(results, study, engine(1), "simstudy run small.yaml", Silent())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which a small study was run by two workers, and what that printed."""
    folder = tmp_path_factory.mktemp("finished")
    done = call(folder, "run", write_config(folder), "--jobs", 2)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished folder that a test may spoil."""
    shutil.copytree(finished[0], tmp_path / "copy")
    return tmp_path / "copy"


# ---- help and other short verbs ----------------------------------------------------------------------------------


def test_help_names_all_verbs(tmp_path):
    done = call(tmp_path, "--help")
    assert done.returncode == 0
    verbs = "run collect report export replay failures compare check plan families schema"
    for verb in verbs.split():
        assert re.search(rf"^  {verb} ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "light"),
    [(["--help"], {"pydantic"}), (["--version"], {"pydantic"}), (["run", "--help"], set())],  # typer's own, for verbs
)
def test_help_imports_nothing_heavy(arguments, light):
    code = (
        "import atexit, sys; from simstudy.cli import main;"
        f"sys.argv[1:] = {arguments};"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "simstudy.cli" in loaded
    assert loaded.isdisjoint({"numpy", "scipy", "pandas", "matplotlib", "seaborn", "joblib", "yaml", "rich"} | light)


def test_importing_simstudy_imports_nothing_heavy():
    code = "import sys, simstudy; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({"numpy", "scipy", "pandas", "pydantic", "typer", "joblib"})


def test_help_is_quick(tmp_path):
    """0.3 s of processor time, however busy the machine is."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert call(tmp_path, "--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_version_is_that_of_the_distribution(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert call(tmp_path, "--version").stdout == f"simstudy {project['version']}\n"
    assert project["scripts"]["simstudy"] == "simstudy.cli:main"


def test_check_shows_the_plan_and_writes_nothing(tmp_path):
    done = call(tmp_path, "check", write_config(tmp_path), "--replicates", 5000)
    assert done.returncode == 0
    assert re.search(
        r"^poisson +5,000 +5,000 +25,025,000 +\d+\.\d\d +\d+\.\d kB +1\d\d\.\d MB$", done.stdout, re.MULTILINE
    )
    assert "small: 2 scenarios, 4 cells, 20,000 replicates" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_check_says_that_a_cap_is_the_most(tmp_path):
    config = write_config(tmp_path)
    (tmp_path / config).write_text((tmp_path / config).read_text() + "precision: {coverage: 0.01}\n")
    assert "small: 2 scenarios, 4 cells, at most 800 replicates" in call(tmp_path, "check", config).stdout


def test_plan_needs_no_results_folder(tmp_path):
    done = call(tmp_path, "plan", write_config(tmp_path), "--precision", "coverage=0.01", "--pilot", 100)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^5,000  coverage  0\.01 +~?\d+ +\d+\.\d\d +\d+\.\d kB  \*$", done.stdout, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_families(tmp_path):
    listed = call(tmp_path, "families").stdout
    assert re.search(r"^gamma +shape, scale \| shape, rate \| shape, mean$", listed, re.MULTILINE)
    assert [line.split()[0] for line in listed.splitlines()[1:]] == simstudy.families()


@pytest.mark.parametrize("name", simstudy.families())
def test_a_family(name):
    from simstudy import cli_messages

    shown = cli_messages.family(name)
    family = simstudy.family(name)
    assert shown.startswith(f"{name}: ")
    assert family.formula in shown
    assert shown.count("I(θ) per observation at ") == len(family.forms)
    assert "nan" not in shown


def test_schema_is_the_one_beside_the_configs(tmp_path):
    assert call(tmp_path, "schema").stdout == (ROOT / "configs" / "simstudy.schema.json").read_text()


# ---- running -----------------------------------------------------------------------------------------------------


def test_a_run_says_where_the_report_is_and_what_failed(finished):
    folder, done = finished
    lines = done.stdout.splitlines()
    assert lines[0] == "report: results/small/report.html"
    assert re.fullmatch(
        r"failures: \d+ of 800 replicates did not converge; most in poisson, n = 20: 1\d\.\d%; "
        r"to list them: simstudy failures results/small",
        lines[1],
    )
    assert (folder / "results/small/report.html").is_file()
    assert done.stderr.isascii()
    assert "100%: " in done.stderr


def test_steps_in_one_process_end_with_the_bytes_of_one_run_in_two(finished, tmp_path):
    write_config(tmp_path)
    for replicates in (7, 150):
        simulate(tmp_path, replicates)
    assert len(tree(tmp_path / "results/small")) == 4
    done = call(tmp_path, "run", "small.yaml", "--jobs", 1, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree(tmp_path / "results") == tree(finished[0] / "results")


def test_running_again_computes_nothing(copy):
    """The second run also shows what becomes of failures above the tolerated share."""
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.npz")}
    runs = simstudy.Results(copy / "results/small").manifest["runs"]
    done = call(copy, "run", "small.yaml", "--tolerate", 0.05)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1] == "more than the tolerated 5.0% in 1 cells: exit code 3"
    assert "%" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*.npz")} == before
    assert simstudy.Results(copy / "results/small").manifest["runs"] == runs


def test_scenarios_and_sizes_added_and_reordered_share_blocks(copy):
    before = tree(copy / "results/small/blocks")
    config = (copy / "small.yaml").read_text().replace("[20, 5000]", "[40, 5000, 20]")
    *head, normal, poisson = config.strip().splitlines()
    gamma = "  - {family: gamma, parameters: {shape: 2, scale: 1}}"
    (copy / "small.yaml").write_text("\n".join([*head, poisson, gamma, normal]))
    simulate(copy)
    after = tree(copy / "results/small/blocks")
    assert len(after) == 9
    assert before.items() <= after.items()


def test_fewer_replicates_leave_longer_files(copy):
    before = tree(copy / "results/small/blocks")
    simulate(copy, 20)
    assert tree(copy / "results/small/blocks") == before
    assert len(simstudy.Results(copy / "results/small").replicates("normal", 20)) == 20


def test_report_makes_everything_again(copy):
    results = copy / "results/small"
    before = tree(results)
    for path in (results / "summary.csv", results / "report.html", *(results / "figures").iterdir()):
        path.unlink()
    done = call(copy, "report", "results/small/")
    assert (done.returncode, done.stdout) == (0, "report: results/small/report.html\n")
    assert tree(results) == before


def test_a_figure_alone_in_other_formats(copy):
    results = copy / "results/small"
    before = tree(results)
    done = call(copy, "report", "results/small", "--only", "errors", "--format", "svg,pdf", "--jobs", 1)
    names = [f"figures/{scenario}-errors.{end}" for scenario in ("normal", "poisson") for end in ("svg", "pdf")]
    assert (done.returncode, done.stdout.splitlines()) == (0, [f"figure: results/small/{name}" for name in names])
    after = tree(results)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {name for name in names if name.endswith("pdf")}


def test_a_figure_that_has_nothing_to_show(copy):
    done = call(copy, "report", "results/small", "--only", "rate_covariance", "--jobs", 1)
    assert done.returncode == 0
    assert "nothing is written" in done.stdout


def test_many_files_are_counted():
    from simstudy.cli_messages import written

    paths = [Path(f"r/figures/{i}.svg") for i in range(30)]
    assert written(Path("r"), paths) == "figures: 30 files in r/figures"


def test_export_says_where(copy):
    done = call(copy, "export", "results/small", "--to", "rsimsum")
    assert (done.returncode, done.stdout) == (0, "rsimsum: results/small/rsimsum.csv\n")
    assert (copy / "results/small/rsimsum.csv").read_text().startswith("dgm,n,rep,method,param,theta,se,true\n")


def test_compare_by_exit_code(finished, copy):
    done = call(copy, "compare", "results/small", finished[0] / "results/small")
    assert done.returncode == 0
    assert done.stdout.startswith("0 of ")
    text = (copy / "results/small/summary.csv").read_text()
    (copy / "results/small/summary.csv").write_text(re.sub(r"(,bias,raw,mean,,)[^,]*", r"\g<1>9.0", text))
    done = call(copy, "compare", "results/small", finished[0] / "results/small")
    assert done.returncode == 3
    assert "4 of " in done.stdout


def test_the_report_gives_the_command(finished):
    report = (finished[0] / "results/small/report.html").read_text()
    assert "simstudy run small.yaml" in report
    assert str(finished[0]) not in report


# ---- bad input: exit code, one line per fault, nothing written ----------------------------------------------------


def assert_refused(done, code, *patterns):
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(patterns)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.search(rf"^error: .*{pattern}", line), line


def test_all_faults_of_a_config_with_their_lines(tmp_path):
    config = write_config(tmp_path)
    text = (tmp_path / config).read_text()
    (tmp_path / config).write_text(text.replace("poisson", "poison").replace("seed: 3", "seed: x"))
    for verb in ("run", "check"):
        assert_refused(call(tmp_path, verb, config), 2, r"small\.yaml:3: seed", r"small\.yaml:8: .*poisson")
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "CONFIG"),
        (["run", "missing.yaml"], "missing.yaml"),
        (["run", "small.yaml", "--jobs", "0"], "jobs"),
        (["run", "small.yaml", "--replicates", "1"], "replicates"),
        (["run", "small.yaml", "--tolerate", "2"], "tolerate"),
        (["run", "small.yaml", "--job", "2"], "--jobs"),
        (["runn", "small.yaml"], "runn"),
        (["families", "gama"], "did you mean 'gamma'"),
        (["plan", "small.yaml", "--precision", "coverage"], "'coverage' is no MEASURE=MCSE"),
        (["plan", "small.yaml", "--precision", "coverag=1%"], "did you mean 'coverage'"),
        (["plan", "small.yaml", "--pilot", "3"], "pilot"),
    ],
)
def test_bad_usage(tmp_path, arguments, says):
    write_config(tmp_path)
    done = call(tmp_path, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_another_study_in_the_folder(copy):
    before = tree(copy)
    text = (copy / "small.yaml").read_text().replace("seed: 3", "seed: 4").replace("sd: 1", "sd: 2")
    (copy / "small.yaml").write_text(text)
    done = call(copy, "run", "small.yaml")
    parameter = "made by another study: scenario 'normal', parameter sd was 1.0, is now 2.0"
    assert_refused(done, 4, parameter, "made by another study: seed was 3, is now 4")
    (copy / "small.yaml").write_bytes(before["small.yaml"])
    assert tree(copy) == before


def test_a_folder_of_other_things(tmp_path):
    (tmp_path / "results/small").mkdir(parents=True)
    (tmp_path / "results/small/thesis.tex").touch()
    assert_refused(call(tmp_path, "run", write_config(tmp_path)), 4, r"holds 'thesis\.tex'")
    assert [path.name for path in (tmp_path / "results/small").iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "results").touch()
    assert_refused(call(tmp_path, "run", write_config(tmp_path)), 5, "results")


def test_every_damaged_file_is_named(copy, finished):
    results = copy / "results/small"
    first, second, *_ = sorted(results.rglob("*.npz"))
    first.write_bytes(first.read_bytes()[:-100])
    second.write_bytes(b"")
    before = tree(copy)
    assert_refused(call(copy, "report", "results/small"), 5, rf"{first.name}: damaged: .*; run the study again")
    assert tree(copy) == before
    done = call(copy, "run", "small.yaml", "--quiet")
    for path in (first, second):
        assert re.search(rf"{path.relative_to(copy)}: damaged: .*; moved to quarantine/", done.stderr)
    assert {name: raw for name, raw in tree(copy).items() if "/quarantine/" not in name} == tree(finished[0])


def test_forms_and_figures_that_there_are_not(copy):
    refusals = {
        (
            "report",
            "results/small",
            "--only",
            "covrage",
        ): "only: no such figure, got 'covrage'; did you mean 'coverage'",
        ("report", "results/small", "--format", "svg,pgn"): "formats: no such format, got 'pgn'; did you mean 'png'",
        ("export", "results/small", "--to", "cvs"): "export: no such form, got 'cvs'; did you mean 'csv'",
    }
    before = tree(copy)
    for arguments, said in refusals.items():
        assert_refused(call(copy, *arguments), 2, said)
    assert_refused(
        call(copy, "export", "results/small", "--to", "csv", "--output", "no/x"), 5, "no/x: cannot be written"
    )
    assert_refused(call(copy, "compare", "results/small", "nowhere"), 5, r"nowhere: no manifest\.json in it")
    assert tree(copy) == before


def test_a_report_of_nothing(tmp_path):
    assert_refused(call(tmp_path, "report", "nowhere"), 5, r"nowhere: no manifest\.json in it")


def test_a_report_of_an_unfinished_study(copy):
    next((copy / "results").rglob("*.npz")).unlink()
    assert_refused(call(copy, "report", "results/small"), 5, "unfinished: .* run the study again")


def test_what_cannot_fit_is_refused_before_it_is_begun(tmp_path):
    config = write_config(tmp_path, replicates=10**9)
    text = (tmp_path / config).read_text().replace("[20, 5000]", "{from: 1000000, to: 2000000, ratio: 1.001}")
    (tmp_path / config).write_text(text)
    start = time.monotonic()
    done = call(tmp_path, "run", config, "--jobs", 1)
    assert_refused(done, 5, r"no space: the study takes about [\d,]+ bytes, and [\d,]+ are free")
    assert time.monotonic() - start < 20
    assert not list(tmp_path.rglob("*.npz"))


def test_an_unexpected_error_is_one_line_and_a_traceback_on_request(tmp_path):
    code = "from simstudy import api; api.families = lambda: 1 / 0; from simstudy.cli import main; main()"
    for wanted in (None, "1"):
        done = subprocess.run(
            [sys.executable, "-c", code, "families"],
            cwd=ROOT,
            env={**os.environ, "SIMSTUDY_TRACEBACK": wanted or ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.endswith(
            "error: unexpected ZeroDivisionError: division by zero; "
            "set SIMSTUDY_TRACEBACK=1 to see where, and please report it\n"
        )
        assert ("Traceback" in done.stderr) == bool(wanted)


# ---- streams -----------------------------------------------------------------------------------------------------


C_LOCALE = {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NARROW = {"NO_COLOR": "1", "FORCE_COLOR": "1", "COLUMNS": "20"}
HOMELESS = {"PYTHONIOENCODING": "ascii", "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}


def assert_plain(done):
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr)


@pytest.mark.parametrize("env", [C_LOCALE, NARROW, HOMELESS])
def test_strange_environments_give_plain_text(copy, env):
    for arguments in (["families", "gamma"], ["--help"], ["check", "small.yaml"]):
        assert_plain(call(copy, *arguments, env=env))


def test_a_run_in_a_strange_environment(copy):
    assert_plain(call(copy, "run", "small.yaml", "--replicates", 300, env=C_LOCALE | NARROW | HOMELESS))


def test_a_reader_that_goes_away(tmp_path):
    command = f"{sys.executable} -m simstudy families gamma | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1] == "0"


@pytest.mark.parametrize(
    ("arguments", "redirection"),
    [("families", ">&-"), ("families", "</dev/null 2>&-"), ("run small.yaml --replicates 201", ">&- 2>&-")],
)
def test_closed_streams(copy, arguments, redirection):
    command = f"{sys.executable} -m simstudy {arguments} {redirection}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", command], cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_gets_a_bar(tmp_path):
    import pty

    parent, child = pty.openpty()
    env = {"TERM": "xterm-256color", "COLUMNS": "120", "LANG": "C.UTF-8", "NO_COLOR": None}
    config = write_config(tmp_path)
    with ThreadPoolExecutor() as reader:  # a terminal takes what it is given: one that is full would halt the program
        printed = reader.submit(drained, parent)
        done = call(tmp_path, "run", config, "--jobs", 1, env=env, stdin=child, stdout=child, stderr=child)
        os.close(child)
    os.close(parent)
    assert done.returncode == 0
    assert "━" in printed.result()
    assert "100%" in printed.result()
    assert "report: results/small/report.html" in printed.result()


def drained(terminal):
    """All that is printed to a terminal until its other end is closed."""
    printed = b""
    try:
        while piece := os.read(terminal, 65536):
            printed += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    return printed.decode()
