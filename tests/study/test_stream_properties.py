"""Random numbers belong to an identity: the same one always has the same, and no two share any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simstudy.running.block import draw
from simstudy.study.config import from_dict
from simstudy.study.scenario import Scenario
from simstudy.study.streams import block_size, generator

FAMILIES = {"normal": ("mean", "sd"), "gamma": ("shape", "scale"), "weibull": ("shape", "scale")}

VALUES = st.one_of(st.integers(1, 40).map(float), st.floats(0.25, 40.0))
MECHANISMS = st.sampled_from(sorted(FAMILIES)).flatmap(
    lambda family: st.tuples(
        st.just(family),
        st.tuples(VALUES, VALUES),
        st.integers(2, 10**6),
        st.integers(0, 2**128 - 1),
        st.integers(0, 99),
    )
)


def scenario(family, values, n, *, integers=False, backwards=False, **changes) -> Scenario:
    """The cell as a config gives it, in one of the ways in which it can be written."""
    written = {
        name: int(v) if integers and v.is_integer() else v for name, v in zip(FAMILIES[family], values, strict=True)
    }
    items = list(written.items())
    given = dict(reversed(items)) if backwards else written
    study = from_dict(
        {
            "study": "s",
            "seed": 1,
            "replicates": 10,
            "sample_sizes": [n],
            "scenarios": [{"family": family, "parameters": given, **changes}],
        }
    )
    return study.scenarios[0]


def state(cell, seed, block):
    found = generator(cell, seed, block).bit_generator.state["state"]
    return found["state"], found["inc"]


@settings(max_examples=60, deadline=None)
@given(mechanism=MECHANISMS, integers=st.booleans(), backwards=st.booleans(), replicates=st.integers(2, 10**9))
def test_how_a_mechanism_is_written_does_not_matter(mechanism, integers, backwards, replicates):
    family, values, n, seed, block = mechanism
    plain = scenario(family, values, n)
    other = scenario(family, values, n, integers=integers, backwards=backwards, replicates=replicates, name="other")
    fitted = replace(plain, fit="logistic", known=("sd",), level=0.5, censoring=3.0)
    assert state(plain, seed, block) == state(other, seed, block) == state(fitted, seed, block)


@settings(max_examples=100, deadline=None)
@given(one=MECHANISMS, other=MECHANISMS, changed=st.sets(st.integers(0, 4)))
def test_other_mechanisms_have_other_numbers(one, other, changed):
    """Also those that differ in one thing alone."""
    if other[0] != one[0] and 0 not in changed:
        changed = changed - {1}  # the values of another family are no change of this one's
    mixed = tuple(new if place in changed else old for place, (old, new) in enumerate(zip(one, other, strict=True)))
    cells = [scenario(family, values, n) for family, values, n, _, _ in (one, mixed)]
    states = [state(cell, each[3], each[4]) for cell, each in zip(cells, (one, mixed), strict=True)]
    assert (states[0] == states[1]) == (one == mixed)


@settings(max_examples=20, deadline=None)
@given(mechanism=MECHANISMS, replicates=st.integers(2, 10**6), blocks=st.permutations([0, 1, 2]))
def test_a_block_is_the_same_whatever_is_drawn_before_it(mechanism, replicates, blocks):
    family, values, n, seed, _ = mechanism
    cell = scenario(family, values, min(n, 20_000))
    alone = draw(cell, seed, 2)
    found = {block: draw(replace(cell, replicates=replicates), seed, block) for block in blocks}
    np.testing.assert_array_equal(found[2], alone)
    assert alone.shape[:2] == (block_size(cell.n), cell.n)
    assert not np.array_equal(found[0], found[1])
