"""Configs become studies exactly as written, or one line per fault at the place where it stands."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.parameters import Parameter
from simstudy.study import config
from simstudy.study.scenario import Covariate, Scenario, Study, Target

HEAD = "study: s\nseed: 1\nreplicates: 100\nsample_sizes: [10, 20]\nscenarios:\n"
GAMMA = "  - {family: gamma, parameters: {shape: 2, scale: 1}}\n"


def faults_of(text: str) -> tuple[str, ...]:
    try:
        config.loads(text, "x.yaml")
    except ConfigError as error:
        return error.faults
    return ()


def names_of(*scenarios: str) -> tuple[str, ...]:
    return config.loads(HEAD + "".join(f"  - {{{scenario}}}\n" for scenario in scenarios)).names


# ---- what a config means ----


def test_every_key_is_used() -> None:
    text = (
        "study: information-limit\nseed: 20240611\nreplicates: 1e4\nsample_sizes: [50, 25]\nlevel: 0.9\n"
        "scenarios:\n"
        "  - name: wearout\n    family: weibull\n    parameters: {scale: 1, shape: 2.5}\n"
        "  - family: cauchy\n    parameters: {loc: -0.0, scale: 1}\n    known: [scale]\n    fit: cauchy\n"
        "    sample_sizes: {from: 20, to: 40, ratio: 2}\n    replicates: 100000\n    level: 0.5\n"
    )
    study = config.loads(text)
    weibull = ("wearout", "weibull", ("shape", "scale"), (2.5, 1.0), "weibull", ())
    cauchy = ("cauchy", "cauchy", ("loc", "scale"), (0.0, 1.0), "cauchy", ("scale",))
    assert study == Study(
        "information-limit",
        20240611,
        (
            Scenario(*weibull, n=25, replicates=10_000, level=0.9),
            Scenario(*weibull, n=50, replicates=10_000, level=0.9),
            Scenario(*cauchy, n=20, replicates=100_000, level=0.5),
            Scenario(*cauchy, n=40, replicates=100_000, level=0.5),
        ),
    )


def test_numbers_have_the_types_that_identities_are_made_of() -> None:
    text = HEAD.replace("100", "1e2").replace("[10, 20]", "[1e1]") + GAMMA
    (cell,) = config.loads(text).scenarios
    assert [type(number) for number in (cell.n, cell.replicates, cell.level, *cell.values)] == [
        int,
        int,
        *[float] * 3,
    ]


def test_minus_zero_is_zero() -> None:
    cell = config.loads(HEAD + "  - {family: normal, parameters: {mean: -0.0, sd: 1}}\n").scenarios[0]
    assert str(cell.values[0]) == "0.0"


def test_level_is_95_percent_unless_given() -> None:
    assert {cell.level for cell in config.loads(HEAD + GAMMA).scenarios} == {0.95}


def test_what_every_scenario_has_need_not_stand_at_the_top() -> None:
    own = GAMMA.replace("}}", "}, replicates: 7, sample_sizes: [5]}")
    study = config.loads(f"study: s\nseed: {2**128 - 1}\nscenarios:\n{own}")
    assert [(cell.n, cell.replicates) for cell in study.scenarios] == [(5, 7)]
    assert study.seed == 2**128 - 1


def test_keys_choose_the_parametrisation_whose_order_is_canonical() -> None:
    for written in ("mean: 3, shape: 2", "shape: 2, mean: 3"):
        cell = config.loads(HEAD + f"  - {{family: gamma, parameters: {{{written}}}}}\n").scenarios[0]
        assert (cell.names, cell.values) == (("shape", "mean"), (2.0, 3.0))


def test_lists_cross_in_the_order_written_the_first_slowest() -> None:
    assert names_of("family: gamma, parameters: {scale: [1, 3], shape: [2, 0.5]}") == (
        "gamma-shape=2,scale=1",
        "gamma-shape=0.5,scale=1",
        "gamma-shape=2,scale=3",
        "gamma-shape=0.5,scale=3",
    )


def test_known_is_in_canonical_order() -> None:
    text = HEAD + "  - {family: beta, parameters: {alpha: 1, beta: 2}, known: [beta]}\n"
    cell = config.loads(text).scenarios[0]
    assert (cell.known, cell.free) == (("beta",), ("alpha",))


@pytest.mark.parametrize(
    ("scenarios", "expected"),
    [
        (["family: weibull, parameters: {shape: 2, scale: 1}"], ("weibull",)),
        (["family: weibull, parameters: {shape: [2.5], scale: 1}"], ("weibull-shape=2.5",)),
        (
            ["name: w, family: weibull, parameters: {shape: [2, 1e-8], scale: 1}"],
            ("w-shape=2", "w-shape=1e-08"),
        ),
        (
            [
                "family: gamma, parameters: {shape: 2, scale: 1}",
                "family: gamma, parameters: {shape: 2, rate: 1}",
            ],
            ("gamma-shape=2,scale=1", "gamma-shape=2,rate=1"),
        ),
        (
            [
                "family: normal, parameters: {mean: 0, sd: 1}",
                "family: normal, parameters: {mean: 0, sd: 1}, known: [sd]",
            ],
            ("normal-mean=0,sd=1", "normal-mean=0,sd=1,known=sd"),
        ),
        (
            [
                "name: gamma, family: gamma, parameters: {shape: 2, scale: 1}",
                "family: gamma, parameters: {shape: 1, scale: 1}",
            ],
            ("gamma", "gamma-shape=1,scale=1"),
        ),
    ],
    ids=["family", "list", "named list", "parametrisations", "known", "given and derived"],
)
def test_names(scenarios: list[str], expected: tuple[str, ...]) -> None:
    assert names_of(*scenarios) == expected


# ---- faults together (each alone: test_config_messages.py) ----


def test_all_faults_are_told_at_once() -> None:
    text = (
        "study: a/b\nsede: 3\nreplicates: ten\nsample_sizes: [1, 50, 50, 2.5]\nlevel: 1.5\n"
        "scenarios:\n"
        "  - family: gama\n    parameters: {shape: 1}\n"
        "  - family: gamma\n    parameters: {shape: true, scale: -2, rat: 1}\n    fit: norml\n"
        "  - family: gamma\n    parameters: {shape: 2, scale: 1}\n    known: [scal]\n    name: -rf\n"
        "    seed: &a 1\n"
        "  - {family: normal, parameters: {mean: 0, sd: 1}, name: x}\n"
        "  - {family: normal, parameters: {mean: 0, sd: 1}, name: x}\n"
    )
    places = [fault.split(": ")[:2] for fault in faults_of(text)]
    assert places == [
        ["x.yaml:1", "study"],
        ["x.yaml:1", "seed"],
        ["x.yaml:2", "sede"],
        ["x.yaml:3", "replicates"],
        ["x.yaml:4", "sample_sizes[3]"],
        ["x.yaml:4", "sample_sizes"],
        ["x.yaml:4", "sample_sizes"],
        ["x.yaml:4", "sample_sizes"],
        ["x.yaml:5", "level"],
        ["x.yaml:7", "scenarios[0].family"],
        ["x.yaml:10", "scenarios[1].parameters.shape"],
        ["x.yaml:10", "scenarios[1].parameters.rat"],
        ["x.yaml:10", "scenarios[1].parameters.scale"],
        ["x.yaml:11", "scenarios[1].fit"],
        ["x.yaml:14", "scenarios[2].known[0]"],
        ["x.yaml:15", "scenarios[2].name"],
        ["x.yaml:16", "scenarios[2].seed"],
        ["x.yaml:16", "scenarios[2].seed"],
        ["x.yaml:18", "scenarios[4].name"],
    ]


def test_enormous_grids_are_refused_before_they_are_made() -> None:
    values = list(range(1, 4_000))
    begin = time.process_time()
    text = HEAD + f"  - family: gamma\n    parameters: {{shape: {values}, scale: {values}}}\n"
    expected = "x.yaml:5: scenarios: 31,984,002 cells (mechanisms times sample sizes): a study has at most 10,000"
    assert faults_of(text) == (expected,)
    assert time.process_time() - begin < 2.0


def test_thousands_of_scenarios_load_in_no_time() -> None:
    begin = time.process_time()
    scenarios = (f"  - {{family: poisson, parameters: {{mean: {k}}}}}\n" for k in range(1, 2_501))
    assert len(config.loads(HEAD + "".join(scenarios)).scenarios) == 5_000
    assert time.process_time() - begin < 4.0


# ---- files, plain data and YAML ----


def test_load_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + GAMMA)
    assert config.load(path) == config.load(str(path)) == config.loads(HEAD + GAMMA)
    path.write_text(HEAD + GAMMA.replace("gamma", "gama"))
    with pytest.raises(ConfigError) as raised:
        config.load(path)
    assert str(raised.value).startswith(f"{path}:6: scenarios[0].family: there is no family 'gama'")


def test_load_with_another_number_of_replicates(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + GAMMA)
    assert {cell.replicates for cell in config.load(path, replicates=7).scenarios} == {7}


@pytest.mark.parametrize("replicates", [1, 10**9 + 1, True, 2.0, "7"])
def test_load_with_an_impossible_number_of_replicates(tmp_path: Path, replicates: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^argument: replicates: must be a whole number from 2 to 1,000,000,000, got"
    ):
        config.load(tmp_path / "x.yaml", replicates)


NAMES = [
    *("a", "1e5", "010", "0x1F", "12", "no", "null", "True", "2024-06-11", "1_0"),
    *("w-shape=2.5,scale=1e-08", "a" * 100),
]


def _rounded(parameter: Parameter, value: float) -> float:
    return float(math.floor(value)) if parameter.domain.whole else value + 0.0


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Draw studies of all families and parametrisations, with names that a YAML reader may mistake."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique_by=str.casefold))
    cells: list[Scenario] = []
    for name in names:
        family = draw(st.sampled_from(list(FAMILIES)))
        form = draw(st.sampled_from(FAMILIES[family].forms))
        values = tuple(_rounded(parameter, draw(st.floats(*parameter.typical))) for parameter in form)
        constants = [constant.name for constant in FAMILIES[family].constants]
        free = [parameter.name for parameter in form if parameter.name not in constants]
        held = draw(st.lists(st.sampled_from(free), max_size=len(free) - 1, unique=True)) + constants
        given = tuple(parameter.name for parameter in form)
        known = tuple(name for name in given if name in held)
        replicates, level = draw(st.integers(2, 10**9)), draw(st.floats(1e-9, 1 - 1e-9))
        sizes = sorted(draw(st.sets(st.integers(10, 10**9), min_size=1, max_size=3)))
        cells += [Scenario(name, family, given, values, family, known, n, replicates, level) for n in sizes]
    return Study(draw(st.sampled_from(NAMES)), draw(st.integers(0, 2**128 - 1)), tuple(cells))


@given(studies())
def test_plain_data_and_yaml_are_exact(study: Study) -> None:
    assert config.from_dict(json.loads(json.dumps(config.to_dict(study)))) == study
    assert config.loads(config.to_yaml(study)) == study


def test_plain_data_are_a_config_with_nothing_left_open() -> None:
    crossed = GAMMA.replace("shape: 2", "shape: [2, 3]")
    shared = {"family": "gamma", "fit": "gamma", "known": [], "sample_sizes": [10, 20]}
    shared |= {"replicates": 100, "level": 0.95, "mcse": "influence"}
    shared |= {"intervals": ["wald-observed", "wald-expected", "wald-sandwich"]}
    assert config.to_dict(config.loads(HEAD + crossed)) == {
        "study": "s",
        "seed": 1,
        "scenarios": [
            {"name": "gamma-shape=2", "parameters": {"shape": 2.0, "scale": 1.0}, **shared},
            {"name": "gamma-shape=3", "parameters": {"shape": 3.0, "scale": 1.0}, **shared},
        ],
    }


def test_how_it_is_analysed_is_part_of_the_science() -> None:
    keys = "intervals: [likelihood-ratio, wald-log]\nmcse: table6\nprecision: {coverage: 0.002, bias: 1.5%}\n"
    study = config.loads(keys + HEAD + GAMMA.replace("}}", "}, paths: true, mcse: influence}"))
    for cell in study.scenarios:
        assert cell.intervals == ("wald-log", "likelihood-ratio")
        assert cell.precision == (Target("bias", 0.015, True), Target("coverage", 0.002, False))
        assert cell.paths
        assert cell.mcse == "influence"
    assert config.loads(config.to_yaml(study)) == study
    assert config.from_dict(config.to_dict(study)) == study


def test_faults_of_plain_data_have_no_line() -> None:
    data = config.to_dict(config.loads(HEAD + GAMMA))
    data["scenarios"][0]["parameters"]["shape"] = -1.0
    data["seed"] = 10**5_000
    with pytest.raises(ConfigError) as raised:
        config.from_dict(data, "manifest.json")
    assert raised.value.faults == (
        "manifest.json: seed: must be a whole number from 0 to 2^128 - 1, got a number of 16,610 bits",
        "manifest.json: scenarios[0].parameters.shape: must lie in its domain, positive (0, inf), got -1.0",
    )


WORDS = [
    *(
        "study",
        "seed",
        "replicates",
        "sample_sizes",
        "scenarios",
        "name",
        "family",
        "parameters",
        "known",
        "fit",
    ),
    *(
        "from",
        "to",
        "ratio",
        "gamma",
        "cauchy",
        "normal",
        "shape",
        "scale",
        "mean",
        "sd",
        "level",
        "<list>",
        "[key]",
    ),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8)))
def test_any_plain_data_are_refused_in_single_lines(data: Any) -> None:
    begin = time.process_time()
    with pytest.raises(ConfigError) as raised:  # to be a study by chance is out of reach
        config.from_dict(data)
    assert all(fault.startswith("config: ") and fault.isprintable() for fault in raised.value.faults)
    assert time.process_time() - begin < 1.0


TOKENS = st.sampled_from(
    [
        *WORDS,
        *"[]{}:,-&*!|#'\"\n ",
        "\n  - ",
        "\n    ",
        ": ",
        "1",
        "-1",
        "1e400",
        ".nan",
        "true",
        "~",
        "!!int",
        "*a",
        "\t",
        "\0",
    ]
)


@given(st.text() | st.tuples(st.integers(0, 200), st.integers(0, 60), st.lists(TOKENS, max_size=12).map("".join)))
def test_any_text_is_loaded_or_refused_in_single_lines(edit: str | tuple[int, int, str]) -> None:
    """Takes any text, or a good config of which a stretch is replaced by tokens that mean something."""
    good = HEAD + GAMMA + "  - {family: normal, parameters: {mean: 0, sd: [1, 2]}, known: [sd], name: x}\n"
    text = edit if isinstance(edit, str) else good[: edit[0]] + edit[2] + good[edit[0] + edit[1] :]
    begin = time.process_time()
    assert all(fault.startswith("x.yaml:") and fault.isprintable() for fault in faults_of(text))
    assert time.process_time() - begin < 1.0


# ---- censoring and covariates ----

OBSERVED = """
  - {family: exponential, parameters: {rate: [1, 2]}, censoring: {time: 1.5}}
  - {family: gamma, parameters: {shape: 2, scale: 1}, fit: weibull, censoring: {time: 1}}
  - family: linear_regression
    parameters: {intercept: 0, slope1: 1, slope2: 2, sd: 1}
    covariates: {family: gamma, parameters: {mean: 2, shape: 1}}
  - family: poisson_regression
    parameters: {intercept: 0, slope1: 1, slope2: 2}
    covariates: [{family: poisson, parameters: {mean: 2}}, {family: normal, parameters: {sd: 2, mean: 0}}]
    known: [slope2]
"""


def test_censoring_and_covariates_are_read_and_written_exactly() -> None:
    study = config.loads(HEAD + OBSERVED.lstrip("\n"))
    first, *_, last = study.scenarios
    assert (first.censoring, first.covariates, last.censoring) == (1.5, (), None)
    gamma = Covariate("gamma", ("shape", "mean"), (1.0, 2.0))
    assert study.cell("linear_regression", 10).covariates == (gamma, gamma)
    assert last.covariates == (Covariate("poisson", ("mean",), (2.0,)), Covariate("normal", ("mean", "sd"), (0.0, 2.0)))
    assert config.from_dict(json.loads(json.dumps(config.to_dict(study)))) == study
    assert config.loads(config.to_yaml(study)) == study


def test_scenarios_that_differ_in_censoring_alone_have_names_of_their_own() -> None:
    cut = "family: exponential, parameters: {rate: 1}, censoring: {time: 2}"
    assert names_of(cut, cut.replace("time: 2", "time: 0.5"), cut.partition(", cens")[0]) == (
        "exponential-rate=1,censoring=2",
        "exponential-rate=1,censoring=0.5",
        "exponential-rate=1",
    )
