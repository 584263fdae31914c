"""A tiny study, run by the real command line without its figures."""

from __future__ import annotations

from pathlib import Path

from simstudy import report as pages
from tests.forked import call

CONFIG = """
study: s
seed: 3
replicates: {replicates}
sample_sizes: [20, 9000]
scenarios:
  - {{name: a, family: normal, parameters: {{mean: 0, sd: 1}}, paths: true}}
  - {{name: b, family: poisson, parameters: {{mean: 3}}, sample_sizes: [9000]}}
"""


def without_figures() -> None:
    """Replace what takes most of the time of a tiny run: drawing, and measuring how long a replicate takes."""
    pages.build = lambda *_: []


def written(folder: Path, replicates: int = 40, **changes: str) -> Path:
    """Write the config into a folder, which is made."""
    folder.mkdir(exist_ok=True)
    text = CONFIG.format(replicates=replicates)
    for old, new in changes.items():
        text = text.replace(f"{old}: ", f"{old}: {new} #", 1)
    (folder / "s.yaml").write_text(text)
    return folder


def run(folder: Path, *options: object, before=without_figures):
    return call(folder, "run", "s.yaml", "--jobs", 1, "--quiet", *options, before=before)


def content(folder: Path) -> dict[str, bytes]:
    """All that a run makes, but times, locks and what was put away."""
    root = folder / "results/s"
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and path.name not in {"manifest.json", ".lock", ".lock-holder"}
        and "quarantine" not in path.parts
    }
