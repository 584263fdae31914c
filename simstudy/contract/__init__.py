"""The laws of probability and likelihood that every family keeps, and a check of a family against them."""

from simstudy.contract.finding import Finding, Law
from simstudy.contract.laws import LAWS, check, chosen_laws
from simstudy.contract.points import bound

__all__ = ["LAWS", "Finding", "Law", "bound", "check", "chosen_laws"]
