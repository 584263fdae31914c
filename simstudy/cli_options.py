"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of the study.")]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file with families of your own; may be given several times.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Worker processes; default: all processors.", show_default=False),
]
Replicates = Annotated[
    int | None,
    typer.Option(min=2, help="Replicates of every scenario, in place of the config's.", show_default=False),
]
ResultsFolder = Annotated[Path, typer.Argument(metavar="RESULTS", help="What a run wrote: results/<study>.")]

Tolerate = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Share of failed fits in a cell above which the exit code is 3."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary line.")]


def load_plugins(plugins: list[Path] | None) -> None:
    """Load the families of the files given."""
    for path in plugins or ():
        from simstudy import load_plugin

        load_plugin(path)
