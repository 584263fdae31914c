"""Report: a results folder in, figures and one self-contained page out."""

from __future__ import annotations

from simstudy.report.build import build

__all__ = ["build"]
