"""Every message about a config, word for word: ``file:line: where: what is wrong, what was got, what to do``.

A row is a config and what is said of it, after the name of the file.
"""

from __future__ import annotations

import pytest

from simstudy.errors import ConfigError
from simstudy.families import FAMILIES
from simstudy.study import config

HEAD = "study: s\nseed: 1\nreplicates: 100\nsample_sizes: [10, 20]\nscenarios:\n"
GAMMA = "  - {family: gamma, parameters: {shape: 2, scale: 1}}\n"


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        config.loads(text, "x.yaml")
    return raised.value.faults


NAME_RULE = "letters, digits and _ . + = , -"
LONG = "must have 1 to 100 characters, got 105"
STUDY = f"the name of the study, made of {NAME_RULE} (at most 100, beginning with a letter, digit or _)"
N = "a whole number from 1 to 1,000,000,000"
RATIO = "a number above 1, by which each sample size is multiplied"
EACH = "each with family and parameters"
FAMILY = "the name of the family that draws the data"
PARAMETERS = "a mapping of parameter names to values, such as {shape: 2, scale: 1}"
KNOWN = (
    "a list of the parameters that are held at their values, such as [scale]; "
    "with values, such as {scale: 1}, where another family is fitted"
)
WHOLE = "a whole number from 2 to 1,000,000,000"
SIZES = "a list such as [25, 50, 100], or {from: 25, to: 6400, ratio: 2}"
LEVEL = "the nominal coverage of confidence intervals, a number between 0 and 1 such as 0.95"
SEED = "a whole number from 0 to 2^128 - 1"
NUMBER = "a finite number, or a list of finite numbers that cross"
FORMS = "{shape, scale} or {shape, rate} or {shape, mean}"
AGAIN = "intervals, mcse, paths, precision"
KEYS = f"name, family, parameters, fit, known, censoring, covariates, sample_sizes, replicates, level, {AGAIN}"
METHODS = "wald-observed, wald-expected, wald-sandwich, wald-opg, wald-log, score, likelihood-ratio"
MCSE = "influence (the default, right for any estimator) or table6 (the textbook formulas)"
TARGET = "a positive number such as 0.002, or a share of the measure's size such as 1%"

ALL = "are known, so nothing is left to estimate: leave one out"
SMALL = "is too small for scenarios[0]: to estimate shape and scale of gamma takes n of at least 2"
HUNDRED = list(range(1, 101))


def top(old: str, new: str) -> str:
    return HEAD.replace(old, new) + GAMMA


def gamma(parameters: str, more: str = "") -> str:
    return HEAD + f"  - family: gamma\n    parameters: {{{parameters}}}\n    {more}\n"


def normal(*more: str) -> str:
    return HEAD + "".join(f"  - {{family: normal, parameters: {{mean: 0, sd: 1}}{extra}}}\n" for extra in more)


def logistic(covariates: str) -> str:
    scenario = "  - family: logistic_regression\n    parameters: {intercept: 0, slope1: 1}\n"
    return HEAD + scenario + f"    covariates: {covariates}\n"


TIME = "a positive, finite number, the time at which observations are cut"
UNCENSORABLE = (
    "has observations other than positive numbers, which cannot be censored: leave censoring out, or choose a family "
    "of lifetimes such as weibull"
)

FAMILY_OF_COVARIATES = "scenarios[0].covariates.family"

