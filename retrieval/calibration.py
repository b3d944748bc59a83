"""From a feature of the retrieval to a probability that the passages answer the question."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve: `1 / (1 + exp(-(slope * feature + offset)))`.

    Platt, "Probabilistic outputs for support vector machines", 1999.
    """

    slope: float
    offset: float

    def __call__(self, feature: float) -> float:
        """The probability (0..1) for a feature (0..1)."""
        return 1.0 / (1.0 + math.exp(-(self.slope * feature + self.offset)))


EVIDENCE = Platt(slope=28.7, offset=-10.42)
"""The best feature of all passages (`retrieval.hybrid.Hit.feature`) -> probability that they answer the question.

Fitted on answerable questions against the same questions without their topic and against questions about something
else, over six public collections of equal weight. See docs/decisions/0010.
"""

FEATURE = 2
"""Which feature the curves are of: one that was fitted on a collection by another feature says nothing of this one."""


def passage_probability(evidence: float, feature: float, best_feature: float) -> float:
    """The probability (0..1) that one passage holds the answer, or a part of it.

    The evidence answers with probability `evidence`; this passage has the share its feature has of the best one.
    """
    return evidence * feature / best_feature if best_feature > 0.0 else 0.0
