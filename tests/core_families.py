"""The nine families on which the tests enumerate every case; each of the others has a file of its own."""

from simstudy import families

NAMES = ("normal", "exponential", "gamma", "weibull", "lognormal", "beta", "logistic", "cauchy", "poisson")
FAMILIES = {name: families.FAMILIES[name] for name in NAMES}
