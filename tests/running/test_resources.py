"""What the machine has, as files of the system tell it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simstudy.running import resources

MEMINFO = (
    "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\nHugePages_Total:   0\n"
)
FREE = 8000000 * 1024
UNLIMITED = "9223372036854771712"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Return a function that lays out a made-up /proc and /sys/fs/cgroup."""
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    monkeypatch.setattr(resources, "_PROC", proc)
    monkeypatch.setattr(resources, "_GROUPS", groups)

    def lay_out(files):
        files = {"proc/meminfo": MEMINFO} | files
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return lay_out


def test_memory_without_groups(system):
    system({})
    assert resources.available_memory() == FREE


@pytest.mark.parametrize("outer", ["", "/outer"])
def test_the_limit_of_a_group_and_of_those_it_is_in(system, outer):
    system(
        {
            "proc/self/cgroup": "0::/outer/inner\n",
            "groups/outer/inner/memory.max": "max\n",
            "groups/outer/inner/memory.current": "1\n",
            f"groups{outer}/memory.max": "1000000\n",
            f"groups{outer}/memory.current": "400000\n",
            f"groups{outer}/memory.stat": "anon 100\nfile 50000\n",
        }
    )
    assert resources.available_memory() == 1000000 - 400000 + 50000


def test_the_limit_of_a_group_of_version_1(system):
    system(
        {
            "proc/self/cgroup": "5:cpu:/elsewhere\n4:memory:/job\n0::/\n",
            "groups/memory/memory.limit_in_bytes": UNLIMITED,
            "groups/memory/memory.usage_in_bytes": "3",
            "groups/memory/job/memory.limit_in_bytes": "500000",
            "groups/memory/job/memory.usage_in_bytes": "600000",
        }
    )
    assert resources.available_memory() == 0


def test_what_cannot_be_read_limits_nothing(system):
    system({"proc/self/cgroup": "0::/gone\n4:memory:/gone\n"})
    assert resources.available_memory() == FREE


def test_without_proc_the_system_is_asked(system, tmp_path):
    system({})
    (tmp_path / "proc/meminfo").unlink()
    assert 0 < resources.available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_memory_of_this_machine_is_less_than_it_has():
    assert 2**20 < resources.available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_the_limit_of_a_process():
    limit = 3 * 2**30
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}));"
        "from simstudy.running.resources import own_memory; print(own_memory())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(told.stdout) < limit - 2**20
    assert resources.own_memory() > limit


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    free = resources.free_disk(tmp_path)
    assert resources.free_disk(tmp_path / "a" / "b") == pytest.approx(free, rel=0.05)
