"""The set-up: what the locks promise, and what the scripts do with a .venv that is new, half made or stale.

The scripts run with a stand-in for ``uv`` that keeps a record of how it was called, so nothing is downloaded.
"""

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, Requirement]:
    """Read the requirements of a lock, by name."""
    lines = lock.replace("\\\n", " ").splitlines()
    texts = [line.split("--hash")[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    found = [Requirement(text) for text in texts]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def faults_of_lock(lock: str) -> list[str]:
    """List what keeps a lock from naming exactly one set of files, wherever they come from."""
    faults = []
    for line in lock.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        text, *hashes = line.split("--hash=")
        if not re.fullmatch(r"[a-z0-9-]+==[0-9][^ *]*( ;.*)?", text.strip()):
            faults.append(f"not a pin: {text}")
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", h.strip()) for h in hashes):
            faults.append(f"no sha256, or a bad one: {text}")
    faults += [f"an address: {line}" for line in lock.splitlines() if "://" in line or "file:" in line]
    faults += [f"an option: {line}" for line in lock.splitlines() if re.match(r"\s*-(?!-hash=)", line)]
    return faults


def unmet(requirements: list[str], pinned: dict[str, Requirement]) -> list[str]:
    """List the requirements that no pin meets."""
    wanted = [Requirement(text) for text in requirements]
    versions = {name: str(pin.specifier).removeprefix("==") for name, pin in pinned.items()}
    return [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_pinned_and_hashed(name):
    lock = (ROOT / name).read_text()
    assert faults_of_lock(lock) == []
    assert len(pins(lock)) > len(PROJECT["project"]["dependencies"])


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("six==1.16.0\n", "no sha256"),
        ("six==1.16.0 \\\n    --hash=sha256:12ab\n", "a bad one"),
        ("six>=1.16.0 \\\n    --hash=sha256:" + "0" * 64 + "\n", "not a pin"),
        ("six @ https://example.org/six.whl \\\n    --hash=sha256:" + "0" * 64 + "\n", "an address"),
        ("--find-links wheels\n", "an option"),
    ],
)
def test_fault_planted_in_a_lock_is_found(planted, fault):
    faults = faults_of_lock((ROOT / LOCKS[0]).read_text() + planted)
    assert any(fault in found for found in faults)


def test_locks_meet_every_dependency():
    run_time, dev = (pins((ROOT / name).read_text()) for name in LOCKS)
    needed = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(extras) == {"benchmark", "dask", "dev", "parquet"}
    assert unmet(needed, run_time) == []
    assert unmet([*needed, *itertools.chain(*extras.values())], dev) == []


def test_unmet_dependency_is_found():
    run_time = pins((ROOT / LOCKS[0]).read_text())
    wanted = ["numpy>=1000", "no-such-package>=1", "numpy>=2.0"]
    assert unmet(wanted, run_time) == wanted[:2]


def test_dev_lock_holds_the_run_time_lock():
    run_time, dev = (pins((ROOT / name).read_text()) for name in LOCKS)
    assert run_time.items() <= dev.items()


def test_version_is_said_once():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert cited[1] == PROJECT["project"]["version"] == metadata.version("simstudy")


def test_package_says_that_it_is_typed():
    assert (ROOT / "simstudy" / "py.typed").read_bytes() == b""


def syntax(shell: str, path: Path) -> int:
    return subprocess.run([shell, "-n", path], capture_output=True, check=False).returncode


def test_scripts_parse(tmp_path):
    assert {script.name for script in SCRIPTS} >= {"environment.sh", "lock.sh", "quickstart.sh", "test.sh"}
    assert [script for script in SCRIPTS if syntax("sh", script)] == []
    assert syntax("bash", ROOT / ".ci" / "run") == 0
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    (tmp_path / "broken.sh").write_text("if true; then\n")
    assert syntax("sh", tmp_path / "broken.sh")


def test_scripts_name_no_index():
    texts = [path.read_text() for path in [*SCRIPTS, ROOT / ".ci" / "run", ROOT / "pyproject.toml"]]
    assert not re.search(r"index-url|find-links|trusted-host|https?://", "\n".join(texts))


# Notes how it is called, fails or hangs while a file of that name lies beside it, and "installs" a simstudy.
INSTALLER = """#!/bin/sh
here=${0%/*}
echo "$*" >>"$here/calls"
[ ! -e "$here/fails" ] || exit 1
[ ! -e "$here/hangs" ] || exec sleep 60
case $* in
    *" -e "*)
        printf '#!/bin/sh\\nmkdir -p results/quickstart\\necho "$@" >%s\\n' results/quickstart/report.html \\
            >.venv/bin/simstudy
        chmod +x .venv/bin/simstudy
        ;;
esac
"""

# A Python without ensurepip, whose pip is the installer above.
BARE_PYTHON = f"""#!/bin/sh
case $* in
    *_base_executable*) echo "$0" ;;
    "-m venv --without-pip"*) exec {sys._base_executable} "$@" ;;
    "-m venv"*) exit 1 ;;
    "-m pip --version") [ -e "${{0%/*}}/installer" ] ;;
    "-m pip"*) exec "${{0%/*}}/installer" "$@" ;;
    *) exec {sys._base_executable} "$@" ;;
esac
"""

OLD_PYTHON = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.9.2
"""


class Checkout:
    """A checkout, and a PATH with nothing but a Python, an installer and what POSIX promises."""

    def __init__(self, folder: Path) -> None:
        self.root, self.bin = folder / "check out", folder / "bin"
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        for name in (*LOCKS, "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        self.bin.mkdir()
        for name in ("cat", "chmod", "cksum", "dirname", "mkdir", "rm", "sh", "sleep"):
            (self.bin / name).symlink_to(shutil.which(name))
        (self.bin / "python3").symlink_to(sys._base_executable)
        self.add("uv", INSTALLER)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def calls(self) -> list[str]:
        record = self.bin / "calls"
        return record.read_text().splitlines() if record.exists() else []

    def add(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["sh", self.root / "scripts" / "quickstart.sh"],
            cwd=self.root,
            env={**os.environ, "PATH": str(self.bin)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def quickstart(self) -> tuple[int, str, str]:
        process = self.start()
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_quickstart_installs_the_hashed_lock_once(checkout):
    code, out, err = checkout.quickstart()
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith(f"the report is {checkout.root}/results/quickstart/report.html")
    assert (checkout.root / "results/quickstart/report.html").read_text() == "run configs/quickstart.yaml\n"
    lock, project = checkout.calls
    assert "--require-hashes --only-binary :all: -r" in lock
    assert lock.endswith("requirements.lock")
    assert "--no-build-isolation --no-deps -e" in project
    assert checkout.quickstart()[0] == 0
    assert len(checkout.calls) == 2


def test_changed_lock_is_installed_into_the_same_venv(checkout):
    checkout.quickstart()
    kept = checkout.venv / "kept"
    kept.touch()
    with (checkout.root / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert checkout.quickstart()[0] == 0
    assert len(checkout.calls) == 4
    assert kept.exists()


def test_venv_with_the_dev_lock_serves_the_quickstart(checkout):
    checkout.quickstart()
    stamp = checkout.venv / "simstudy-installed"
    stamp.write_text(stamp.read_text().replace("requirements.lock", "requirements-dev.lock"))
    assert checkout.quickstart()[0] == 0
    assert len(checkout.calls) == 2


def test_failed_install_is_said_and_mended(checkout):
    (checkout.bin / "fails").touch()
    code, _, err = checkout.quickstart()
    assert code == 1
    assert err.splitlines() == [
        "quickstart.sh: the installation did not finish, see above; run this again to start it afresh"
    ]
    (checkout.bin / "fails").unlink()
    left = checkout.venv / "left"
    left.touch()
    assert checkout.quickstart()[0] == 0
    assert not left.exists()


def test_killed_install_is_mended(checkout):
    (checkout.bin / "hangs").touch()
    process = checkout.start()
    while not checkout.calls:
        time.sleep(0.01)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    left = checkout.venv / "left"
    left.touch()
    (checkout.bin / "hangs").unlink()
    assert checkout.quickstart()[0] == 0
    assert not left.exists()


def test_moved_checkout_gets_a_venv_of_its_own(checkout):
    checkout.quickstart()
    (checkout.venv / "left").touch()
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)
    checkout.root = moved
    assert checkout.quickstart()[0] == 0
    assert not (checkout.venv / "left").exists()


def test_two_set_ups_at_once_take_turns(checkout):
    first, second = checkout.start(), checkout.start()
    for process in (first, second):
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    assert len(checkout.calls) == 2


def test_pip_outside_serves_where_ensurepip_is_missing(checkout):
    (checkout.bin / "uv").rename(checkout.bin / "installer")
    checkout.add("python3", BARE_PYTHON)
    code, _, err = checkout.quickstart()
    assert (code, err) == (0, "")
    assert len(checkout.calls) == 2
    for call in checkout.calls:
        assert call.startswith(f"-m pip --python {checkout.venv}/bin/python install ")


def test_missing_pip_is_said_in_one_line(checkout):
    (checkout.bin / "uv").unlink()
    checkout.add("python3", BARE_PYTHON)
    code, _, err = checkout.quickstart()
    assert code == 1
    assert err.startswith("quickstart.sh: pip is missing: install ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("text", "found"), [(OLD_PYTHON, "Python 3.9.2"), ("#!/bin/sh\nexit 127\n", "missing")])
def test_unfit_python_is_refused_in_one_line(checkout, text, found):
    checkout.add("python3", text)
    code, out, err = checkout.quickstart()
    assert (code, out) == (1, "")
    assert err == f"quickstart.sh: Python 3.11 or newer is needed; python3 here is {found}\n"
    assert not checkout.venv.exists()
