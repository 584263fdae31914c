"""Parametric families."""
