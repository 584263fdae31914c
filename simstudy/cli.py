"""Command line: each verb is one call, and imports what it needs when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from simstudy import __version__, cli_failures, cli_replay, cli_verify
from simstudy.cli_collect import collect, shard_asked, shard_done
from simstudy.cli_options import (
    BackendName,
    Config,
    Jobs,
    Plugins,
    Quiet,
    Replicates,
    ResultsFolder,
    ResultsParent,
    Scheduler,
    TaskTimeout,
    Tolerate,
    load_plugins,
    plain_path,
)
from simstudy.cli_process import guarded, say
from simstudy.running.threads import ONE_THREAD

app = typer.Typer(
    name="simstudy",
    help="Monte Carlo simulation studies of maximum likelihood, from a YAML config to a report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done; 2 bad usage or config; 3 failures above the tolerated share, "
    "a law that fails, or measures that differ; "
    "4 results folder in use or of another study; 5 no space or memory, or unusable results; "
    "130, 143 stopped by a signal; 1 anything unexpected.",
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"simstudy {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    config: Config,
    jobs: Jobs = None,
    backend: BackendName = None,
    scheduler: Scheduler = None,
    task_timeout: TaskTimeout = None,
    results: ResultsParent = Path("results"),
    replicates: Replicates = None,
    plugin: Plugins = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N", help="Do the K-th of N shares of the tasks only; join them with collect.", show_default=False
        ),
    ] = None,
    tolerate: Tolerate = 0.5,
    quiet: Quiet = False,
) -> None:
    """Run a study, from drawing to report; running it again resumes or extends it."""
    from simstudy import load

    part = shard_asked(shard)
    load_plugins(plugin)
    study = load(config, replicates)
    from simstudy import cli_messages
    from simstudy.api import run as run_study
    from simstudy.running.commands import failures_command

    command = cli_messages.reproducing_command(config, replicates, plugin or ())
    done = run_study(
        study,
        jobs,
        results,
        backend=backend,
        scheduler=scheduler,
        task_timeout=task_timeout,
        quiet=quiet,
        command=command,
        shard=(part.number, part.of) if part else None,
    )
    if part:
        for line in [] if quiet else [shard_done(done, part)]:
            say(line)
        raise typer.Exit
    failures = cli_messages.Failures(done.summary(), tolerate, failures_command(done.folder, plugin or ()))
    for line in [] if quiet else [f"report: {done.report}", *failures.lines, *cli_messages.capped(done.study)]:
        say(line)
    raise typer.Exit(failures.exit_code)


app.command()(collect)


@app.command()
def report(
    results: ResultsFolder,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Draw this figure alone, of all scenarios; may be given several times."),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Formats of the figure files: svg,png,pdf; svg is always written.")
    ] = "svg",
    jobs: Jobs = None,
    plugin: Plugins = None,
) -> None:
    """Write summary, figures and report again, from the stored replicates."""
    from simstudy import api, cli_messages

    load_plugins(plugin)
    names = [name.strip() for name in formats.split(",")]
    say(cli_messages.written(results, api.report(results, names, only or (), jobs)))


@app.command()
def export(
    results: ResultsFolder,
    to: Annotated[str, typer.Option(metavar="FORM", help="csv, parquet, or rsimsum (for rsimsum, simsum and siman).")],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            parser=plain_path,
            help="The file; default: replicates.csv and the like in RESULTS.",
            show_default=False,
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Write the replicates of all cells as one long table."""
    from simstudy.interchange import export as write

    load_plugins(plugin)
    say(f"{to}: {write(results, to, output)}")


app.command()(cli_replay.replay)
app.command()(cli_failures.failures)


@app.command()
def compare(
    results1: Annotated[Path, typer.Argument(metavar="RESULTS1", parser=plain_path, help="What one run wrote.")],
    results2: Annotated[Path, typer.Argument(metavar="RESULTS2", parser=plain_path, help="What another wrote.")],
    level: Annotated[
        float, typer.Option(min=0.5, max=0.999999, help="One minus the chance that any row differs by accident.")
    ] = 0.95,
    plugin: Plugins = None,
) -> None:
    """Say which measures of two studies differ beyond Monte Carlo error; exit code 3 if any does."""
    from simstudy import cli_comparison

    load_plugins(plugin)
    raise typer.Exit(cli_comparison.show(results1, results2, level))


@app.command()
def check(config: Config, replicates: Replicates = None, plugin: Plugins = None) -> None:
    """Validate a config; show its replicates, draws, estimated time, disk and memory of a worker."""
    from simstudy import load

    load_plugins(plugin)
    study = load(config, replicates)
    from simstudy import cli_messages

    say(cli_messages.plan(study))


@app.command()
def plan(
    config: Config,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MEASURE=MCSE",
            help="Monte Carlo standard error to reach, such as coverage=0.002 or scaled_covariance=1%; may be given "
            "several times. Default: those of the config.",
            show_default=False,
        ),
    ] = None,
    pilot: Annotated[
        int | None,
        typer.Option(
            min=30, help="Replicates of the pilot; default: about 1,000, fewer for huge n.", show_default=False
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Tell from a pilot how many replicates a wanted precision takes, with time and disk."""
    from simstudy import load

    load_plugins(plugin)
    study = load(config)
    from simstudy import cli_plan

    say(cli_plan.plan(study, cli_plan.targets(precision or ()), pilot))


@app.command()
def families(
    name: Annotated[str | None, typer.Argument(help="A family, to see all of it.", show_default=False)] = None,
    plugin: Plugins = None,
) -> None:
    """List the families, or show one with its formula, parameters and I(θ)."""
    from simstudy import cli_messages

    load_plugins(plugin)
    say(cli_messages.families() if name is None else cli_messages.family(name))


@app.command()
def check_family(
    family: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A family, or a Python file: all families it defines.")
    ],
    plugin: Plugins = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    laws: Annotated[
        str | None, typer.Option(help="Names of laws, with commas between; default: all.", show_default=False)
    ] = None,
) -> None:
    """Check a family against the laws of probability and likelihood; exit code 3 if one fails."""
    from simstudy import cli_contract

    load_plugins(plugin)
    raise typer.Exit(cli_contract.check(family, seed, laws))


@app.command()
def schema(plugin: Plugins = None) -> None:
    """Print the JSON Schema of configs, for editors."""
    import json

    from simstudy.study.config import json_schema

    load_plugins(plugin)
    say(json.dumps(json_schema(), indent=2, ensure_ascii=False))


app.command()(cli_verify.verify)


def main() -> None:
    """Run the command line and exit."""
    os.environ |= _environment()
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # no file has a date, and what is no number stops some libraries
    sys.exit(guarded(lambda: app(prog_name="simstudy"), sys.argv[1:]))


def _environment() -> dict[str, str]:
    """Return what numerical libraries and worker processes, none of which has started yet, are to find."""
    # Figures are written to files alone, and what the user set may name what is not there.
    drawing = {"MPLBACKEND": "agg"}
    # When a run is stopped, the processes that tidy up after workers may be too late, and would say so at length.
    trackers = "joblib.externals.loky.backend.resource_tracker", "multiprocessing.resource_tracker"
    quiet = ",".join(f"ignore::UserWarning:{tracker}" for tracker in trackers)
    return ONE_THREAD | drawing | {"PYTHONWARNINGS": ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), quiet)))}
