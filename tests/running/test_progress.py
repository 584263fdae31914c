from __future__ import annotations

import io
import sys

import pytest

from simstudy.running import progress
from simstudy.running.plan import Task
from simstudy.running.progress import Bar, Lines, Silent, State, display, draws_in_place
from simstudy.running.worker import Outcome


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when they are added."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def tasks(scenario):
    """Two tasks of 1,310 replicates each."""
    return [Task(scenario(name="fast"), 0, 0, -1), Task(scenario(name="slow"), 0, 0, -1)]


@pytest.fixture
def state(tasks, clock):
    lacking = [(task.scenario, task.rows) for task in tasks]
    return State(lacking, lambda cell: (30.0 if cell.name == "slow" else 10.0) / 1310)


def test_time_left_goes_by_cost_not_by_count(state, tasks, clock):
    clock[0] += 30
    state.advance(Outcome(tasks[1], 1310, 7, 30.0))
    assert state.share == 0.75
    assert state.text == "1,310 of 2,620 replicates, 44/s, 10 s left, 7 failures"


def test_slots_share_the_work_but_for_the_longest_task(state, tasks):
    assert state.seconds_left == 40.0
    state.slots = 2
    assert state.seconds_left == 20.0
    state.under_way = {tasks[1]: 4.0}
    assert state.seconds_left == 26.0
    state.under_way = {tasks[1]: 24.0, tasks[0]: 1.0}
    assert state.seconds_left == 9.0
    state.under_way = {tasks[1]: 99.0, tasks[0]: 99.0}
    assert state.seconds_left == 0.0


def test_what_is_spared_takes_no_time(state, tasks):
    state.spare(tasks[1].scenario)
    assert (state.rows, state.seconds_left) == (1310, 10.0)


def test_the_end_is_exactly_one(state, tasks, clock):
    assert state.share == 0.0
    for task in tasks:
        clock[0] += 1
        state.advance(Outcome(task, 1310, 0, 1.0))
    assert state.share == 1.0
    assert state.text == "2,620 of 2,620 replicates, 1,310/s, 0 failures"


def test_plain_lines_are_sparse_and_the_last_is_shown(state, tasks, clock):
    stream = io.StringIO()
    lines = Lines(stream)
    for _ in range(40):
        clock[0] += 0.5
        lines.show(state)
    assert len(stream.getvalue().splitlines()) == 4
    for task in tasks:
        state.advance(Outcome(task, 1310, 0))
    lines.show(state)
    assert stream.getvalue().splitlines()[-1].startswith("100%: 2,620 of 2,620 replicates")
    assert stream.getvalue().isascii()


def test_a_stream_that_broke_stops_nothing(state):
    stream = io.StringIO()
    lines = Lines(stream)
    stream.close()
    lines.note("lost")


@pytest.mark.parametrize(
    ("environment", "encoding", "expected"),
    [
        ({}, "utf-8", True),
        ({"NO_COLOR": "1"}, "utf-8", False),
        ({"TERM": "dumb"}, "utf-8", False),
        ({"TERM": None}, "utf-8", False),
        ({"COLUMNS": "20"}, "utf-8", False),
        ({}, "ascii", False),
    ],
)
def test_a_bar_is_for_capable_terminals(monkeypatch, environment, encoding, expected):
    for name, value in ({"NO_COLOR": None, "TERM": "xterm", "COLUMNS": "80"} | environment).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(Terminal, "encoding", encoding)
    assert draws_in_place(terminal) is expected
    assert not draws_in_place(io.StringIO())


def test_the_bar_shows_rate_and_failures(monkeypatch, state, tasks, clock):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    clock[0] += 30
    state.advance(Outcome(tasks[1], 1310, 7, 30.0))
    with display(quiet=False) as shown:
        assert isinstance(shown, Bar)
        shown.show(state)
        shown.note("a [bold] note")
    printed = sys.stderr.getvalue()
    assert "75%" in printed
    assert "10 s left, 7 failures" in printed
    assert "a [bold] note" in printed


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_quiet_and_closed(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with display(quiet=True) as shown:
        assert isinstance(shown, Silent)
        shown.note("nothing")
    with display(quiet=False) as shown:
        assert isinstance(shown, Silent if stream is None else Lines)
    assert stream is None or stream.getvalue() == ""
