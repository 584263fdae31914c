"""The figures of the README: they are those in the gallery, and the script makes them."""

from __future__ import annotations

import html
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


def words(path: Path) -> list[tuple[str, str]]:
    """Return all that a figure says, description, labels and numbers: what the last bit of a result does not change."""
    svg = path.read_text(encoding="utf-8")
    return re.findall(r"<dc:description>(.*?)</dc:description>|<text[^>]*>(.*?)</text>", svg, re.DOTALL)


def test_gallery_is_what_is_shown() -> None:
    shown = set(re.findall(r"!\[[^]]+\]\((results/gallery/[^)]+)\)", README))
    assert shown == {path.relative_to(ROOT).as_posix() for path in GALLERY.rglob("*") if path.is_file()}


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
figures=$4/$(basename "$2" .yaml)/figures
mkdir -p "$figures"
for name in SHOWN; do echo "$2" >"$figures/$name"; done
EOF
        chmod +x .venv/bin/simstudy
        ;;
esac
"""


def test_gallery_is_made_of_what_is_shown(tmp_path: Path) -> None:
    for name in ("scripts", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("README.md", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shown = [path.relative_to(ROOT) for path in GALLERY.rglob("*.svg")]
    (tmp_path / "results" / "gallery").mkdir(parents=True)
    (tmp_path / "results" / "gallery" / "old.svg").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(INSTALLER.replace("SHOWN", " ".join(path.name for path in shown)))
    (tmp_path / "bin" / "uv").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    script = ["sh", "scripts/gallery.sh"]
    made = subprocess.run(script, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    left = {path.relative_to(tmp_path): path.read_text() for path in (tmp_path / "results").rglob("*.svg")}
    assert left == {path: f"configs/{path.parts[2]}.yaml\n" for path in shown}


@pytest.mark.slow
def test_gallery_is_current(tmp_path: Path) -> None:
    for study in sorted(GALLERY.iterdir()):
        config = f"configs/{study.name.replace('-', '_')}.yaml"
        run = [sys.executable, "-m", "simstudy", "run", config, "--quiet", "--results", str(tmp_path)]
        subprocess.run(run, cwd=ROOT, check=True)
        for figure in study.iterdir():
            assert words(figure) == words(tmp_path / study.name / "figures" / figure.name)
