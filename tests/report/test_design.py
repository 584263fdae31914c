"""What was run, in words."""

from simstudy.report.design import lead, mechanisms
from simstudy.study.scenario import Scenario, Study


def cell(n, known=(), level=0.95, replicates=1000):
    names, values = ("shape", "scale"), (2.0, 0.5)
    return Scenario("wear", "gamma", names, values, "gamma", known, n, replicates, level)


def test_lead_counts_the_study():
    study = Study("s", 11, (cell(10), cell(100)))
    assert lead(study) == "1 scenario, n from 10 to 100: 2,000 data sets, 110000 observations, seed 11."
    assert lead(Study("s", 11, (cell(10),))).startswith("1 scenario, n = 10: 1,000 data sets")


def test_mechanism():
    [mechanism] = mechanisms(Study("s", 11, (cell(10, known=("scale",)), cell(1000, known=("scale",)))))
    assert (mechanism.law, mechanism.free, mechanism.known) == ("gamma(shape = 2, scale = 0.5)", "shape", "scale")
    assert (mechanism.sizes, mechanism.replicates, mechanism.level) == ("10, 1,000", "1,000", "95 %")
    assert mechanism.formula.startswith("log p(x)")
