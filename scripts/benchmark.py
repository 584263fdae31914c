#!/usr/bin/env python3
"""Measures what simstudy costs on this machine and prints it as Markdown, each figure beside what it should reach.

    python scripts/benchmark.py                              everything: about ten minutes
    python scripts/benchmark.py --sections drawing --families gamma weibull
    python scripts/benchmark.py --quick                      a run of seconds that shows only that it works
    python scripts/benchmark.py --write-readme               everything, and put the tables into README.md

The loop over statsmodels needs the extra [benchmark], the memory of workers psutil (extra [dev]); where they are
missing the page says so in place of their figures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from benchmarks import ROOT, analysis, drawing, intervals, large, libraries, machine, memory, parallel, scaling
from benchmarks.cases import CASES, Case

from simstudy.files import write_atomically
from simstudy.running.memory import keep_freed_memory

README = ROOT / "README.md"
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"

Section = Callable[[Sequence[Case], bool], tuple[str, str, str]]
"""(families, quick) ↦ title, note, table."""

SECTIONS: dict[str, Section] = {
    "drawing": lambda cases, quick: (drawing.TITLE, drawing.NOTE, drawing.section(cases, quick)),
    "jobs": lambda _, quick: (parallel.TITLE, parallel.NOTE, parallel.section(quick)),
    "cluster": lambda _, quick: (scaling.CLUSTER_TITLE, scaling.CLUSTER_NOTE, scaling.cluster(quick)),
    "linear": lambda _, quick: (scaling.LINEAR_TITLE, scaling.LINEAR_NOTE, scaling.linear(quick)),
    "storing": lambda _, quick: (scaling.STORING_TITLE, scaling.STORING_NOTE, scaling.storing(quick)),
    "libraries": lambda cases, quick: (libraries.TITLE, libraries.note(), libraries.section(cases, quick)),
    "analysis": lambda _, quick: (analysis.TITLE, analysis.NOTE, analysis.section(quick)),
    "intervals": lambda _, quick: (intervals.TITLE, intervals.NOTE, intervals.section(quick)),
    "savings": lambda _, quick: (analysis.SAVINGS_TITLE, analysis.SAVINGS_NOTE, analysis.savings(quick)),
    "memory": lambda _, quick: (memory.TITLE, memory.NOTE, memory.section(quick)),
    "large": lambda cases, quick: (large.TITLE, large.NOTE, large.section(cases, quick)),
}


def measure(sections: Sequence[str], cases: Sequence[Case], quick: bool) -> str:
    """Measure the sections one after the other and return the page."""
    keep_freed_memory()
    parts = [f"Measured on: {machine.describe()}"]
    if quick:
        parts.append("A quick run: too short for its figures to be quoted.")
    for name in sections:
        print(f"benchmark.py: measuring {name} …", file=sys.stderr, flush=True)
        title, note, table = SECTIONS[name](cases, quick)
        parts += [f"### {title}", note, table]
    return "\n\n".join(parts)


def placed(readme: str, page: str) -> str:
    """Return the README with the page between its marks (ValueError where they are not there once each)."""
    if (readme.count(BEGIN), readme.count(END)) != (1, 1) or readme.index(BEGIN) > readme.index(END):
        message = f"{README.name}: the marks {BEGIN} and {END} must stand there once each, in this order"
        raise ValueError(message)
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{page}\n{END}{rest.split(END)[1]}"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    description, _, epilog = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--families", nargs="+", choices=CASES, default=list(CASES), metavar="NAME")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="show in seconds that it works")
    parser.add_argument("--write-readme", action="store_true", help="put the tables into README.md")
    options = parser.parse_args(arguments)
    whole = (options.families, options.sections) == (list(CASES), list(SECTIONS)) and not options.quick
    if options.write_readme and not whole:
        parser.error("--write-readme needs a whole run: leave out --quick, --families and --sections")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and where asked write."""
    options = parse(arguments)
    if options.write_readme:
        placed(README.read_text(encoding="utf-8"), "")  # better now than after ten minutes
    page = measure(options.sections, [CASES[name] for name in options.families], options.quick)
    print(page, flush=True)
    if options.write_readme:
        write_atomically(README, placed(README.read_text(encoding="utf-8"), page).encode())


if __name__ == "__main__":
    main()
