"""Commands that a message gives, ready to paste."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from simstudy.families import REGISTRY


def replay_command(
    folder: Path | str, scenario: str, n: int, replicate: int, plugins: Iterable[str | Path] = ()
) -> str:
    """Return the command that redraws and refits one replicate.

    Parameters
    ----------
    folder
        The results, as the user wrote it.
    plugins
        Plug-in files that the study needs; `plugin_files` finds them.

    Examples
    --------
    >>> replay_command("my results/s", "gamma", 50, 7, ["own.py"])
    "simstudy replay 'my results/s' --scenario gamma --n 50 --replicate 7 --plugin own.py"
    """
    cell = ["--scenario", scenario, "--n", str(n), "--replicate", str(replicate)]
    return shlex.join(["simstudy", "replay", _argument(folder), *cell, *_options(plugins)])


def failures_command(folder: Path | str, plugins: Iterable[str | Path] = ()) -> str:
    """Return the command that lists the failed replicates of a folder."""
    return shlex.join(["simstudy", "failures", _argument(folder), *_options(plugins)])


def plugin_files(families: Iterable[str]) -> tuple[str, ...]:
    """Return the plug-in files that define these families, as the user named them; none for installed packages."""
    return REGISTRY.files(families)


def _argument(folder: Path | str) -> str:
    text = str(folder)
    return f"./{text}" if text.startswith("-") else text


def _options(plugins: Iterable[str | Path]) -> list[str]:
    return [word for file in plugins for word in ("--plugin", str(file))]
