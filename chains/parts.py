"""What any plan is held to: how many sub-questions, how long, each once, and nothing of the question lost."""

from collections.abc import Sequence
from itertools import pairwise

from language.words import content_terms, names, negated, numbers

MOST_PARTS = 6
LONGEST = 300
"""Characters of a sub-question."""


def distinct(parts: Sequence[str]) -> list[str]:
    """Each part once, the same words counting as the same; without those that have no word that carries meaning."""
    found = {frozenset(content_terms(part)): part for part in reversed(parts) if content_terms(part)}
    return list(reversed(found.values()))


def joined(parts: Sequence[str]) -> list[str]:
    """At most six parts: where there are more, the shortest neighbours are asked together."""
    plan = list(parts)
    while len(plan) > MOST_PARTS:
        lengths = [len(one) + len(other) for one, other in pairwise(plan)]
        at = lengths.index(min(lengths))
        plan[at : at + 2] = [f"{plan[at]} {plan[at + 1]}"]
    return plan


def keeps(question: str, parts: Sequence[str]) -> bool:
    """Whether the parts have every number and name of a question between them, and deny something if it does."""
    kept = " ".join(parts).lower()
    held = set().union(*(numbers(part) for part in parts))
    return (
        numbers(question) <= held
        and all(name.lower() in kept for name in names(question))
        and (not negated(question) or any(negated(part) for part in parts))
    )
