"""Monte Carlo simulation studies of maximum likelihood."""

__version__ = "0.1.0"
