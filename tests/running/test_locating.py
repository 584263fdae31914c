"""Which replicate makes a task raise: found alone, by halves, in few fits."""

from __future__ import annotations

import numpy as np
import pytest

from simstudy.running import locating
from simstudy.running.block import draw, estimate
from simstudy.running.locating import located
from simstudy.study.streams import block_size

SEED = 3


@pytest.fixture
def touchy(monkeypatch):
    """Return a function that makes fits raise where a data set has one of the values given; it counts the fits."""

    def arrange(values, error=ArithmeticError):
        fits = []

        def raising(scenario, x):
            fits.append(len(x))
            if np.isin(x, values).any():
                message = "too far"
                raise error(message)
            return estimate(scenario, x)

        monkeypatch.setattr(locating, "estimate", raising)
        return fits

    return arrange


def value(cell, replicate):
    """A value that only this replicate has."""
    block, row = divmod(replicate, block_size(cell.n))
    return draw(cell, SEED, block)[row, 0]


@pytest.mark.parametrize("replicate", [0, 1, 1309, 1310, 2000, 3929])
def test_the_replicate_is_found_in_few_fits(scenario, touchy, replicate):
    cell = scenario(n=50)
    fits = touchy([value(cell, replicate)])
    assert located(cell, SEED, 0, 2) == replicate
    assert len(fits) <= 3 + 12
    assert sum(fits) <= 3 * 1310 + 2 * 1310


def test_the_first_of_several_is_found(scenario, touchy):
    cell = scenario(n=50)
    touchy([value(cell, replicate) for replicate in (1500, 1400, 3000)])
    assert located(cell, SEED, 0, 2) == 1400


def test_nothing_is_named_where_nothing_raises(scenario, touchy):
    cell = scenario(n=50)
    touchy([])
    assert located(cell, SEED, 0, 1) is None


def test_nothing_is_named_where_only_all_together_raise(scenario, monkeypatch):
    def crowded(_, x):
        if len(x) > 400:
            message = "too many"
            raise ArithmeticError(message)

    monkeypatch.setattr(locating, "estimate", crowded)
    assert located(scenario(n=50), SEED, 0, 1) is None


def test_another_exception_on_the_way_is_not_taken_for_it(scenario, monkeypatch):
    def moody(_, x):
        raise ArithmeticError if len(x) == 1310 else ValueError

    monkeypatch.setattr(locating, "estimate", moody)
    assert located(scenario(n=50), SEED, 0, 1) is None


def test_where_drawing_raises_it_is_the_first_of_the_block(scenario, monkeypatch):
    def drawing(cell, seed, block):
        if block == 2:
            raise OSError
        return draw(cell, seed, block)

    monkeypatch.setattr(locating, "draw", drawing)
    assert located(scenario(n=50), SEED, 0, 3) == 2 * 1310


def test_running_out_of_memory_is_searched_for_as_well(scenario, touchy):
    cell = scenario(n=9000)
    touchy([value(cell, 9)], MemoryError)
    assert located(cell, SEED, 0, 3) == 9


def test_a_search_that_takes_too_long_is_given_up(scenario, touchy, monkeypatch):
    cell = scenario(n=50)
    fits = touchy([value(cell, 5)])
    monkeypatch.setattr(locating, "_GRACE", -1e9)
    assert located(cell, SEED, 0, 0) is None
    assert fits == [1310]
