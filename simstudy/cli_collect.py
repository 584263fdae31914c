"""The verb ``collect``, and what ``run --shard`` prints."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simstudy.cli_options import Jobs, Plugins, Quiet, Tolerate, load_plugins, plain_path
from simstudy.cli_process import complain, say

if TYPE_CHECKING:
    from simstudy.results import Results
    from simstudy.running.shards import Shard


def collect(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...", parser=plain_path, help="What shards wrote: results/<study>, or a folder that holds one."
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULTS",
            parser=plain_path,
            help="Folder that gets a folder named after the study, or that folder itself; default: the first DIR.",
            show_default=False,
        ),
    ] = None,
    jobs: Jobs = None,
    plugin: Plugins = None,
    tolerate: Tolerate = 0.5,
    quiet: Quiet = False,
) -> None:
    """Join the shards of a study, then write summary, figures and report; doing it again changes nothing."""
    from simstudy.cli_messages import Failures
    from simstudy.collection import collected
    from simstudy.running.commands import failures_command

    load_plugins(plugin)
    done = collected(folders, into, jobs, quiet=quiet)
    for line in done.passed:
        complain(f"passed over, for the same is whole elsewhere: {line}")
    command = failures_command(done.results.folder, plugin or ())
    failures = Failures(done.results.summary(), tolerate, command)
    joined = f"joined: {done.new:,} files new in {done.results.folder}, {done.tasks:,} tasks in all"
    nothing = f"nothing new: all {done.tasks:,} tasks are in {done.results.folder}"
    for line in [] if quiet else [joined if done.new else nothing, f"report: {done.results.report}", *failures.lines]:
        say(line)
    raise typer.Exit(failures.exit_code)


def shard_asked(text: str | None) -> Shard | None:
    """Return the shard that ``--shard`` asks for; nothing is imported where none is asked for."""
    if text is None:
        return None
    from simstudy.running.shards import parse

    return parse(text)


def shard_done(results: Results, shard: Shard) -> str:
    """Return the line about a shard that is done."""
    from simstudy.running.shards import shares

    parts = shares(results.study, shard)
    tasks, rows = sum(map(len, parts)), sum(part.replicates for part in parts if len(part))
    if not tasks:
        return f"shard {shard}: nothing to do, there are fewer tasks than shards"
    counted = f"{tasks:,} task{'s' if tasks > 1 else ''}, {rows:,} replicates"
    again = shlex.join(["simstudy", "collect", str(results.folder)])
    return f"shard {shard}: {counted} stored in {results.folder}; join with: {again}"
