"""The figures of the README: they are those in the gallery, and the script makes them."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GALLERY = ROOT / "results" / "gallery"

specification = importlib.util.spec_from_file_location("gallery_identity", ROOT / "scripts" / "gallery_identity.py")
assert specification
assert specification.loader
script = importlib.util.module_from_spec(specification)
specification.loader.exec_module(script)
NAME, identity, stale = script.NAME, script.identity, script.stale


def words(path: Path) -> list[tuple[str, str]]:
    """Return all that a figure says, description, labels and numbers: what the last bit of a result does not change."""
    svg = path.read_text(encoding="utf-8")
    return re.findall(r"<dc:description>(.*?)</dc:description>|<text[^>]*>(.*?)</text>", svg, re.DOTALL)


def test_gallery_is_what_is_shown() -> None:
    shown = set(re.findall(r"!\[[^]]+\]\((results/gallery/[^)]+)\)", README))
    kept = {path.relative_to(ROOT).as_posix() for path in GALLERY.rglob("*") if path.is_file()}
    assert shown == kept - {f"results/gallery/{NAME}"}


def test_figures_are_described_by_their_own_alternative_text() -> None:
    for text, target in re.findall(r"!\[([^]]+)\]\(([^)]+)\)", README):
        svg = (ROOT / target).read_text(encoding="utf-8")
        described = re.search(r"<dc:description>(.*?)</dc:description>", svg, re.DOTALL)
        assert described
        assert text == html.unescape(described[1])


# Installs a simstudy that "runs" a study by writing its figures.
INSTALLER = """#!/bin/sh
case $* in
    *" -e "*)
        cat >.venv/bin/simstudy <<'EOF'
#!/bin/sh
[ -f "$2" ] || exit 2
figures=$4/$(basename "$2" .yaml | tr _ -)/figures
mkdir -p "$figures"
for name in FIGURES; do echo "$2" >"$figures/$name"; done
EOF
        chmod +x .venv/bin/simstudy
        ;;
esac
"""


def test_gallery_is_made_of_what_is_shown(tmp_path: Path) -> None:
    for name in ("scripts", "configs", "simstudy"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shown = [path.relative_to(ROOT) for path in GALLERY.rglob("*.svg")]
    (tmp_path / "results" / "gallery").mkdir(parents=True)
    (tmp_path / "results" / "gallery" / "old.svg").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(INSTALLER.replace("FIGURES", " ".join(path.name for path in shown)))
    (tmp_path / "bin" / "uv").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    script = ["sh", "scripts/gallery.sh"]
    made = subprocess.run(script, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    left = {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / "results").rglob("*.svg")}
    assert left == {path: f"configs/{path.parts[2].replace('-', '_')}.yaml\n" for path in shown}
    recorded = json.loads((tmp_path / "results" / "gallery" / NAME).read_text())
    assert set(recorded) == {path.relative_to("results/gallery").as_posix() for path in shown}
    assert stale(recorded, identity(tmp_path)) == []


def test_figures_are_what_their_identity_says() -> None:
    """Fast: config, numbers and drawing code are those that the figures were made with."""
    recorded = json.loads((GALLERY / NAME).read_text()) if (GALLERY / NAME).exists() else {}
    assert stale(recorded, identity(ROOT)) == []


SHOWN = {path.stem.rsplit("-", 1)[-1] for path in GALLERY.rglob("*.svg")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("configs", "simstudy", "results/gallery"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "part", "figures"),
    [
        ("configs/quickstart.yaml", "config", {"covariance", "ellipses", "information"}),
        ("simstudy/running/record.py", "numbers", SHOWN),
        ("simstudy/figures/style.py", "drawing", SHOWN),
        ("simstudy/analysis/influence.py", "drawing", SHOWN),
        ("simstudy/figures/clouds.py", "drawing", {"ellipses"}),
        ("results/gallery/quickstart/gamma-ellipses.svg", "figure", {"ellipses"}),
    ],
)
def test_what_makes_a_figure_stale(checkout: Path, file: str, part: str, figures: set[str]) -> None:
    before = identity(checkout)
    path = checkout / file
    path.write_text(path.read_text().replace("NUMBERS_VERSION = ", "NUMBERS_VERSION = 1") + "extra: 1\n")
    if path.suffix == ".py":
        path.write_text(path.read_text().replace("extra: 1\n", "EXTRA = 1\n"))
    lines = stale(before, identity(checkout))
    assert {re.search(r"-([a-z_]+)\.svg is stale", line)[1] for line in lines} == figures
    assert all(line.endswith(f"({part}): renew it with `sh scripts/gallery.sh`") for line in lines)


def test_what_leaves_a_figure_as_it_is(checkout: Path) -> None:
    before = identity(checkout)
    for file in ("configs/quickstart.yaml", "simstudy/figures/nowhere.py", "simstudy/cli.py"):
        with (checkout / file).open("a") as text:
            text.write("\n# a comment\n")
    assert stale(before, identity(checkout)) == []


def test_figures_without_identity_and_identities_without_figure_are_told(checkout: Path) -> None:
    now = identity(checkout)
    name = next(iter(now))
    rest = {key: value for key, value in now.items() if key != name}
    assert stale(rest, now) == [
        f"results/gallery/{name} is stale (it has no identity): renew it with `sh scripts/gallery.sh`"
    ]
    assert stale(now, rest) == [
        f"results/gallery/{name} is stale (it is missing): renew it with `sh scripts/gallery.sh`"
    ]


@pytest.mark.slow
def test_gallery_is_current(tmp_path: Path) -> None:
    for study in sorted(path for path in GALLERY.iterdir() if path.is_dir()):
        config = f"configs/{study.name.replace('-', '_')}.yaml"
        run = [sys.executable, "-m", "simstudy", "run", config, "--quiet", "--results", str(tmp_path)]
        subprocess.run(run, cwd=ROOT, check=True)
        for figure in study.iterdir():
            assert words(figure) == words(tmp_path / study.name / "figures" / figure.name)
