from __future__ import annotations

import shlex
from pathlib import Path

import simstudy
from simstudy.running.commands import failures_command, plugin_files, replay_command
from tests import plugins
from tests.plugins import here, registry

__all__ = ["here", "registry"]


def test_commands_can_be_pasted():
    command = replay_command(Path("it's here/s"), "a b", 5, 10**6, ["my own.py", "two.py"])
    assert shlex.split(command) == [
        *("simstudy", "replay", "it's here/s", "--scenario", "a b", "--n", "5", "--replicate", "1000000"),
        *("--plugin", "my own.py", "--plugin", "two.py"),
    ]
    assert shlex.split(failures_command("-rf/s", ["x.py"])) == ["simstudy", "failures", "./-rf/s", "--plugin", "x.py"]


def test_plug_in_files_are_those_of_the_families(here):
    Path("own.py").write_text(plugins.BASE + plugins.family("one"))
    Path("other.py").write_text(plugins.BASE + plugins.family("two") + plugins.family("three"))
    simstudy.load_plugin("./own.py")
    simstudy.load_plugin("other.py")
    assert plugin_files(["normal", "two", "three"]) == ("other.py",)
    assert plugin_files(["two", "one"]) == ("other.py", "./own.py")
    assert plugin_files(["normal", "nothing"]) == ()
