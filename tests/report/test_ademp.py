"""Aims, estimands, methods and measures, in the numbers of the config."""

from simstudy.report.ademp import headings
from simstudy.report.titles import TITLES
from simstudy.study.config import loads

CONFIG = """
study: s
seed: 31
replicates: 1000
sample_sizes: [10, 2000]
scenarios:
  - {name: plain, family: gamma, parameters: {shape: 2, scale: 0.5}}
  - name: other
    family: gamma
    parameters: {shape: 2, scale: 0.5}
    fit: exponential
    replicates: 4000
    level: 0.9
    intervals: [score]
    paths: true
    mcse: table6
    precision: {coverage: 0.002, bias: 1%}
"""


def said(config, measures=("bias", "coverage")):
    return {heading: " ".join(texts) for heading, texts in headings(loads(config), measures).items()}


def test_headings_are_those_of_ademp():
    found = headings(loads(CONFIG), ["bias"])
    assert list(found) == ["Aims", "Data-generating mechanisms", "Estimands", "Methods", "Performance measures"]
    assert all(paragraph and "\n" not in paragraph for paragraphs in found.values() for paragraph in paragraphs)


def test_numbers_of_the_config_are_told():
    found = said(CONFIG)
    assert "grows from 10 to 2,000" in found["Aims"]
    assert "1,000 to 4,000 at each n" in found["Data-generating mechanisms"]
    assert "seed 31" in found["Data-generating mechanisms"]


def test_the_estimand_of_a_wrong_model_has_its_value():
    """The exponential rate nearest to a gamma law is one over its mean, here 1."""
    assert "other: rate = 1." in said(CONFIG)["Estimands"]
    assert "Kullback" not in said(CONFIG.split("  - name: other")[0])["Estimands"]


def test_methods_name_intervals_levels_paths_and_precision_where_they_are():
    methods = said(CONFIG)["Methods"]
    observed = "Wald, observed information, Wald, expected information and Wald, sandwich; level 95 %"
    assert f"Intervals: in plain, {observed}." in methods
    assert "Intervals: in other, score; level 90 %." in methods
    assert "long draws in other nested samples are followed" in methods
    assert "known" not in methods.replace("whose moments are known", "")


def test_methods_name_no_scenario_where_all_are_alike():
    alone = CONFIG.split("  - name: other")[0]
    methods = said(alone)["Methods"]
    assert "Intervals: Wald, observed information" in methods
    assert "nested samples" not in methods
    assert "Precision" not in methods
    known = alone.replace("0.5}}", "0.5}, known: [shape]}")
    assert "parameters that are known stay at their values" in said(known)["Methods"]


def test_measures_are_those_of_the_summary():
    measures = said(CONFIG, ["coverage", "bias", "unheard_of", "rmse"])["Performance measures"]
    assert measures.startswith("Per scenario and n: coverage; bias; root mean squared error; unheard_of.")
    assert TITLES["efficiency"].lower() not in measures
    assert "in plain from influence functions, in other by the textbook formulas" in measures
