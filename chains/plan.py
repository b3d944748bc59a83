"""The plan of deep research without a model: a question as sub-questions that can each be searched for alone."""

from collections.abc import Sequence
from itertools import pairwise

from chains.comparisons import compared
from chains.nesting import nested
from chains.rewrite import strip_courtesies
from chains.wishes import LONGEST, wishes_of
from language.invisible import visible
from language.words import content_terms, names, negated, numbers

MOST_PARTS = 6
_LONGEST_READ = 4000


def decompose(question: str) -> list[str]:
    """The sub-questions of a question, 2..6 of at most 300 characters; none of a simple one.

    They are in the words of the question as far as possible: several wishes are taken apart, of compared things each
    is asked about, and of a question within a question the inner one comes first, then the whole. Together they keep
    every number, name and quotation; a question that cannot be divided so is not divided.
    """
    wishes = wishes_of(strip_courtesies(visible(question[:_LONGEST_READ])))
    finely = [part for wish in wishes for part in compared(wish) or nested(wish) or [wish]]
    for parts in (finely, wishes):
        plan = joined(distinct(parts))
        if len(plan) > 1 and all(len(part) <= LONGEST for part in plan) and keeps(question, plan):
            return plan
    return []


def distinct(parts: Sequence[str]) -> list[str]:
    """Each part once, with the same words counting as the same; parts without words that carry meaning left out."""
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


def plan_chain(model):  # type: ignore
    raise NotImplementedError
