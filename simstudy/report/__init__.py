"""Report: a results folder in, figures and self-contained pages out."""

from __future__ import annotations

from simstudy.report.page import build, check

__all__ = ["build", "check"]
