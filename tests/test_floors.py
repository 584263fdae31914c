"""Modules import only from floors below their own, and heavy packages only where they are needed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "simstudy"

FLOORS = {
    "simstudy": 9,
    "simstudy.__main__": 9,
    "simstudy.cli": 8,
    "simstudy.cli_collect": 8,
    "simstudy.cli_comparison": 8,
    "simstudy.cli_contract": 8,
    "simstudy.cli_messages": 8,
    "simstudy.cli_options": 8,
    "simstudy.cli_plan": 8,
    "simstudy.cli_process": 8,
    "simstudy.cli_verify": 8,
    "simstudy.api": 8,
    "simstudy.collection": 8,
    "simstudy.comparison": 8,
    "simstudy.failing": 8,
    "simstudy.redrawn": 8,
    "simstudy.replaying": 8,
    "simstudy.watching": 8,
    "simstudy.cli_failures": 8,
    "simstudy.cli_replay": 8,
    "simstudy.interchange": 8,
    "simstudy.results": 8,
    "simstudy.planning": 7,
    "simstudy.theory": 8,
    "simstudy.verification": 8,
    "simstudy.report": 7,
    "simstudy.figures": 6,
    "simstudy.analysis": 5,
    "simstudy.running": 4,
    "simstudy.study": 3,
    "simstudy.contract": 3,
    "simstudy.inference": 2,
    "simstudy.families": 1,
    "simstudy.parameters": 0,
    "simstudy.numerics": 0,
    "simstudy.errors": 0,
    "simstudy.files": 0,
}
BLIND = {"simstudy.analysis": {"simstudy.running"}, "simstudy.figures": set(FLOORS)}
"""Rooms and the rooms they must not know, beside those above them."""

MODULES = sorted(path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def room(module: str) -> str:
    """The package or top-level module that a module belongs to, by which its floor is known."""
    parts = module.split(".")
    return ".".join(parts[:2]) if ".".join(parts[:2]) in FLOORS else parts[0]


def eager(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: not the bodies of functions, nor what only type checkers see."""
    yield node
    for child in ast.iter_child_nodes(node):
        typing_only = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not isinstance(child, ast.FunctionDef) and not typing_only:
            yield from eager(child)


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            # `from simstudy import __version__` takes nothing from a floor; `from simstudy import api` does.
            yield from (name if room(name) != "simstudy" else str(node.module) for name in names)


def violations(module: str, source: str) -> list[str]:
    own = room(module)
    found = []
    for name in imported(ast.walk(ast.parse(source))):
        other = room(name)
        if not name.startswith("simstudy.") or other == own:
            continue
        if FLOORS[other] > FLOORS[own] or other in BLIND.get(own, set()):
            found.append(f"{module} (floor {FLOORS[own]}) imports {name} (floor {FLOORS[other]})")
    return found


@pytest.mark.parametrize("path", MODULES, ids=map(module_name, MODULES))
def test_imports_point_downwards(path: Path) -> None:
    assert violations(module_name(path), (PACKAGE.parent / path).read_text(encoding="utf-8")) == []


def test_every_module_has_a_floor() -> None:
    assert [module_name(path) for path in MODULES if room(module_name(path)) == "simstudy"] == ["simstudy"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("simstudy.families.gamma", "from simstudy.study import scenario"),
        ("simstudy.analysis.rates", "import simstudy.running.store"),
        ("simstudy.analysis.rates", "from simstudy.running.store import Store"),
        ("simstudy.figures.errors", "from simstudy.errors import ConfigError"),
        ("simstudy.running.store", "def late():\n    from simstudy import report"),
    ],
)
def test_a_planted_import_is_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("simstudy.running.store", "from simstudy.study.scenario import Scenario"),
        ("simstudy.running.store", "from simstudy.running import record"),
        ("simstudy.cli", "from simstudy import __version__"),
        ("simstudy.figures.errors", "import numpy as np"),
    ],
)
def test_imports_downwards_and_inside_a_room_are_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []


@pytest.mark.parametrize("path", MODULES, ids=map(module_name, MODULES))
def test_figures_and_tables_are_imported_late(path: Path) -> None:
    """Outside figures and report, importing a module imports neither pandas nor anything that draws."""
    if room(module_name(path)) in {"simstudy.figures", "simstudy.report"}:
        return
    tree = ast.parse((PACKAGE.parent / path).read_text(encoding="utf-8"))
    heavy = ("pandas.", "matplotlib.", "seaborn.", "scipy.stats.")
    assert [name for name in imported(eager(tree)) if f"{name}.".startswith(heavy)] == []
