"""The verbs of the Python interface; the command line calls the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simstudy.errors import ConfigError, nearest
from simstudy.families import REGISTRY, family
from simstudy.families.censoring import censored, censoring_time
from simstudy.families.covariates import named as covariates_by_name
from simstudy.inference import fit
from simstudy.parameters import Domain
from simstudy.results import SUMMARY, Results
from simstudy.running.complete import complete, existing_manifest
from simstudy.running.execute import default_jobs
from simstudy.running.lock import locked
from simstudy.running.progress import display
from simstudy.running.store import check_name
from simstudy.study import models
from simstudy.study import precision as targets
from simstudy.study.config import load
from simstudy.study.limits import limits
from simstudy.study.scenario import Covariate, Scenario, Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["expected_information", "families", "family", "fit", "load", "load_plugin", "plan", "report", "run"]

FORMATS = ("svg",)


def families() -> list[str]:
    """Return the names of all families, those of plug-ins last."""
    return REGISTRY.names()


def load_plugin(path: str | Path) -> list[str]:
    """Load the families of a Python file, so that they can be used by name as the built-in ones are.

    A family is every instance and every class of `simstudy.families.base.Family` that the file defines at its top
    level, or those that it lists as ``FAMILIES``. Loading a file again after an edit replaces its families.

    Parameters
    ----------
    path
        The file. It is run, as ``import`` would.

    Returns
    -------
    list of str
        Names of its families.

    Raises
    ------
    ConfigError
        If the file cannot be read or raises an exception, if it defines no family or an incomplete one, or if a name
        is that of another family.
    """
    return REGISTRY.load(path)


def expected_information(
    family: str,
    parameters: Mapping[str, float],
    known: Iterable[str] = (),
    *,
    censoring: Mapping[str, float] | None = None,
    covariates: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """Return the expected (Fisher) information I(θ) of one observation.

    Parameters
    ----------
    family
        Name of a family.
    parameters
        Values of all parameters and constants of the family; their names choose the parametrisation.
    known
        Names of the parameters that are not estimated; constants never are.
    censoring
        {"time": c} where observations are cut at c.
    covariates
        How the covariates of a regression are drawn, {"family": …, "parameters": …} for all or a list with one for
        each; by default standard normal.

    Returns
    -------
    DataFrame (p, p)
        Rows and columns are the free parameters, in the order given.

    Raises
    ------
    ConfigError
        If there is no such family or parametrisation, a value lies outside its domain, or the family cannot be censored
        or has no covariates.

    Examples
    --------
    >>> expected_information("normal", {"mean": 0, "sd": 2})
          mean   sd
    mean  0.25  0.0
    sd    0.00  0.5
    """
    import pandas as pd

    scenario = scenario_at(family, dict(parameters), tuple(known))
    scenario = _observed(scenario, censoring, covariates)
    matrix = pd.DataFrame(limits(scenario).information, scenario.free, scenario.free)
    order = [name for name in parameters if name in scenario.free]
    return matrix.loc[order, order]


def scenario_at(name: str, parameters: Mapping[str, float], known: Sequence[str]) -> Scenario:
    """Return the scenario at a point of a family, all faults of which are told at once."""
    chosen = family(name).member(dict.fromkeys(parameters))
    form = next((form for form in chosen.forms if {p.name for p in form} == set(parameters)), None)
    if form is None:
        given = "{" + ", ".join(sorted(parameters)) + "}"
        message = f"{name} has no parametrisation {given}; it has {chosen.choices}"
        raise ConfigError(message)
    names, constants = [p.name for p in form], [c.name for c in chosen.constants]
    faults = [
        f"{name}: {p.name} must be a number in {p.domain}, got {parameters[p.name]!r}"
        for p in form
        if not _inside(parameters[p.name], p.domain)
    ]
    faults += [f"{name}: known: no parameter '{k}'{nearest(k, names)}" for k in known if k not in names]
    if set(names) <= {*known, *constants}:
        faults.append(f"{name}: all parameters are known; leave at least one to be estimated")
    if faults:
        raise ConfigError(faults)
    values = tuple(float(parameters[key]) for key in names)
    held = tuple(key for key in names if key in known or key in constants)
    scenario = Scenario(name, name, tuple(names), values, name, held, n=1, replicates=1, level=0.95)
    model = models.drawn(scenario)
    if wrong := model.family.constraint([float(value) for value in model.base]):
        message = f"{name}: {wrong} must hold, got {', '.join(f'{k} = {v!r}' for k, v in parameters.items())}"
        raise ConfigError(message)
    return scenario


def _observed(scenario: Scenario, censoring: Any, covariates: Any) -> Scenario:
    """Return the scenario with its observations cut, or its covariates drawn, as given."""
    drawn = models.drawn(scenario).family
    if censoring is not None:
        scenario = replace(scenario, censoring=censored(drawn, censoring_time(censoring)).time)
    if covariates is not None:
        named = tuple(Covariate(*each) for each in covariates_by_name(drawn, covariates))
        scenario = replace(scenario, covariates=named)
    return scenario


def _inside(value: object, domain: Domain) -> bool:
    try:
        return bool(domain.contains(float(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def run(
    study: Study,
    jobs: int | None = None,
    results: str | Path = "results",
    *,
    quiet: bool = True,
    command: str | None = None,
) -> Results:
    """Simulate what is missing of a study, then write its summary, figures and report.

    What is stored is never computed again; a study that was stopped, or has grown, ends with the bytes of one
    long run. A scenario with targets of precision runs until they are met, at most to its number of replicates, and
    ends where a run that had nothing stored would.

    Parameters
    ----------
    study
        From `load`.
    jobs
        Worker processes, by default as many as there are processors; with 1, everything runs in this process.
        The numbers do not depend on it.
    results
        Folder in which the study has, or gets, a folder of its name.
    quiet
        Whether to show no progress on standard error.
    command
        What the report gives as the command that reproduces it.

    Returns
    -------
    Results
        The results, opened.

    Raises
    ------
    ForeignResultsError
        If the folder is in use, or holds another study.
    UnusableResultsError
        If it cannot be read or written, or a stored file is damaged.
    UnfinishedTasksError
        If some replicates could not be simulated; all others are stored.
    """
    from simstudy.analysis.precision import precise

    folder = Path(results) / check_name(study.name, "study")
    existing_manifest(folder, study)  # refuses before even a lock is left in another's folder
    command = command or f"simstudy.run(simstudy.load('{study.name}.yaml'))"
    with locked(folder), display(quiet) as shown:
        complete(folder, study, jobs or default_jobs(), command, shown, precise)
        shown.note("drawing figures and writing the report")
        report(folder, jobs=jobs)
        return Results(folder)


def plan(study: Study, precision: Mapping[str, float | str] | None = None, pilot: int | None = None) -> pd.DataFrame:
    """Tell from a pilot how many replicates a wanted precision takes; nothing is stored.

    Parameters
    ----------
    study
        From `load`.
    precision
        Measures and the Monte Carlo standard errors (MCSE) to reach, such as ``{"coverage": 0.002,
        "scaled_covariance": "1%"}``; by default those of the config, else 1% for the two matrices and 0.005 for
        coverage.
    pilot
        Replicates of the pilot of every cell, rounded up to whole blocks; by default about 1,000, fewer for huge n.

    Returns
    -------
    DataFrame
        One row per cell and measure: ``scenario``, ``n``, ``measure``, ``target``, ``pilot`` (replicates), ``share``
        (the pilot's largest MCSE over what it may be), ``replicates`` (that reach the target, to two digits; missing
        where the pilot cannot tell), ``rough`` (whether the halves of the pilot disagree on that by more than a factor
        2), ``seconds`` (of one processor), ``bytes`` (on disk), and ``decides`` (whether no
        other measure of the cell takes more).

    Raises
    ------
    ConfigError
        If there is no such measure, or a target is no positive number and no share.
    """
    from simstudy.planning import frame, needs

    return frame(needs(study, () if precision is None else targets.checked(precision), pilot))


def report(
    folder: str | Path, formats: Sequence[str] = FORMATS, only: Sequence[str] = (), jobs: int | None = None
) -> list[Path]:
    """Write summary, figures and pages of a results folder again from the stored blocks, byte for byte.

    Parameters
    ----------
    folder
        What a run wrote.
    formats
        Formats of the figure files, of ``svg``, ``pdf`` and ``png``; ``svg`` is always among them.
    only
        Names of the only figures to draw, of all scenarios; the pages then stay as they are.
    jobs
        Processes that draw, by default as many as there are processors.

    Returns
    -------
    list of Path
        The figures and pages written, ``report.html`` first where that is one of them.

    Raises
    ------
    ConfigError
        If a format or a figure is not known.
    UnusableResultsError
        If blocks are missing or damaged, or the folder cannot be written.
    """
    from simstudy import report as pages
    from simstudy.analysis import summary

    results = Results(folder)
    pages.check(formats, only)
    summary.write(summary.summarise(results.study.name, results.cells()), results.folder / SUMMARY)
    return pages.build(results, formats, only, jobs or default_jobs())
