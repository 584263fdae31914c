"""The methods that turn a fit into confidence intervals."""

from __future__ import annotations

METHODS: dict[str, str] = {
    "wald-observed": "Wald, observed information",
    "wald-expected": "Wald, expected information",
    "wald-sandwich": "Wald, sandwich",
    "wald-opg": "Wald, outer product of scores",
    "wald-log": "Wald on the unconstrained scale",
    "score": "score",
    "likelihood-ratio": "likelihood ratio",
}
"""Every method by its name in configs and in the summary, and what people call it."""

DEFAULT_METHODS = ("wald-observed", "wald-expected", "wald-sandwich")
