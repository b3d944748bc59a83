"""Whether a sentence of another source says otherwise than a claim about the same matter."""

import re
from collections.abc import Sequence, Set

from chains.clauses import called_otherwise, narrower
from chains.correction import Judge, corrected, names_of, words_of
from chains.statement import Statement, statement
from language.quantities import Quantity, agree, base_value, comparable

_MOST_WORDS = 0.66
"""Of the words of a claim that are neither numbers nor names, in a sentence about the same."""
_MORE_WORDS = 3
"""That a sentence about the same may say besides, or as many as the claim has: else it is about more than that."""
_CLOSE = 0.05
"""Numbers no further apart than this, of which one is round, are the same number."""
_FEWEST_WORDS = 4
_CLAUSE = re.compile(r"[;:] |, (?!and )|,? (?:whereas|while|but|after which|unless) ")
_ELSEWHERE = re.compile(r"\bt?here\b(?! (?:is|are|was|were|will|has|have|must|may|can)\b)", re.IGNORECASE)
"""Words that point to a place named before: such a sentence is about that place."""
_EVERY = re.compile(r"\b(?:every|each) (\w+)", re.IGNORECASE)
_ONE = re.compile(r"\b(?:one|a single|only one)\b", re.IGNORECASE)
_FREE = re.compile(
    r"\bfree(?: of charge)?\b|\b(?:no|without) (?:charge|fee|cost)|\b(?:costs?|pays?) nothing\b", re.IGNORECASE
)
_PAYING = frozenset("cost costs price pay pays charge charged fee day month year week free nothing".split())
_BYGONE = re.compile(r"\b(?:was|were|had|did|grew|rose|fell|came to|amounted|\w{3,}ed)\b", re.IGNORECASE)
_LASTING = re.compile(
    r"\b(?:is|are|has|have|may|must|can|shall|will|costs?|lasts?|gets?|receives?|pays?)\b", re.IGNORECASE
)


def says_otherwise(claim: str, piece: str, judge: Judge, familiar: Set[str]) -> bool:
    """Whether two sentences of sources about the same thing exclude each other.

    `familiar` are the words of what both are about: a name among them tells nothing apart.
    """
    return any(_opposed(claim, part, judge, familiar) for part in (piece, *_parts(piece)))


def _parts(piece: str) -> list[str]:
    """The clauses of a long sentence that can stand alone."""
    parts = [part.strip(" .") for part in _CLAUSE.split(piece)]
    return [part for part in parts if len(part.split()) >= _FEWEST_WORDS] if len(parts) > 1 else []


def _opposed(claim: str, piece: str, judge: Judge, familiar: Set[str]) -> bool:
    said, known = statement(claim), statement(piece)
    if called_otherwise(said, known) or narrower(said, known, familiar):
        return False
    if _ELSEWHERE.search(piece) or not _same_matter(said, known, familiar):
        return _one_is_free(claim, said, piece, known) or _one_is_free(piece, known, claim, said)
    judgement = judge(claim, [piece])
    if judgement.support == "supported":
        return _less_often(claim, piece) or _counts_more(claim, said, known)
    if _numbers_meet(said, known):
        return False
    if judgement.support == "contradicted":
        return True
    return not {"numbers", "entities"}.isdisjoint(judgement.parts) and corrected(claim, piece, judge) is not None


def same_name(claim: str, piece: str) -> bool:
    """Whether both sentences name the same thing."""
    known = statement(piece).words
    return any(words <= known for words in _names(statement(claim)) if any(len(word) > 1 for word in words))


def another_subject(claim: str, title: Set[str], piece: str, its_title: Set[str]) -> bool:
    """Whether two sentences name what their documents are called after, and that is not the same."""
    said, known = statement(claim), statement(piece)
    own = [words for words in _names(said) if not words <= known.words]
    foreign = [words for words in _names(known) if not words <= said.words]
    return any(words & title for words in own) or any(words & (its_title - title) for words in foreign)


def bygone(sentence: str) -> bool:
    """Whether a sentence tells what was at some time, which a later report does not make any less true."""
    return _BYGONE.search(sentence) is not None and _LASTING.search(sentence) is None


def _same_matter(said: Statement, known: Statement, familiar: Set[str]) -> bool:
    kept = _kept(said)
    if not kept or len(kept & known.words) < _MOST_WORDS * len(kept):
        return False
    if len(_kept(known) - kept - familiar) > max(_MORE_WORDS, len(kept)):
        return False
    foreign = [words for words in _names(known) if not words <= said.words | familiar]
    own = [words for words in _names(said) if not words <= known.words]
    return len(foreign) <= len(own) or all(words & said.words for words in foreign)


def _kept(one: Statement) -> set[str]:
    """The telling words that are neither numbers nor names."""
    spans = [*((number.first, number.last) for number in one.quantities), *names_of(one)]
    counted = {at for first, last in spans for at in range(first, last + 1)}
    return {one.stems[at] for at in one.telling if at not in counted}


def _names(one: Statement) -> list[set[str]]:
    return [words_of(one, span) for span in names_of(one)]


def _less_often(claim: str, piece: str) -> bool:
    """Whether what the claim says of every one, the sentence says of every second."""
    return any(
        re.search(rf"\b(?:every|each) (?:second|other|third|fourth) {re.escape(word)}\b", piece, re.IGNORECASE)
        for word in _EVERY.findall(claim)
    )


def _counts_more(claim: str, said: Statement, known: Statement) -> bool:
    """Whether the sentence has two or more where the claim has one."""
    if _kept(said) != _kept(known) or not _ONE.search(claim):
        return False
    return any(not any(agree(one, other) for other in said.quantities) for one in known.quantities)


def _numbers_meet(said: Statement, known: Statement) -> bool:
    """Whether the numbers that differ are the same ones, rounded."""
    mine = [one for one in said.quantities if not any(agree(one, other) for other in known.quantities)]
    theirs = [one for one in known.quantities if not any(agree(other, one) for other in said.quantities)]
    if not mine or len(mine) != len(theirs):
        return False
    return all(_rounded(one, other) for one, other in zip(mine, theirs, strict=True))


def _rounded(one: Quantity, other: Quantity) -> bool:
    if one.kind in {"year", "ordinal", "code", "time"} or (not comparable(one, other) and one.unit == other.unit):
        return False
    if one.unit != other.unit:
        return _converted(one, other)
    if not isinstance(one.value, float) or not isinstance(other.value, float):
        return False
    near = abs(one.value - other.value) <= _CLOSE * max(abs(one.value), abs(other.value))
    return near and (one.hedged or other.hedged)


def _converted(one: Quantity, other: Quantity) -> bool:
    """Whether two lengths or weights in units of their own are the same, as far as one rounds."""
    first, second = base_value(one), base_value(other)
    if first is None or second is None or first[0] != second[0]:
        return False
    return abs(first[1] - second[1]) <= _CLOSE * max(first[1], second[1])


def _one_is_free(paid: str, cost: Statement, free: str, other: Statement) -> bool:
    """Whether one costs money and the other nothing."""
    money = [one for one in cost.quantities if one.kind == "money"]
    if not money or any(one.kind == "money" for one in other.quantities) or not _FREE.search(free):
        return False
    thing = _kept(cost) - _PAYING
    return bool(thing) and thing <= other.words and not _FREE.search(paid)


def closeness(claim: str, pieces: Sequence[str]) -> list[float]:
    """The share of the words of a claim, names and numbers aside, that each of some sentences has."""
    kept = _kept(statement(claim))
    return [len(kept & statement(piece).words) / max(1, len(kept)) for piece in pieces]
