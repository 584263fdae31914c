"""Axes of sample sizes and of values."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from simstudy.figures.axes import PlainFormatter, dodge, panels, size_axis


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([1.0002, 1.0004], ["1.0002", "1.0004"]),
        ([-20.0, 0.0, 20.0], ["−20", "0", "20"]),
        ([0.0, 2.5e-7, 5e-7], ["0.0e−7", "2.5e−7", "5.0e−7"]),
        ([0.0, 1e8], ["0e8", "1e8"]),
        ([0.0, 0.25], ["0.00", "0.25"]),
        ([7.0], ["7"]),
        ([], []),
    ],
)
def test_tick_labels_have_just_the_decimals_needed(ticks, labels):
    assert PlainFormatter().format_ticks(ticks) == labels


@pytest.mark.parametrize("seed", range(20))
def test_tick_labels_tell_ticks_apart(seed):
    rng = np.random.default_rng(seed)
    step = rng.choice([1, 2, 2.5, 5]) * 10.0 ** rng.integers(-9, 9)
    ticks = list(step * np.arange(-3, 4))
    labels = PlainFormatter().format_ticks(ticks)
    np.testing.assert_allclose([float(label.replace("−", "-")) for label in labels], ticks, rtol=1e-9, atol=1e-9 * step)


@pytest.mark.parametrize("sizes", [(10,), (10, 20), (10, 11, 12, 13, 1000), tuple(range(10, 100, 3))])
def test_size_axis_labels_the_ends_and_ticks_every_size(sizes):
    axes = Figure().subplots()
    size_axis(axes, sizes)
    shown = [int(text) for text in axes.xaxis.get_major_formatter().seq]
    assert {min(sizes), max(sizes)} <= set(shown)
    assert sorted([*axes.xaxis.get_major_locator().locs, *axes.xaxis.get_minor_locator().locs]) == sorted(sizes)


@pytest.mark.parametrize("of", [1, 2, 6, 10])
def test_dodged_series_neither_meet_nor_change_places_with_the_next_size(of):
    rows = pd.DataFrame({"n": [10, 11, 100]})
    places = np.array([dodge(rows, place, of) for place in range(of)])
    assert len(np.unique(places)) == places.size
    assert places[:, 0].max() < places[:, 1].min()
    np.testing.assert_allclose(np.exp(np.log(places).mean(axis=0)), rows["n"], rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 10])
def test_panels(count):
    figure, grid = panels(count)
    assert len(grid) == len(figure.axes) == count
