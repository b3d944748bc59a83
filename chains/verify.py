"""Tier 1 of verification: what the words, numbers, names and negations of some evidence say of a sentence."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from langchain_core.runnables import Runnable, RunnableLambda

from chains.conflicts import differences
from chains.statement import Difference, Part, Statement, statement
from language.invisible import visible
from language.markup import unmarked
from language.words import content_terms, terms

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
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+(?=\D)", re.MULTILINE)
_YES_NO = re.compile(r"^\s*(?:yes|no)[,.:;!—–-]+\s+(?=\w+ \w+)", re.IGNORECASE)
"""Answers the question, and denies nothing of what follows."""
_LONGEST = 1_000
"""Characters of a sentence that are compared word by word; the comparison must stay quick."""
_PARTLY_AT_MOST = SUPPORTED - 0.01
_QUALIFYING = re.compile(
    r"\b(?:not?|never|nobody|none|nothing|neither|nor|cannot|without|except|only|if|unless|whether|until|refus\w+|"
    r"den(?:y|ies|ied|ying)|fail\w*|reject\w*|false|untrue|alleg\w+|claim(?:s|ed)?)\b|n['’]t\b"
)
_GOES_ON = re.compile(
    r"\s*(?:[-–/%°]|(?:per|to|million|billion|thousand|percent|times|k?g|mg|k?m|cm|mm|m?l|hours?|days?|weeks?|years?)\b)"
)
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
        plain = _YES_NO.sub("", _NUMBERED.sub("", _MARKER.sub("", sentence)))
        copied = _copied_from(plain, evidence)
        if copied is not None and not copied.qualified:
            return Judgement("supported", 1.0, "lexical", copied.at)
        if len(plain) > _LONGEST:
            return _by_words(plain, evidence, idf)
        judgement = compared(plain, evidence)
        if copied is not None and judgement.support == "supported":
            return judgement._replace(support="partial", score=_PARTLY_AT_MOST, method=f"{judgement.method}+context")
        return judgement

    def compared(plain: str, evidence: Sequence[str]) -> Judgement:
        claim = statement(plain)
        if not claim.telling or not evidence:
            return Judgement("unsupported", 0.0, "lexical", None)
        weights = claim.weigh(idf({claim.stems[at] for at in claim.telling}))
        shares = _Shares(weights, [_words(piece) for piece in evidence])
        closest = shares.closest(_CLOSEST)
        everywhere = frozenset().union(*shares.found)
        pieces = [statement(evidence[at][:_LONGEST]) for at in closest]
        parted = differences(claim, pieces, weights, everywhere)
        if _both_deny(claim, pieces[0]):
            parted = [one._replace(opposed=False, known=True) if one.part == "negation" else one for one in parted]
        shares.found[closest[0]] |= weights.keys() & claim.counted_in(pieces[0])
        return _weigh(shares.together(), parted, closest[0])

    return judge


def _by_words(sentence: str, evidence: Sequence[str], idf: Idf) -> Judgement:
    """Of a sentence too long to be compared word by word: supported in part at best."""
    wanted = set(content_terms(sentence))
    if not wanted or not evidence:
        return Judgement("unsupported", 0.0, "lexical", None)
    shares = _Shares(dict(idf(wanted)) or dict.fromkeys(wanted, 1.0), [_words(piece) for piece in evidence])
    best = shares.closest(1)[0]
    score = min(_PARTLY_AT_MOST, shares.each[best])
    return Judgement("partial" if score >= PARTIAL else "unsupported", score, "lexical+length", best)


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


def _both_deny(claim: Statement, piece: Statement) -> bool:
    """Whether both deny, and the evidence nothing that the claim does not speak of: `not used`, `without`."""
    if not claim.negations or len(claim.negations) % 2 != len(piece.negations) % 2:
        return False
    if {"always", "never"} <= {token.folded for token in (*claim.tokens, *piece.tokens)}:
        return False
    clauses = [clause for clause in claim.clauses if any(one.at in clause for one in claim.negations)]
    denying = {claim.stems[at] for clause in clauses for at in clause}
    denied = [{piece.stems[at] for at in negation.scope} for negation in piece.negations]
    return all(scope & denying or len(scope & claim.words) > 1 for scope in denied)


class _Copy(NamedTuple):
    """Where a sentence stands word for word; `qualified` if what stands around it there changes what it says."""

    at: int
    qualified: bool


def _copied_from(sentence: str, evidence: Sequence[str]) -> _Copy | None:
    """The first piece of evidence that has the sentence word for word, an unqualified one if there is any."""
    wanted = _flat(sentence)
    found: _Copy | None = None
    for at, piece in enumerate(evidence) if wanted else ():
        whole = _flat(piece)
        place = f" {whole} ".find(f" {wanted} ")
        if place < 0:
            continue
        if not _qualified(whole[:place], wanted, whole[place + len(wanted) :]):
            return _Copy(at, qualified=False)
        found = found or _Copy(at, qualified=True)
    return found


def _qualified(before: str, sentence: str, after: str) -> bool:
    """Whether a denial or a condition comes before, in the same sentence, or the number at the end goes on after it."""
    if _QUALIFYING.search(re.split(r"[.!?;] ", before)[-1]):
        return True
    counted = any(char.isdigit() for char in " ".join(sentence.split()[-2:]))
    return counted and _GOES_ON.match(after) is not None


@lru_cache(maxsize=20_000)
def _flat(text: str) -> str:
    """A text for the search word for word: blind to case, spaces, the marks of Markdown and what nobody sees."""
    return " ".join(unmarked(visible(text)).casefold().split()).strip(_EDGES)


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))
