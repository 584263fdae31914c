"""The laws of probability and likelihood that every family keeps, and a check of a family against them."""

from simstudy.contract.finding import Finding, Law
from simstudy.contract.laws import LAWS, check

__all__ = ["LAWS", "Finding", "Law", "check"]