TOP = {
    "not a mapping": (
        "- 1",
        "1: config: must be a mapping with study, seed, replicates, sample_sizes and scenarios, got a list",
    ),
    "unknown key": (top("seed: 1", "seed: 1\nsede: 2"), "3: sede: unknown key; did you mean 'seed'?"),
    "unknown key far from any": (
        top("seed: 1", "seed: 1\njobs: 2"),
        f"3: jobs: unknown key; known: study, seed, replicates, sample_sizes, level, {AGAIN}, scenarios",
    ),
    "no study": (
        top("study: s\n", ""),
        f"1: study: is missing: give {STUDY}",
    ),
    "study is a number": (
        top("study: s", "study: 2024"),
        f"1: study: must be {STUDY}, got 2024",
    ),
    "study is a path": (top("study: s", "study: ../s"), f"1: study: must consist of {NAME_RULE}, got '../s'"),
    "no seed": (top("seed: 1\n", ""), f"1: seed: is missing: give {SEED}"),
    "negative seed": (top("seed: 1", "seed: -1"), f"2: seed: must be {SEED}, got -1"),
    "large seed": (top("seed: 1", f"seed: {2**128}"), f"2: seed: must be {SEED}, got {2**128}"),
    "seed with a point": (top("seed: 1", "seed: 1.0"), f"2: seed: must be {SEED}, got 1.0"),
    "no replicates": (top("replicates: 100\n", ""), f"1: replicates: is missing: give {WHOLE}"),
    "one replicate": (top("100", "1"), f"3: replicates: must be {WHOLE}, got 1"),
    "too many replicates": (top("100", "1e10"), f"3: replicates: must be {WHOLE}, got 10000000000"),
    "replicates in words": (top("100", "ten"), f"3: replicates: must be {WHOLE}, got the text 'ten'"),
    "half a replicate": (top("100", "10.5"), f"3: replicates: must be {WHOLE}, got 10.5"),
    "replicates true": (top("100", "true"), f"3: replicates: must be {WHOLE}, got true"),
    "replicates empty": (top("100", ""), f"3: replicates: must be {WHOLE}, got nothing"),
    "no sample sizes": (top("sample_sizes: [10, 20]\n", ""), f"1: sample_sizes: is missing: give {SIZES}"),
    "one sample size": (top("[10, 20]", "10"), f"4: sample_sizes: must be {SIZES}, got 10"),
    "empty sample sizes": (top("[10, 20]", "[]"), f"4: sample_sizes: must be {SIZES}, got an empty list"),
    "n = 0": (top("20", "0"), f"4: sample_sizes[1]: must be {N}, got 0"),
    "n too large": (top("20", "1e10"), f"4: sample_sizes[1]: must be {N}, got 10000000000"),
    "n not whole": (top("20", "2.5"), f"4: sample_sizes[1]: must be {N}, got 2.5"),
    "n in words": (top("20", "many"), f"4: sample_sizes[1]: must be {N}, got the text 'many'"),
    "n twice": (top("20", "10"), "4: sample_sizes: 10 is listed 2 times: list each sample size once"),
    "range without ratio": (
        top("[10, 20]", "{from: 10, to: 20}"),
        f"4: sample_sizes.ratio: is missing: give {RATIO}",
    ),
    "range with ratio 1": (
        top("[10, 20]", "{from: 10, to: 20, ratio: 1}"),
        f"4: sample_sizes.ratio: must be {RATIO}, got 1",
    ),
    "range with infinite ratio": (
        top("[10, 20]", "{from: 10, to: 20, ratio: .inf}"),
        f"4: sample_sizes.ratio: must be {RATIO}, got inf",
    ),
    "range with a step": (
        top("[10, 20]", "{from: 10, to: 20, ratio: 2, <list>: 5}"),
        "4: sample_sizes.<list>: unknown key; known: from, to, ratio",
    ),
    "range downwards": (
        top("[10, 20]", "{from: 20, to: 10, ratio: 2}"),
        "4: sample_sizes.to: to is 10, below from, which is 20: exchange them",
    ),
    "endless range": (
        top("[10, 20]", "{from: 10, to: 20, ratio: 1.00000001}"),
        "4: sample_sizes.ratio: the ratio 1.00000001 gives more than 10,000 steps: take a larger one",
    ),
    "no interval": (
        top("scenarios", "intervals: []\nscenarios"),
        f"5: intervals: must be a list of methods of confidence intervals, from {METHODS}, got an empty list",
    ),
    "unknown interval": (
        top("scenarios", "intervals: [score, wald-logg]\nscenarios"),
        "5: intervals[1]: no method of confidence intervals is called the text 'wald-logg'; did you mean 'wald-log'?",
    ),
    "interval twice": (
        top("scenarios", "intervals: [score, score]\nscenarios"),
        "5: intervals: must name each method once, got score more than once",
    ),
    "unknown mcse": (
        top("scenarios", "mcse: table7\nscenarios"),
        f"5: mcse: must be {MCSE}, got the text 'table7'",
    ),
    "unknown target": (
        top("scenarios", "precision: {covrage: 0.1}\nscenarios"),
        "5: precision: no target can be set for a measure called the text 'covrage'; did you mean 'coverage'?",
    ),
    "target of zero": (
        top("scenarios", "precision: {coverage: 0%}\nscenarios"),
        f"5: precision: coverage must be {TARGET}, got the text '0%'",
    ),
    "several wrong targets": (
        top("scenarios", "precision: {coverage: 0, bias: x%}\nscenarios"),
        f"5: precision: coverage must be {TARGET}, got 0.0; bias must be {TARGET}, got the text 'x%'",
    ),
    "target in a list": (
        top("scenarios", "precision: {coverage: [1]}\nscenarios"),
        f"5: precision.coverage: must be {TARGET}, got a list",
    ),
    "level 1": (top("scenarios", "level: 1\nscenarios"), f"5: level: must be {LEVEL}, got 1"),
    "level in percent": (top("scenarios", "level: 95\nscenarios"), f"5: level: must be {LEVEL}, got 95"),
    "level not a number": (top("scenarios", "level: .nan\nscenarios"), f"5: level: must be {LEVEL}, got nan"),
    "no scenarios": (
        HEAD.replace("scenarios:\n", ""),
        f"1: scenarios: is missing: give a list of scenarios, {EACH}",
    ),
    "empty scenarios": (HEAD, f"5: scenarios: must be a list of scenarios, {EACH}, got nothing"),
    "scenarios an empty list": (
        HEAD.replace("scenarios:", "scenarios: []"),
        f"5: scenarios: must be a list of scenarios, {EACH}, got an empty list",
    ),
    "scenario a text": (
        HEAD + "  - gamma\n",
        "6: scenarios[0]: must be a mapping with family and parameters, got the text 'gamma'",
    ),
    "too many cells": (
        HEAD + f"  - {{family: gamma, parameters: {{shape: {HUNDRED}, scale: {HUNDRED}}}}}\n",
        "5: scenarios: 20,000 cells (mechanisms times sample sizes): a study has at most 10,000",
    ),
}

