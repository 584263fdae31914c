"""Makes the k-th call of a kind fail, of those that touch a results folder, as a dying disk would."""

from __future__ import annotations

import errno
import io
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

KINDS = ("open", "write", "read", "fsync", "replace", "mkdir", "unlink", "scandir")


def place(descriptor: int) -> str:
    """Return the path of an open file."""
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


class Injector:
    """Counts calls by kind, and lets the k-th of one kind fail; armed in the process that is to suffer."""

    def __init__(self, kind: str, at: int, code: int = errno.EIO, log: Path | None = None) -> None:
        self.kind, self.at, self.code, self.log = kind, at, code, log
        self.counts = Counter[str]()

    def due(self, kind: str, path: object) -> bool:
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
        if "results" not in Path(str(name)).parts:
            return False
        self.counts[kind] += 1
        if self.log:
            self.log.write_text(repr(dict(self.counts)))
        return kind == self.kind and self.counts[kind] == self.at

    def error(self, path: object) -> OSError:
        return OSError(self.code, os.strerror(self.code), str(path))

    def wrapped(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: object, *rest: Any, **named: Any) -> Any:
            if self.due(kind, path):
                raise self.error(path)
            return function(path, *rest, **named)

        return call

    def arm(self) -> None:
        """Put the faults in place."""
        for name in ("open", "replace", "mkdir", "unlink", "scandir"):
            setattr(os, name, self.wrapped(name, getattr(os, name)))
        os.listdir = self.wrapped("scandir", os.listdir)
        self._files()
        real = os.fsync

        def fsync(descriptor: int) -> None:
            if self.due("fsync", place(descriptor)):
                raise self.error(descriptor)
            real(descriptor)

        os.fsync = fsync

    def _files(self) -> None:
        """Let files fail when opened, and when read or written after half of it is done."""
        import simstudy.files

        real, injector = io.open, self

        class Failing:
            def __init__(self, file: Any, path: object) -> None:
                self.file, self.path = file, path

            def __enter__(self) -> Failing:
                return self

            def __exit__(self, *_: object) -> None:
                self.file.close()

            def __getattr__(self, name: str) -> Any:
                return getattr(self.file, name)

            def write(self, content: Any) -> int:
                if injector.due("write", self.path):
                    self.file.write(content[: len(content) // 2])
                    self.file.flush()
                    raise injector.error(self.path)
                return int(self.file.write(content))

            def read(self, *size: int) -> Any:
                if injector.due("read", self.path):
                    raise injector.error(self.path)
                return self.file.read(*size)

        def opened(path: object, *rest: Any, **named: Any) -> Any:
            if isinstance(path, int):
                return Failing(real(path, *rest, **named), place(path))
            if injector.due("open", path):
                raise injector.error(path)
            return Failing(real(path, *rest, **named), path)

        io.open = opened
        simstudy.files.open = opened  # type: ignore[attr-defined]
