"""What the manifest says of cells that stop by precision: the replicates reached, and which met their targets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from simstudy.errors import UnusableResultsError
from simstudy.running.manifest import NAME
from simstudy.running.stopping import Course
from simstudy.study.scenario import Scenario, Stop, Study

KEY = "reached"


def entry(courses: Iterable[Course]) -> dict[str, Any]:
    """Return ``{"reached": {scenario: {n: {replicates, precise}}}}`` of the cells that have ended.

    Empty where no scenario has targets.
    """
    stopped = [course for course in courses if course.scenario.precision]
    found: dict[str, dict[str, dict[str, int | bool]]] = {}
    for course in stopped:
        if course.stop is not None:
            cells = found.setdefault(course.scenario.name, {})
            cells[str(course.scenario.n)] = {"replicates": course.replicates, "precise": course.stop.precise}
    return {KEY: found} if stopped else {}


def study_as_run(folder: Path, manifest: Mapping[str, Any], asked: Study) -> Study:
    """Return the study with the replicates that were reached; a cell that has not ended keeps its cap.

    Raises
    ------
    UnusableResultsError
        If what the manifest says of them cannot be.
    """
    try:
        cells = tuple(_as_run(scenario, manifest.get(KEY, {})) for scenario in asked.scenarios)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        reason = f"damaged: what it says was reached cannot be read: {' '.join(str(error).split())}"
        message = f"{folder / NAME}: {reason}; run the study again, which mends it"
        raise UnusableResultsError(message) from error
    return replace(asked, scenarios=cells)


def _as_run(scenario: Scenario, found: Mapping[str, Any]) -> Scenario:
    ended = found.get(scenario.name, {}).get(str(scenario.n)) if scenario.precision else None
    if ended is None:
        return scenario
    replicates, precise = ended["replicates"], ended["precise"]
    if type(replicates) is not int or type(precise) is not bool or not 2 <= replicates <= scenario.replicates:
        message = f"scenario '{scenario.name}', n = {scenario.n}"
        raise ValueError(message)
    return replace(scenario, replicates=replicates, stop=Stop(scenario.replicates, precise))
