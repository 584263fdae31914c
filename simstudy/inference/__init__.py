"""Likelihood, maximum likelihood estimates and intervals."""

from simstudy.inference.fitted import KINDS, Fit, fit

__all__ = ["KINDS", "Fit", "fit"]
