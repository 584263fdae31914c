"""What a worker of a dask cluster does: see that its numbers will be those of the process that asked, then a job."""

from __future__ import annotations

import json
import platform
import threading
from dataclasses import dataclass
from functools import lru_cache

from simstudy.errors import ConfigError, UnusableResultsError
from simstudy.families import REGISTRY
from simstudy.families.plugin import Source
from simstudy.running import manifest
from simstudy.running.agenda import Job
from simstudy.running.memory import keep_freed_memory
from simstudy.running.record import NUMBERS_VERSION
from simstudy.running.store import Store
from simstudy.running.worker import Done, do

_LOCK = threading.Lock()


@dataclass(frozen=True)
class Needed:
    """What a worker must have, so that its numbers are those of this process: versions, and plug-ins."""

    versions: dict[str, str]
    plugins: tuple[Source, ...]


def made_by() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    names = ("simstudy", "numpy", "scipy")
    return {"numbers": str(NUMBERS_VERSION), **{name: manifest.versions()[name] for name in names}}


def on_worker(store: Store, job: Job, needed: Needed) -> Done:
    """Do a job on a worker of a cluster.

    Raises
    ------
    ConfigError
        If the worker has other versions of what makes the numbers.
    UnusableResultsError
        If it does not see the results folder.
    """
    _prepare(needed)
    if not (store.folder / manifest.NAME).is_file():
        message = (
            f"{store.folder}: not seen by the dask worker on {platform.node()}; use a folder that all machines share"
        )
        raise UnusableResultsError(message)
    return do(store, job)


@lru_cache(maxsize=1)
def _checked(given: str) -> None:
    keep_freed_memory()
    needed, own = json.loads(given), made_by()
    other = [f"{name} {own[name]} (here {needed[name]})" for name in needed if own[name] != needed[name]]
    if other:
        message = f"the dask worker on {platform.node()} has {', '.join(other)}; give all the same versions"
        raise ConfigError(message)


def _prepare(needed: Needed) -> None:
    """Make a thread of a worker ready; once is enough for all, but for plug-ins that have changed."""
    with _LOCK:
        _checked(json.dumps(needed.versions))
        REGISTRY.restore(needed.plugins)
