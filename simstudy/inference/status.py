"""The status of a fit, where users of the inference floor look for it."""

from simstudy.families.status import Status

__all__ = ["Status"]
