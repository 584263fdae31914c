"""What in a plug-in file is a family, and what is wrong with one that is none."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from simstudy.errors import ConfigError, Stopped
from simstudy.families import FAMILIES
from simstudy.families import plugin as plugin_module
from simstudy.families.plugin import families_of, read, told
from simstudy.families.registry import Registry
from tests.plugins import BASE, IMPORTS, OWN, family


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a plug-in and returns its path."""

    def written(text, name="mine.py"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.fixture
def names(write):
    """Return a function that gives the names of the families in a text."""
    return lambda text: [each.name for each in families_of(read(write(text)), FAMILIES)]


# ---- which families a file defines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OWN, ["own"]),
        (OWN + "ONE = TWO = Own()\n", ["own"]),
        (OWN + "_hidden = Own()\n_hidden.name = 'hidden'\n", ["own"]),
        (BASE + family("a") + family("b"), ["a", "b"]),
        (BASE.replace("_Rayleigh", "Rayleigh") + family("a").replace("_Rayleigh", "Rayleigh"), ["a"]),
        (BASE + family("a") + "FAMILIES = {'a': A}\n" + family("b"), ["a"]),
        (BASE + family("a") + family("b") + "families = [B(), A]\n", ["b", "a"]),
        (OWN + "from simstudy.families import FAMILIES\nfrom simstudy.families.gamma import Gamma\n", ["own"]),
        (OWN + "from simstudy.families.gamma import Gamma\ngamma = Gamma()\n", ["own"]),
        (OWN + "import simstudy\nfrom simstudy import families\n", ["own"]),
    ],
)
def test_families_of_a_file(names, text, expected):
    assert names(text) == expected


def test_instances_of_one_class(names):
    text = BASE + dedent("""
        class Power(_Rayleigh):
            def __init__(self, power):
                self.name = f"power{power}"
        p2, p3 = Power(2), Power(3)
        """)
    assert names(text) == ["power2", "power3"]


def test_a_file_may_hold_what_needs_its_module(names):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import get_type_hints\n"
        "@dataclass\nclass Point:\n    x: float\n"
        "assert get_type_hints(Point) == {'x': float}\n"
    )
    assert names(text + OWN) == ["own"]


def test_nothing_is_written_beside_the_file_nor_put_on_the_path(names, tmp_path):
    path = list(sys.path)
    names(OWN)
    assert [each.name for each in tmp_path.iterdir()] == ["mine.py"]
    assert sys.path == path


def test_a_source_is_plain_data(write):
    source = read(write(OWN))
    assert pickle.loads(pickle.dumps(source)) == source
    assert source.origin.file == "mine.py"
    assert len(source.origin.sha256) == 64


# ---- what is refused -----------------------------------------------------------------------------------------------


def faults(action):
    with pytest.raises(ConfigError) as caught:
        action()
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n", "defines no family: give it a class derived from simstudy.families.base.Family"),
        (
            IMPORTS + "class Bare(Family):\n    pass\n",
            "class Bare lacks name, parameters, sample_space, log_density, sample, start: every family gives these",
        ),
        (BASE + "class Nameless(_Rayleigh):\n    pass\n", "class Nameless lacks name: every family gives these"),
        (
            BASE + family("a", "parameters = None", "sample_space = None"),
            "class A lacks parameters, sample_space: every family gives these",
        ),
        (
            IMPORTS + "class Half(Family):\n    name = 'half'\n    def sample(self, rng, theta, size): ...\n",
            "class Half lacks parameters, sample_space, log_density, start: every family gives these",
        ),
        (
            BASE + family("a", "name = 'log-logistic'"),
            "class A has the name 'log-logistic': give one of letters, digits and _, such as log_logistic",
        ),
        (
            BASE + family("a", "name = 3"),
            "class A has the name 3: give one of letters, digits and _, such as log_logistic",
        ),
        (
            BASE + family("a", "parameters = ('scale',)"),
            "class A has no sound parameters: give a tuple of Parameter(name, domain, (low, high))",
        ),
        (
            BASE + family("a", "parameters = (Parameter('scale', (0, 1), (0.2, 5.0)),)"),
            "class A has no sound parameters: give a tuple of Parameter(name, domain, (low, high))",
        ),
        (
            BASE + family("a", "parameters = 2 * _Rayleigh.parameters"),
            "class A has two parameters of one name: rename one",
        ),
        (
            BASE + family("a", "sample_space = (0, 1)"),
            "class A has no sound sample_space: take one of simstudy.families.sample_space",
        ),
        (
            BASE + family("a", "alternatives = (None,)"),
            (
                "class A cannot be made: AttributeError: 'NoneType' object has no attribute 'parameters': mend it, or "
                "make a family of it at the top level"
            ),
        ),
        (
            BASE + family("a", "def __init__(self, power): pass"),
            (
                "class A cannot be made: TypeError: A.__init__() missing 1 required positional argument: 'power': mend "
                "it, or make a family of it at the top level"
            ),
        ),
        (OWN + "families = [Own, 3]\n", "lists 3, which is no family: list families only"),
        (OWN + "FAMILIES = {'mine': Own}\n", "FAMILIES has the key 'mine' for the family 'own': write it as its name"),
        (OWN + "ONE, TWO = Own(), Own()\n", "two families are called 'own': rename one"),
        (OWN + family("own").replace("Own", "Other"), "two families are called 'own': rename one"),
    ],
)
def test_a_file_without_a_sound_family(names, tmp_path, text, says):
    assert faults(lambda: names(text)) == [f"{tmp_path / 'mine.py'}: {says}"]


