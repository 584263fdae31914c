"""From checked data to the cells of a study: lists cross, names are derived, sample sizes are laid out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simstudy.inference.intervals import DEFAULT_METHODS, METHODS
from simstudy.study import checks, names, precision, schema, sizes
from simstudy.study.design import Design, Entry
from simstudy.study.faults import Faults, Path, where
from simstudy.study.parameter_checks import crossed
from simstudy.study.scenario import Scenario, Study


@dataclass(frozen=True)
class Mechanism:
    """One point of the crossing of a scenario's lists, before it has a name that no other has."""

    design: Design
    values: Mapping[str, float]

    @property
    def given(self) -> str | None:
        """The name given in the config, if any; one that is no text has its fault by now."""
        name = self.design.entry.own.get("name")
        return name if isinstance(name, str) else None

    @property
    def _base(self) -> str:
        design = self.design
        return design.family if design.fit == design.family else f"{design.fit}-fitted-to-{design.family}"

    @property
    def short_name(self) -> str:
        """Name of the scenario or family, and the values that cross."""
        written = self.design.parameters
        crossed = {name: value for name, value in self.values.items() if isinstance(written[name], list)}
        return names.derive(self.given or self._base, crossed)

    @property
    def long_name(self) -> str:
        """Name of the family (and of the fitted one if it is another), all values, what is known, and the censoring."""
        return names.derive(self._base, self.values, self.design.known, self.design.censoring)


def build(data: Any, faults: Faults) -> Study:
    """Check plain data and turn them into a study.

    Raises
    ------
    ConfigError
        All faults of the data, and those that `faults` held before.
    """
    schema.check(data, faults)
    entries = _entries(data)
    _check_common(data, entries, faults)
    designs = [design for entry in entries if (design := checks.design(entry, faults))]
    _check_count(designs, faults)
    named = _name([mechanism for design in designs for mechanism in _cross(design)])
    _check_names(named, faults)
    faults.check()
    scenarios = (cell for name, mechanism in named for cell in _cells(name, mechanism))
    return Study(data["study"], data["seed"], tuple(scenarios))


def _entries(data: Any) -> list[Entry]:
    if not isinstance(data, dict) or not isinstance(data.get("scenarios"), list):
        return []
    items = enumerate(data["scenarios"])
    return [Entry(index, item, data) for index, item in items if isinstance(item, dict)]


def _check_common(data: Any, entries: Sequence[Entry], faults: Faults) -> None:
    """Check what may stand at the top or in a scenario."""
    if not isinstance(data, dict):
        return
    for key in ("replicates", "sample_sizes"):
        checks.require(key, data, entries, faults)
    written: dict[Path, Any] = {("sample_sizes",): data.get("sample_sizes")}
    written |= {(*entry.path, "sample_sizes"): entry.own.get("sample_sizes") for entry in entries}
    for path, value in written.items():
        sizes.check(sizes.usable(value, path, faults), path, faults)


def _check_count(designs: Sequence[Design], faults: Faults) -> None:
    """Refuse a study of too many cells before any of them is made."""
    cells = sum(design.count * max(1, len(design.entry.sizes(faults))) for design in designs)
    if cells > sizes.MAX_CELLS:
        what = f"{cells:,} cells (mechanisms times sample sizes): a study has at most {sizes.MAX_CELLS:,}"
        raise faults.fatal(("scenarios",), what)


def _cross(design: Design) -> Iterator[Mechanism]:
    for values in crossed(design.parameters, design.names):
        yield Mechanism(design, values)


def _name(mechanisms: Sequence[Mechanism]) -> list[tuple[str, Mechanism]]:
    """Give every mechanism its short name, or, where a derived one is not alone with it, its long name."""
    times = Counter(mechanism.short_name.casefold() for mechanism in mechanisms)
    return [
        (m.long_name if m.given is None and times[m.short_name.casefold()] > 1 else m.short_name, m) for m in mechanisms
    ]


def _check_names(named: Sequence[tuple[str, Mechanism]], faults: Faults) -> None:
    """Note names that are not allowed once values are appended, and names of two mechanisms."""
    seen: dict[str, tuple[str, Entry]] = {}
    for name, mechanism in named:
        entry = mechanism.design.entry
        place = (*entry.path, "name") if "name" in entry.own else entry.path
        if "name" in entry.own and not faults.clean(*place):
            continue  # it has no name that could be that of another
        wrong = names.fault(name)
        if wrong and faults.clean(*place):
            faults.add(place, f"the name with its parameter values {wrong}")
        # Some file systems take names that differ only in case for the same.
        other, holder = seen.setdefault(name.casefold(), (name, entry))
        if holder is not entry:
            case = "" if other == name else f", but for case ({other})"
            what = f"the name {name} is also that of {where(holder.path)}{case}: give each its own"
            faults.add(place, what)


def _cells(name: str, mechanism: Mechanism) -> Iterator[Scenario]:
    design, entry = mechanism.design, mechanism.design.entry
    for n in sizes.expand(entry.value("sample_sizes")):
        yield Scenario(
            name=name,
            family=design.family,
            names=design.names,
            values=tuple(mechanism.values.values()),
            fit=design.fit,
            known=design.known,
            n=n,
            replicates=int(entry.value("replicates")),
            level=float(entry.value("level", schema.DEFAULT_LEVEL)),
            intervals=tuple(name for name in METHODS if name in entry.value("intervals", DEFAULT_METHODS)),
            mcse=entry.value("mcse", schema.DEFAULT_MCSE),
            paths=entry.value("paths", False),
            precision=precision.targets(entry.value("precision", {})),
            fitted=() if design.fit == design.family else design.fitted,
            held=design.held,
            censoring=design.censoring,
            covariates=design.covariates,
        )
