"""Report: a results folder in, figures and one self-contained page out."""

from __future__ import annotations

from simstudy.report.page import build

__all__ = ["build"]
