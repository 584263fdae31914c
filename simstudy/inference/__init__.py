"""Likelihood, maximum likelihood estimates and intervals."""