def test_all_faults_are_told_at_once(names):
    told_of = faults(lambda: names(BASE + family("a", "parameters = ()") + family("b", "sample_space = 1")))
    assert [line.partition(": class ")[2][:6] for line in told_of] == ["A has ", "B has "]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\ny = = 2\n", ":2: SyntaxError: invalid syntax"),
        (b"x = '\xff'\n", ":1: SyntaxError: (unicode error) 'utf-8' codec can't decode"),
        ("x = 1\0\n", ": SyntaxError: source code string cannot contain null bytes"),
        ("x = 1\n1 / 0\n", ":2: ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('two\\nlines')\nf()\n", ":2: ValueError: two lines"),
        ("import nosuchmodule\n", ":1: ModuleNotFoundError: No module named 'nosuchmodule'"),
        ("\nimport sys\nsys.exit(0)\n", ":3: SystemExit: 0"),
        ("import json\njson.loads('{')\n", ":2: JSONDecodeError: Expecting property name"),
    ],
)
def test_a_file_that_raises_is_told_with_its_line(names, tmp_path, text, says):
    (line,) = faults(lambda: names(text))
    assert line.startswith(f"{tmp_path / 'mine.py'}{says}")
    assert line.endswith(": mend the plug-in")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere.py", "nowhere.py: the plug-in cannot be read, no such file or directory: give the path of"),
        (".", ".: a plug-in is a file whose name ends in .py: give the path of one"),
        ("study.yaml", "study.yaml: a plug-in is a file whose name ends in .py: give the path of one"),
        ("a\0b.py", "the plug-in cannot be read, embedded null byte: give the path of a Python file"),
    ],
)
def test_what_is_no_plugin_file(tmp_path, monkeypatch, name, says):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").touch()
    (line,) = faults(lambda: read(name))
    assert says in line


def test_a_signal_while_a_plugin_is_loaded_passes(write):
    """It is an exit of a kind of its own."""
    source = read(write("from simstudy.errors import Stopped\nraise Stopped(143)\n"))
    with pytest.raises(Stopped) as caught:
        families_of(source, FAMILIES)
    assert caught.value.code == 143


def test_the_place_of_an_exception(write):
    (found,) = families_of(read(write(BASE + family("a", "def start(self, x):\n    raise ValueError('no')"))), FAMILIES)
    with pytest.raises(ValueError, match="no") as caught:
        found.start(None)
    line = (BASE + family("a", "def start(self, x):\n    raise ValueError('no')")).count("\n")
    assert told(caught.value) == f"mine.py:{line}: ValueError: no"
    assert told(ValueError("elsewhere")) == "ValueError: elsewhere"


# ---- the registry --------------------------------------------------------------------------------------------------


@pytest.fixture
def registry():
    return Registry(FAMILIES)


def test_builtin_families_come_first(registry, write):
    assert registry.names() == list(FAMILIES)
    assert registry.load(write(OWN)) == ["own"]
    assert registry.names() == [*FAMILIES, "own"]
    assert registry.find("own").name == "own"
    assert registry.find("gamma") is FAMILIES["gamma"]
    assert registry.get("nosuch") is None


def test_only_families_of_plugins_have_an_origin(registry, write):
    registry.load(write(OWN))
    assert registry.origins(["gamma", "own", "nosuch"]) == {"own": read(write(OWN)).origin}


