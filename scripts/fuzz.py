"""Fuzz the config loader, guided by the code that each text reaches; exit code 1 if a text breaks what must hold.

    python scripts/fuzz.py --seconds 60

A text that reaches a block of code that none before it did, or reaches one far more often, is kept and changed further.
The same seed tries the same texts; a slow machine only tries fewer. POSIX only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzzing import coverage
from fuzzing.mutations import mutate
from fuzzing.oracle import Oracle
from fuzzing.seeds import seeds

WATCHED = ("simstudy.study", "simstudy.families.covariates", "yaml.scanner", "yaml.parser", "yaml.reader")
LONG = 20_000
"""Characters above which a text is kept only as a seed: changing it further takes long and shows little."""
MEMORY = Path("/dev/shm")
"""A file per text is written there, which a disk would make slow."""
MINIMISING = 15.0
"""Seconds spent on making a failing text smaller."""


class Fuzz:
    """The texts that reached something new, and what they reached."""

    def __init__(self, oracle: Oracle, seed: int) -> None:
        self.oracle = oracle
        self.rng = Random(seed)
        self.corpus: list[str] = []
        self.seen: set[tuple[int, int]] = set()
        self.executions = 0

    def tried(self, text: str) -> str:
        """Load a text; keep it if it reached something new; return what is broken."""
        coverage.forget()
        broken = self.oracle.broken(text)
        self.executions += 1
        reached = coverage.features()
        if not reached <= self.seen and len(text) <= LONG:
            self.corpus.append(text)
        self.seen |= reached
        return broken

    def search(self, deadline: float, executions: int | None) -> tuple[str, str]:
        """Return what was broken first and the text that did it, or two empty texts at the end."""
        for text in seeds():
            if broken := self.tried(text):
                return broken, text
        while time.monotonic() < deadline and (executions is None or self.executions < executions):
            # What was found last is the least explored.
            place = max(self.rng.randrange(len(self.corpus)) for _ in range(self.rng.randint(1, 3)))
            text = mutate(self.corpus[place], self.rng, self.corpus)
            if broken := self.tried(text):
                return broken, text
        return "", ""

    def smallest(self, broken: str, text: str) -> str:
        """Return the text without all that can go while the same is broken."""
        deadline, size = time.monotonic() + MINIMISING, len(text)
        while size := size // 2:
            at = 0
            while at < len(text) and time.monotonic() < deadline:
                shorter = text[:at] + text[at + size :]
                if self.oracle.broken(shorter) == broken:
                    text = shorter
                else:
                    at += size
        return text


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to search (default: 60)")
    parser.add_argument("--executions", type=int, help="at most so many texts, for the same search on any machine")
    parser.add_argument("--seed", type=int, default=0, help="seed of the search (default: 0)")
    given = parser.parse_args()
    deadline = time.monotonic() + given.seconds
    coverage.watch(WATCHED)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        fuzz = Fuzz(Oracle(Path(folder)), given.seed)
        broken, text = fuzz.search(deadline, given.executions)
        print(f"executions: {fuzz.executions:,}, texts kept: {len(fuzz.corpus):,}")
        print(f"coverage: {len({block for block, _ in fuzz.seen}):,} of {len(coverage.COUNTS):,} blocks")
        if broken:
            small = fuzz.smallest(broken, text)
            print(f"broken: {broken}\nsmallest failing text, {len(small):,} characters: {small[:2_000]!a}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
