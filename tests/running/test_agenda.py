from __future__ import annotations

from dataclasses import replace

from simstudy.running.agenda import Agenda
from simstudy.running.costs import Costs, Trial
from simstudy.running.plan import Task
from simstudy.study.scenario import Scenario

BASE = Scenario("a", "normal", ("mean", "sd"), (0.0, 1.0), "normal", (), 50, 100, 0.95)
SLOW = replace(BASE, name="slow", fit="gamma")


def made(costs, *cells):
    agenda = Agenda(costs)
    for tasks in cells:
        agenda.add(iter(tasks))
    return agenda


def drained(agenda):
    found = []
    while agenda:
        task = agenda.pop()
        found.append((task.scenario.name, task.first_block))
    return found


def test_the_longest_task_of_all_cells_comes_first():
    costs = Costs()
    costs.add(BASE, 1, 1.0)
    costs.add(SLOW, 1, 10.0)
    short, long = [Task(BASE, 0, 0, -1), Task(BASE, 1, 1, 0)], [Task(SLOW, 0, 0, -1), Task(SLOW, 1, 1, 0)]
    assert drained(made(costs, short, long)) == [("slow", 0), ("slow", 1), ("a", 0), ("a", 1)]
    assert drained(made(costs, [Task(BASE, 0, 19, -1)], long)) == [("a", 0), ("slow", 0), ("slow", 1)]


def test_costs_are_those_of_the_moment():
    costs = Costs()
    agenda = made(costs, [Task(BASE, 0, 0, -1), Task(BASE, 1, 1, 0)], [Task(SLOW, 0, 0, -1)])
    assert agenda.pop().scenario is BASE
    costs.add(BASE, 1, 1.0)
    costs.add(SLOW, 1, 10.0)
    assert agenda.pop().scenario is SLOW


def test_trials_come_before_everything():
    agenda = made(Costs(), [Task(BASE, 0, 0, -1)])
    agenda.try_out([Trial(BASE)])
    assert agenda.pop() == Trial(BASE)
    assert drained(agenda) == [("a", 0)]


def test_tasks_are_made_when_their_turn_comes():
    made_so_far = []

    def endless():
        for block in range(10**12):
            made_so_far.append(block)
            yield Task(BASE, block, block, block - 1)

    agenda = made(Costs(), endless())
    for _ in range(3):
        agenda.pop()
    assert len(made_so_far) <= 4


def test_nothing_to_do_is_false():
    assert not made(Costs(), [])
    assert list(made(Costs(), [Task(BASE, 0, 0, -1)], [Task(SLOW, 0, 0, -1)]).rest()) == [
        Task(SLOW, 0, 0, -1),
        Task(BASE, 0, 0, -1),
    ]