def test_loading_again_changes_nothing(registry, write):
    registry.load(write(OWN))
    before = registry.find("own")
    assert registry.load(write(OWN)) == ["own"]
    assert registry.find("own") is before


def test_an_edited_file_takes_the_place_of_the_old_one(registry, write):
    registry.load(write(BASE + family("a") + family("b")))
    before = registry.origin("a")
    assert registry.load(write(BASE + family("a") + family("c"))) == ["a", "c"]
    assert registry.get("b") is None
    assert registry.origin("a") != before
    assert len(registry.sources) == 1


def test_an_edit_that_fails_leaves_what_there_was(registry, write):
    registry.load(write(OWN))
    with pytest.raises(ConfigError):
        registry.load(write("1 / 0\n"))
    assert registry.names() == [*FAMILIES, "own"]


def test_name_clashes_are_refused(registry, write, tmp_path):
    builtin = write(BASE + family("gamma") + family("a"), "one.py")
    (line,) = faults(lambda: registry.load(builtin))
    assert line == f"{builtin}: the family 'gamma' is built in: give yours another name"
    assert registry.names() == list(FAMILIES)
    registry.load(write(OWN))
    other = write(OWN, "other.py")
    (line,) = faults(lambda: registry.load(other))
    first = tmp_path / "mine.py"
    assert line == f"{other}: {first} has a family 'own' as well: rename one, or leave one out"


def test_another_process_runs_a_file_when_it_needs_it(registry, write, monkeypatch):
    registry.load(write(OWN))
    worker = Registry(FAMILIES)
    write("1 / 0\n")  # the file on the disk does not matter any more
    worker.restore(registry.sources)
    worker.get("gamma")
    assert worker.sources == ()
    assert worker.origins(["own"]) == registry.origins(["own"])
    assert worker.sources == registry.sources


# ---- installed packages --------------------------------------------------------------------------------------------


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package of one module with one entry point."""

    def installed(text, value, name="family_pack"):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[simstudy.families]\nsome = {value}\n")
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, name, raising=False)

    yield installed
    sys.modules.pop("family_pack", None)


@pytest.mark.parametrize("value", ["family_pack", "family_pack:Own", "family_pack:OWN"])
def test_an_entry_point_is_a_module_a_class_or_a_family(registry, install, value):
    install(OWN + "OWN = Own()\n", value)
    assert "family_pack" not in sys.modules
    registry.get("gamma")
    assert "family_pack" not in sys.modules
    assert registry.find("own").name == "own"
    origin = registry.origin("own")
    assert (origin.file, origin.package) == ("family_pack.py", "family-pack")
    assert origin.remedy == "install family-pack again"
    assert registry.names() == [*FAMILIES, "own"]


def test_an_installed_family_has_the_hash_of_its_source(registry, install, write):
    install(OWN, "family_pack")
    assert registry.origin("own").sha256 == read(write(OWN)).origin.sha256


def test_a_file_may_not_define_an_installed_family(registry, install, write):
    install(OWN, "family_pack")
    (line,) = faults(lambda: registry.load(write(OWN)))
    assert line.endswith(
        "installed package family-pack: family_pack has a family 'own' as well: rename one, or leave one out"
    )


@pytest.mark.parametrize(
    ("text", "value", "says"),
    [
        ("1 / 0\n", "family_pack", "cannot be loaded, ZeroDivisionError: division by zero: mend or uninstall it"),
        (OWN, "family_pack:Nosuch", "cannot be loaded, AttributeError: "),
        ("x = 1\n", "family_pack:x", "lists 1, which is no family: list families only"),
        (BASE + family("gamma"), "family_pack", "the family 'gamma' is built in: give yours another name"),
    ],
)
def test_an_installed_package_that_cannot_be_used(registry, install, text, value, says):
    install(text, value)
    (line,) = faults(registry.names)
    assert line.startswith(f"installed package family-pack: {value}: {says}")


def test_the_source_of_an_installed_family_has_to_be_there(registry, install, monkeypatch):
    install(OWN, "family_pack")
    monkeypatch.setattr(plugin_module, "collect", lambda *_: [type("Made", (), {"name": "made"})()])
    monkeypatch.setattr("inspect.getfile", lambda _: "/nowhere/made.py")
    (line,) = faults(registry.names)
    assert line.endswith("the source of 'made' cannot be read, so a change of it would go unseen")
