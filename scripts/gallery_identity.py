"""Print what each figure of results/gallery was made of, as JSON: gallery.sh keeps it, and a test computes it again.

Needs nothing but the checkout: a figure is a function of its config, of the stored numbers' version, of the code that
analyses and draws them, and what is kept of these are checksums.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

NAME = "identity.json"
DRAWING = ("simstudy.figures", "simstudy.analysis")
"""Packages whose code a figure depends on; what simulates has the version of the numbers in its place."""
ALWAYS = ("simstudy.figures.style", "simstudy.analysis.measures", "simstudy.analysis.summary")


def identity(root: Path) -> dict[str, dict[str, str]]:
    """Return the parts of the identity of every figure, by its path in the gallery."""
    gallery = root / "results" / "gallery"
    figures = sorted(gallery.rglob("*.svg"))
    return {path.relative_to(gallery).as_posix(): _parts(root, path) for path in figures}


def _parts(root: Path, path: Path) -> dict[str, str]:
    config = root / "configs" / f"{path.parent.name.replace('-', '_')}.yaml"
    modules = _modules(root, f"simstudy.figures.{path.stem.rsplit('-', 1)[-1]}")
    code = "".join(f"{name}\n{_file(root, name).read_text(encoding='utf-8')}" for name in modules)
    return {
        "config": _checksum(canonical(config.read_text(encoding="utf-8"))),
        "numbers": _numbers_version(root),
        "drawing": _checksum(code),
        "figure": _checksum(path.read_text(encoding="utf-8")),
    }


def canonical(config: str) -> str:
    """Return the text of a config without its comments on lines of their own and without empty lines."""
    lines = (line.rstrip() for line in config.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def _numbers_version(root: Path) -> str:
    tree = ast.parse(_file(root, "simstudy.running.record").read_text(encoding="utf-8"))
    values = [node.value for node in tree.body if isinstance(node, ast.Assign) and _names(node) == ["NUMBERS_VERSION"]]
    return ast.unparse(values[0])


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _modules(root: Path, figure: str) -> list[str]:
    """Return the modules of the drawing code that a figure imports, itself or through others, and the summary's."""
    found: set[str] = set()
    drawn = [figure] if _file(root, figure).exists() else _every(root)
    waiting = [*drawn, *ALWAYS]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(root, _file(root, name))
    return sorted(found)


def _every(root: Path) -> list[str]:
    """Return all that draws, for a figure that has no module of its name."""
    return [f"simstudy.figures.{path.stem}" for path in (root / "simstudy" / "figures").glob("*.py")]


def _imports(root: Path, file: Path) -> list[str]:
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    names = [str(node.module) for node in nodes] + [f"{n.module}.{each.name}" for n in nodes for each in n.names]
    return [name for name in names if name.startswith(DRAWING) and _file(root, name).is_file()]


def _file(root: Path, module: str) -> Path:
    return root / (module.replace(".", "/") + ".py")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stale(recorded: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Say which figures are not what their identity says, and how to renew them."""
    lines = []
    for figure in sorted(recorded.keys() | now.keys()):
        before, after = recorded.get(figure, {}), now.get(figure, {})
        if changed := [
            part for part in ("config", "numbers", "drawing", "figure") if before.get(part) != after.get(part)
        ]:
            what = ", ".join(changed) if before and after else "it is missing" if before else "it has no identity"
            lines.append(f"results/gallery/{figure} is stale ({what}): renew it with `sh scripts/gallery.sh`")
    return lines


if __name__ == "__main__":
    print(json.dumps(identity(Path(sys.argv[1])), indent=2))
