"""Tier 1 of verification: what the words, numbers and negations of some evidence say of a sentence."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from langchain_core.runnables import Runnable, RunnableLambda

from language.words import content_terms, coverage, negated, numbers, terms

SUPPORTED = 0.72
PARTIAL = 0.40
_SAME_WORDS = 0.60
"""From this share of common words on, a differing number or negation is about the same thing."""
_MARKER = re.compile(r"\s*\[\d+\]")

Idf = Callable[[set[str]], Mapping[str, float]]
"""How telling each stemmed word is in the corpus; larger is rarer."""


class Judgement(NamedTuple):
    """What evidence says of a sentence; `score` is 0..1, `best` the piece that speaks for it most, from 0."""

    support: Literal["supported", "partial", "unsupported", "contradicted"]
    score: float
    method: str
    best: int | None


class Claim(NamedTuple):
    """The input of the chain: a sentence and pieces of evidence."""

    sentence: str
    evidence: Sequence[str]


def lexical_judge(idf: Idf) -> Callable[[str, Sequence[str]], Judgement]:
    """A judge by idf-weighted containment: the share of the sentence's meaning its evidence has words for.

    A number the evidence does not have, or a negation only one of them has, overrules the words. Well under 5 ms.
    """

    def judge(sentence: str, evidence: Sequence[str]) -> Judgement:
        plain = _MARKER.sub("", sentence)
        wanted = set(content_terms(plain)) or set(terms(plain))
        if not wanted or not evidence:
            return Judgement("unsupported", 0.0, "lexical", None)
        weights = idf(wanted)
        shares = [coverage(wanted, _words(piece), weights) for piece in evidence]
        best = max(range(len(shares)), key=shares.__getitem__)
        together = coverage(wanted, _union(evidence), weights) if len(evidence) <= 4 else shares[best]
        return _weigh(plain, evidence, best, max(shares[best], together), weights)

    return judge


def verify_chain(idf: Idf) -> Runnable[Claim, Judgement]:
    """Tier 1 as a chain: `Claim` in, `Judgement` out."""
    judge = lexical_judge(idf)
    return RunnableLambda(lambda claim: judge(claim.sentence, claim.evidence), name="verify")


def _weigh(sentence: str, evidence: Sequence[str], best: int, share: float, weights: Mapping[str, float]) -> Judgement:
    known = set().union(*(numbers(piece) for piece in evidence))
    if numbers(sentence) - known:
        conflicting = share >= _SAME_WORDS - 0.1 and bool(numbers(evidence[best]))
        return Judgement("contradicted" if conflicting else "unsupported", 0.4 * share, "lexical+numbers", best)
    if share >= _SAME_WORDS and negated(sentence) != negated(evidence[best]):
        back = coverage(set(content_terms(evidence[best])), set(terms(sentence)), weights)
        if back >= _SAME_WORDS:
            return Judgement("contradicted", 0.3 * share, "lexical+negation", best)
    if share >= SUPPORTED:
        return Judgement("supported", share, "lexical", best)
    return Judgement("partial" if share >= PARTIAL else "unsupported", share, "lexical", best)


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _union(evidence: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(_words(piece) for piece in evidence))
