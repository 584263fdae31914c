"""Counts which blocks of code run: every block of the modules that are watched gets a counter when it is imported.

An import hook rewrites the syntax tree, which needs no compiled extension and so works on every Python, and costs about
as much as the code itself, where `sys.settrace` would cost twenty times that.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

COUNTS: list[int] = []
"""How often each block ran since `forget`."""

_NAME = "__block_counts__"
_BODIES = ("body", "orelse", "finalbody")


def watch(prefixes: Sequence[str]) -> None:
    """Count blocks of modules imported from now on, whose names begin with one of the prefixes."""
    sys.meta_path.insert(0, _Finder(tuple(prefixes)))


def forget() -> None:
    """Set all counters to zero."""
    COUNTS[:] = [0] * len(COUNTS)


def features() -> set[tuple[int, int]]:
    """Return the blocks that ran, each with the order of magnitude of how often: 1, 2–3, 4–7 and so on."""
    return {(block, count.bit_length()) for block, count in enumerate(COUNTS) if count}


class _Finder(PathFinder):
    """Finds what the import system does, and hands what is watched to the loader that counts."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self.prefixes = prefixes

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith(self.prefixes):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Compiles a module with a counter in every block; nothing is cached on disk."""

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(self.get_data(self.path), self.path)
        for node in ast.walk(tree):
            for field in _BODIES:
                body = getattr(node, field, None)
                if isinstance(body, list) and body and not isinstance(node, (ast.Module, ast.ClassDef)):
                    body.insert(_after_docstring(node, body), _counter())
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[_NAME] = COUNTS
        super().exec_module(module)


def _after_docstring(node: ast.AST, body: list[ast.stmt]) -> int:
    function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    return int(function and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant))


def _counter() -> ast.stmt:
    COUNTS.append(0)
    return ast.parse(f"{_NAME}[{len(COUNTS) - 1}] += 1").body[0]
