"""Tier 1 of verification: what the words, numbers, names and negations of some evidence say of a sentence."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from langchain_core.runnables import Runnable, RunnableLambda

from chains.conflicts import differences
from chains.statement import Difference, Part, statement
from language.words import terms

SUPPORTED = 0.66
PARTIAL = 0.33
_CLOSEST = 8
"""How many pieces of evidence are compared word by word."""
_WINDOW = 4
"""How many pieces on either side are read with one, since a sentence leans on its neighbours."""
_DOUBT = 1.0
"""As many words of middling weight count as missing from every sentence: that a few words occur proves little."""
_OPPOSED, _NOWHERE = 0.5, 0.85
"""What is left of the score if the evidence says another thing instead, or nowhere has a number, a name, a denial."""
_MARKER = re.compile(r"\s*\[\d+\]")
_EDGES = " \t\n.!?;:,*#>|\"'“”‘’()•-"

Idf = Callable[[set[str]], Mapping[str, float]]
"""How telling each stemmed word is in the corpus; larger is rarer."""


class Judgement(NamedTuple):
    """What evidence says of a sentence; `score` is 0..1, `best` the piece that speaks for it most, from 0.

    `parts` names what the evidence does not bear out, or opposes.
    """

    support: Literal["supported", "partial", "unsupported", "contradicted"]
    score: float
    method: str
    best: int | None
    parts: tuple[Part, ...] = ()


class Claim(NamedTuple):
    """The input of the chain: a sentence and pieces of evidence."""

    sentence: str
    evidence: Sequence[str]


def lexical_judge(idf: Idf) -> Callable[[str, Sequence[str]], Judgement]:
    """A judge by idf-weighted containment: the share of the sentence's meaning its evidence has words for.

    A number or a name that the evidence does not have there, or a negation that only one of them has, overrules the
    words. Well under 5 ms.
    """

    def judge(sentence: str, evidence: Sequence[str]) -> Judgement:
        plain = _MARKER.sub("", sentence)
        copied = _copied_from(plain, evidence)
        if copied is not None:
            return Judgement("supported", 1.0, "lexical", copied)
        claim = statement(plain)
        if not claim.telling or not evidence:
            return Judgement("unsupported", 0.0, "lexical", None)
        weights = claim.weigh(idf({claim.stems[at] for at in claim.telling}))
        shares = _Shares(weights, [_words(piece) for piece in evidence])
        closest = shares.closest(_CLOSEST)
        everywhere = frozenset().union(*shares.found)
        pieces = [statement(evidence[at]) for at in closest]
        parted = differences(claim, pieces, weights, everywhere)
        shares.found[closest[0]] |= weights.keys() & claim.counted_in(pieces[0])
        return _weigh(shares.together(), parted, closest[0])

    return judge


def verify_chain(idf: Idf) -> Runnable[Claim, Judgement]:
    """Tier 1 as a chain: `Claim` in, `Judgement` out."""
    judge = lexical_judge(idf)
    return RunnableLambda(lambda claim: judge(claim.sentence, claim.evidence), name="verify")


class _Shares:
    """How much of the wanted words, by weight, each piece of evidence has."""

    def __init__(self, wanted: Mapping[str, float], pieces: Sequence[frozenset[str]]) -> None:
        self.wanted, self.pieces = wanted, pieces
        self.total = (sum(wanted.values()) or 1.0) * (len(wanted) + _DOUBT) / len(wanted)
        self.found = [wanted.keys() & piece for piece in pieces]
        self.each = [self.of(found) for found in self.found]

    def of(self, words: set[str]) -> float:
        return sum(self.wanted[word] for word in words) / self.total

    def closest(self, count: int) -> list[int]:
        return sorted(range(len(self.each)), key=lambda at: (-self.each[at], len(self.pieces[at])))[:count]

    def together(self) -> float:
        """Of the best two pieces and of the best neighbourhood, the mean: claims lean on more than one sentence."""
        first = self.closest(_CLOSEST)
        best = self.found[first[0]]
        pair = max(self.of(best | other) for other in self.found)
        near = max(self.of(set().union(*self.found[max(0, at - _WINDOW) : at + _WINDOW + 1])) for at in first)
        return (pair + near) / 2


def _weigh(share: float, parted: Sequence[Difference], best: int) -> Judgement:
    opposed = [difference for difference in parted if difference.opposed]
    parts = tuple(dict.fromkeys(difference.part for difference in opposed or parted))
    method = "+".join(["lexical", *parts])
    score = share * min((_worth(difference) for difference in parted), default=1.0)
    if opposed:
        return Judgement("contradicted", score, method, best, parts)
    if any(difference.part == "numbers" and not difference.known for difference in parted):
        return Judgement("unsupported", score, method, best, parts)
    if share >= SUPPORTED and not parted:
        return Judgement("supported", score, method, best)
    return Judgement("partial" if score >= PARTIAL else "unsupported", score, method, best, parts)


def _worth(difference: Difference) -> float:
    if difference.opposed:
        return _OPPOSED
    return 1.0 if difference.known else _NOWHERE


def _copied_from(sentence: str, evidence: Sequence[str]) -> int | None:
    """The piece of evidence that has the sentence word for word, unless a negation right before it is left out."""
    wanted = _flat(sentence)
    if not wanted:
        return None
    for at, piece in enumerate(evidence):
        whole = _flat(piece)
        place = f" {whole} ".find(f" {wanted} ")
        if place >= 0 and not _denied(whole, place):
            return at
    return None


def _denied(whole: str, place: int) -> bool:
    before = whole[:place].split()[-1:]
    return bool(statement(before[0]).negations) if before else False


@lru_cache(maxsize=20_000)
def _flat(text: str) -> str:
    return " ".join(text.casefold().split()).strip(_EDGES)


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))
