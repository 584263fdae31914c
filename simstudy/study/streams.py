"""Random streams by identity: a block's numbers depend on what it is, not on when, where or beside what it is drawn."""

from __future__ import annotations

import hashlib
import json

from numpy.random import PCG64DXSM, Generator, SeedSequence

from simstudy.study.scenario import Scenario

STREAM_VERSION = 1
_NUMBERS_PER_BLOCK = 2**16
_ROWS_PER_BLOCK = 4096


def block_size(n: int) -> int:
    """Return B(n), the replicates in a block: about 2¹⁶ numbers, at most 4,096 rows, at least one.

    >>> block_size(10), block_size(50), block_size(2000), block_size(10**7)
    (4096, 1310, 32, 1)
    """
    return max(1, min(_ROWS_PER_BLOCK, _NUMBERS_PER_BLOCK // n))


def identity(scenario: Scenario, seed: int) -> str:
    """Return the canonical JSON of what the data of a scenario depend on: all but the block.

    The fitted family and the known parameters are no part of it, so that two fits of one mechanism see the same data;
    nor is a censoring time, so that the same lifetimes are cut. Covariates are, where a scenario has its own.
    """
    parts: list[object] = [
        STREAM_VERSION,
        seed,
        scenario.family,
        list(scenario.names),
        [float(value) for value in scenario.values],
        scenario.n,
    ]
    if scenario.covariates:
        parts.append([[c.family, list(c.names), [float(value) for value in c.values]] for c in scenario.covariates])
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=True)


def generator(scenario: Scenario, seed: int, block: int) -> Generator:
    """Return the generator of one block: PCG64DXSM seeded by SHA-256 of the identity with the block appended."""
    text = f"{identity(scenario, seed)[:-1]},{block}]"
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return Generator(PCG64DXSM(SeedSequence(int.from_bytes(digest, "big"))))
