"""Monte Carlo simulation studies of maximum likelihood.

>>> import simstudy
>>> simstudy.families()[:3]
['normal', 'exponential', 'gamma']
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simstudy.analysis.of_estimates import performance
    from simstudy.api import families, family, fit, load, load_plugin, plan, run
    from simstudy.collection import collect
    from simstudy.comparison import compare
    from simstudy.failing import failures
    from simstudy.families.status import Status
    from simstudy.interchange import export
    from simstudy.replaying import replay
    from simstudy.results import Results
    from simstudy.theory import cox_snell_bias, expected_information
    from simstudy.verification import verify

__version__ = "0.1.0"

__all__ = [
    "Results",
    "Status",
    "__version__",
    "collect",
    "compare",
    "cox_snell_bias",
    "expected_information",
    "export",
    "failures",
    "families",
    "family",
    "fit",
    "load",
    "load_plugin",
    "performance",
    "plan",
    "replay",
    "run",
    "verify",
]

_HOMES = {
    "Results": "simstudy.results",
    "failures": "simstudy.failing",
    "replay": "simstudy.replaying",
    "Status": "simstudy.families.status",
    "collect": "simstudy.collection",
    "compare": "simstudy.comparison",
    **dict.fromkeys(("cox_snell_bias", "expected_information"), "simstudy.theory"),
    "export": "simstudy.interchange",
    "performance": "simstudy.analysis.of_estimates",
    **dict.fromkeys(("family", "fit", "load_plugin", "plan", "run"), "simstudy.api"),
    "load": "simstudy.study.loading",
    "verify": "simstudy.verification",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import simstudy`` takes no time."""
    if name == "families":
        return import_module("simstudy.families")
    if name not in _HOMES:
        message = f"module 'simstudy' has no attribute '{name}'"
        raise AttributeError(message)
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Families(ModuleType):
    """The subpackage ``simstudy.families``, which can be called as the function of that name."""

    def __call__(self) -> list[str]:
        names: list[str] = self.REGISTRY.names()
        return names


class _Simstudy(ModuleType):
    """The package itself; importing a submodule named like a public function leaves it callable."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "families" and isinstance(value, ModuleType):
            value.__class__ = _Families
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Simstudy