SCENARIO = {
    "unknown key": (
        gamma("shape: 2, scale: 1", "sample_size: [5]"),
        "8: scenarios[0].sample_size: unknown key; did you mean 'sample_sizes'?",
    ),
    "unknown key far from any": (
        gamma("shape: 2, scale: 1", "<<: 1"),
        f"8: scenarios[0].<<: unknown key; known: {KEYS}",
    ),
    "no family": (
        HEAD + "  - parameters: {shape: 2}\n",
        f"6: scenarios[0].family: is missing: give {FAMILY}",
    ),
    "no parameters": (
        HEAD + "  - family: gamma\n",
        f"6: scenarios[0].parameters: is missing: give {PARAMETERS}",
    ),
    "unknown family": (
        HEAD + "  - {family: gama, parameters: {shape: 2}}\n",
        "6: scenarios[0].family: there is no family 'gama'; did you mean 'gamma'?",
    ),
    "unknown family far from any": (
        HEAD + "  - {family: zipf, parameters: {a: 2}}\n",
        f"6: scenarios[0].family: there is no family 'zipf'; known: {', '.join(FAMILIES)}",
    ),
    "family a number": (
        HEAD + "  - {family: 3, parameters: {a: 2}}\n",
        f"6: scenarios[0].family: must be {FAMILY}, got 3",
    ),
    "unknown parameter": (
        gamma("shpe: 2, scale: 1"),
        f"7: scenarios[0].parameters.shpe: no parameter of gamma, which takes {FORMS}; did you mean 'shape'?",
    ),
    "missing parameter": (
        gamma("shape: 2"),
        f"7: scenarios[0].parameters: {{shape}} lacks a parameter of gamma: give {FORMS}",
    ),
    "no parametrisation": (
        gamma("shape: 2, scale: 1, rate: 1"),
        f"7: scenarios[0].parameters: {{shape, scale, rate}} is no parametrisation of gamma: give {FORMS}",
    ),
    "parameters a list": (
        HEAD + "  - {family: gamma, parameters: [2, 1]}\n",
        f"6: scenarios[0].parameters: must be {PARAMETERS}, got a list",
    ),
    "parameter of text": (
        gamma("shape: two, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got the text 'two'",
    ),
    "parameter quoted": (
        gamma("shape: '2', scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got the text '2'",
    ),
    "parameter true": (
        gamma("shape: true, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got true",
    ),
    "parameter in a list true": (
        gamma("shape: [2, true], scale: 1"),
        f"7: scenarios[0].parameters.shape[1]: must be {NUMBER}, got true",
    ),
    "parameter empty": (
        gamma("shape: , scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got nothing",
    ),
    "parameter infinite": (
        gamma("shape: .inf, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got inf",
    ),
    "parameter overflows": (
        gamma("shape: 1e999, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got inf",
    ),
    "parameter not a number": (
        gamma("shape: .nan, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got nan",
    ),
    "parameter an empty list": (
        gamma("shape: [], scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got an empty list",
    ),
    "parameter a mapping": (
        gamma("shape: {a: 1}, scale: 1"),
        f"7: scenarios[0].parameters.shape: must be {NUMBER}, got a mapping",
    ),
    "outside the domain": (
        gamma("shape: 2, scale: -1"),
        "7: scenarios[0].parameters.scale: must lie in its domain, positive (0, inf), got -1",
    ),
    "at the end of the domain": (
        HEAD + "  - {family: beta, parameters: {mean: 1, precision: 2}}\n",
        "6: scenarios[0].parameters.mean: must lie in its domain, unit interval (0, 1), got 1",
    ),
    "one of a list outside": (
        gamma("shape: [2, 0], scale: 1"),
        "7: scenarios[0].parameters.shape[1]: must lie in its domain, positive (0, inf), got 0",
    ),
    "value listed twice": (
        gamma("shape: [2, 1, 2.0], scale: 1"),
        "7: scenarios[0].parameters.shape: 2 is listed 2 times: list each value once",
    ),
    "known names of another fit": (
        gamma("shape: 2, scale: 1", "fit: normal\n    known: [sd]"),
        "9: scenarios[0].known: another family is fitted than drawn, so give values: a mapping such as {sd: 1}",
    ),
    "unknown known of another fit": (
        gamma("shape: 2, scale: 1", "fit: normal\n    known: {scale: 1}"),
        "9: scenarios[0].known.scale: 'scale' is no parameter of the fitted normal; known: mean, sd",
    ),
    "known of another fit out of its domain": (
        gamma("shape: 2, scale: 1", "fit: normal\n    known: {sd: -1}"),
        "9: scenarios[0].known.sd: must lie in its domain, positive (0, inf), got -1",
    ),
    "all of another fit known": (
        gamma("shape: 2, scale: 1", "fit: normal\n    known: {sd: 1, mean: 2}"),
        "9: scenarios[0].known: all parameters of normal are known, so nothing is left to estimate: leave one out",
    ),
    "known values of its own fit": (
        gamma("shape: 2, scale: 1", "known: {scale: 1}"),
        "8: scenarios[0].known: gamma is fitted at its own values: list the names alone, such as [scale]",
    ),
    "unknown fit": (
        gamma("shape: 2, scale: 1", "fit: norma"),
        "8: scenarios[0].fit: there is no family 'norma'; did you mean 'normal'?",
    ),
    "known a text": (
        gamma("shape: 2, scale: 1", "known: scale"),
        f"8: scenarios[0].known: must be {KNOWN}, got the text 'scale'",
    ),
    "known a number": (
        gamma("shape: 2, scale: 1", "known: [1]"),
        "8: scenarios[0].known[0]: must be the name of a parameter, got 1",
    ),
    "known unknown": (
        gamma("shape: 2, scale: 1", "known: [scal]"),
        "8: scenarios[0].known[0]: 'scal' is no parameter of this scenario; did you mean 'scale'?",
    ),
    "known of another parametrisation": (
        gamma("shape: 2, scale: 1", "known: [rate]"),
        "8: scenarios[0].known[0]: 'rate' is no parameter of this scenario; known: shape, scale",
    ),
    "known twice": (
        gamma("shape: 2, scale: 1", "known: [scale, scale]"),
        "8: scenarios[0].known[1]: scale is listed twice: list it once",
    ),
    "all known": (
        gamma("shape: 2, scale: 1", "known: [scale, shape]"),
        f"8: scenarios[0].known: all parameters of gamma {ALL}",
    ),
    "n too small, at the top": (
        HEAD.replace("10", "1") + GAMMA,
        f"4: sample_sizes: n = 1 {SMALL}",
    ),
    "n too small, in the scenario": (
        gamma("shape: 2, scale: 1", "sample_sizes: {from: 1, to: 4, ratio: 2}"),
        f"8: scenarios[0].sample_sizes: n = 1 {SMALL}",
    ),
    "sizes in one scenario only": (
        normal(", sample_sizes: [5], name: a", "").replace("sample_sizes: [10, 20]\n", ""),
        f"6: scenarios[1].sample_sizes: is missing, here and at the top: give {SIZES}",
    ),
    "replicates of a scenario": (
        gamma("shape: 2, scale: 1", "replicates: 0"),
        f"8: scenarios[0].replicates: must be {WHOLE}, got 0",
    ),
    "level of a scenario": (
        gamma("shape: 2, scale: 1", "level: 0"),
        f"8: scenarios[0].level: must be {LEVEL}, got 0",
    ),
    "name a device": (
        normal(", name: NUL"),
        "6: scenarios[0].name: is the name of a device on Windows: choose another than 'NUL'",
    ),
    "name given twice": (
        normal(", name: a", ", name: a"),
        "7: scenarios[1].name: the name a is also that of scenarios[0]: give each its own",
    ),
    "names that differ in case": (
        normal(", name: a", ", name: A"),
        "7: scenarios[1].name: the name A is also that of scenarios[0], but for case (a): give each its own",
    ),
    "censoring without time": (
        gamma("shape: 2, scale: 1", "censoring: {}"),
        f"8: scenarios[0].censoring.time: is missing: give {TIME}",
    ),
    "censoring is a number": (
        gamma("shape: 2, scale: 1", "censoring: 2"),
        (
            "8: scenarios[0].censoring: must be a mapping with the time at which observations are cut, such as "
            "{time: 2}, got 2"
        ),
    ),
    "censoring at 0": (
        gamma("shape: 2, scale: 1", "censoring: {time: 0}"),
        f"8: scenarios[0].censoring.time: must be {TIME}, got 0",
    ),
    "censoring at infinity": (
        gamma("shape: 2, scale: 1", "censoring: {time: .inf}"),
        f"8: scenarios[0].censoring.time: must be {TIME}, got inf",
    ),
    "censoring with another key": (
        gamma("shape: 2, scale: 1", "censoring: {time: 1, tme: 2}"),
        "8: scenarios[0].censoring.tme: unknown key; did you mean 'time'?",
    ),
    "censoring of a signed family": (
        normal(", censoring: {time: 1}"),
        f"6: scenarios[0].censoring: normal {UNCENSORABLE}",
    ),
    "censoring of a fitted signed family": (
        gamma("shape: 2, scale: 1", "fit: normal\n    censoring: {time: 1}"),
        f"9: scenarios[0].censoring: normal {UNCENSORABLE}",
    ),
    "covariates of a family without any": (
        gamma("shape: 2, scale: 1", "covariates: {family: normal, parameters: {mean: 0, sd: 1}}"),
        (
            "8: scenarios[0].covariates: gamma has no covariates: leave them out, or choose one of linear_regression, "
            "logistic_regression, poisson_regression"
        ),
    ),
    "too many covariates": (
        logistic("[{family: poisson, parameters: {mean: 2}}, {family: poisson, parameters: {mean: 3}}]"),
        "8: scenarios[0].covariates: lists 2 for 1 in the model: list one for each slope, or give one mapping for all",
    ),
    "covariates are a number": (
        logistic("7"),
        (
            "8: scenarios[0].covariates: must be how the covariates of a regression are drawn: a mapping such as "
            "{family: gamma, parameters: {shape: 2, scale: 1}} for all, or a list with one for each, got 7"
        ),
    ),
    "a covariate is a number": (
        logistic("[7]"),
        "8: scenarios[0].covariates[0]: must be a mapping with family and parameters, got 7",
    ),
    "covariate without parameters": (
        logistic("{family: poisson}"),
        (
            "8: scenarios[0].covariates.parameters: is missing: give a mapping of parameter names to numbers, such as "
            "{shape: 2, scale: 1}"
        ),
    ),
    "covariate with an unknown key": (
        logistic("[{family: poisson, parameters: {mean: 1}, parameter: 2}]"),
        "8: scenarios[0].covariates[0].parameter: unknown key; did you mean 'parameters'?",
    ),
    "unknown family of a covariate": (
        logistic("{family: gama, parameters: {shape: 2}}"),
        "8: scenarios[0].covariates.family: there is no family 'gama'; did you mean 'gamma'?",
    ),
    "covariate that is a vector": (
        logistic("{family: linear_regression, parameters: {intercept: 0, slope1: 1, sd: 1}}"),
        f"8: {FAMILY_OF_COVARIATES}: linear_regression has observations that are vectors: a covariate is a number",
    ),
    "covariate of unknown parameters": (
        logistic("[{family: gamma, parameters: {shape: 2, skale: 1}}]"),
        f"8: scenarios[0].covariates[0].parameters: {{shape, skale}} is no parametrisation of gamma: give {FORMS}",
    ),
    "covariate outside its domain": (
        logistic("{family: poisson, parameters: {mean: 0}}"),
        "8: scenarios[0].covariates.parameters.mean: must lie in its domain, positive (0, inf), got 0",
    ),
    "covariate with a list": (
        logistic("{family: poisson, parameters: {mean: [1, 2]}}"),
        "8: scenarios[0].covariates.parameters.mean: must be a finite number, got a list",
    ),
    "slope left out": (
        HEAD + "  - family: poisson_regression\n    parameters: {intercept: 0, slope2: 1}\n",
        (
            "7: scenarios[0].parameters: {intercept, slope2} lacks a parameter of poisson_regression: "
            "give {intercept, slope1, slope2}"
        ),
    ),
    "too few observations for a logistic regression": (
        HEAD.replace("10", "2") + "  - {family: logistic_regression, parameters: {intercept: 0, slope1: 1}}\n",
        (
            "4: sample_sizes: n = 2 is too small for scenarios[0]: to estimate intercept and slope1 of "
            "logistic_regression takes n of at least 3"
        ),
    ),
    "scenario given twice": (
        normal("", ""),
        "7: scenarios[1]: the name normal-mean=0,sd=1 is also that of scenarios[0]: give each its own",
    ),
    "name too long once crossed": (
        gamma("shape: [0.5], scale: 1", f"name: {'a' * 95}"),
        f"8: scenarios[0].name: the name with its parameter values {LONG}: '{'a' * 39}...shape=0.5'",
    ),
}


@pytest.mark.parametrize(("text", "expected"), TOP.values(), ids=TOP)
def test_message_about_the_top(text: str, expected: str) -> None:
    assert faults_of(text) == (f"x.yaml:{expected}",)


@pytest.mark.parametrize(("text", "expected"), SCENARIO.values(), ids=SCENARIO)
def test_message_about_a_scenario(text: str, expected: str) -> None:
    assert faults_of(text) == (f"x.yaml:{expected}",)
