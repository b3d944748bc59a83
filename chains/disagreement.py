"""When two sources disagree: their sentences say the same thing, but for one number, denial or direction."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import product

from chains.clauses import conditions_oppose
from chains.statement import Difference, Statement, statement
from language.cells import cells
from language.contents import is_contents
from language.markup import unmarked
from language.polarity import opposites
from language.quantities import Quantity, agree, same_unit
from language.words import STOPWORDS, fold, stem, terms

ALIKE = 0.8
"""The share of its telling words, by idf, that each of the two must have in common with the other."""
_ENOUGH = 2
"""A denial must be of as many telling words as this."""
_DATES = frozenset("day month".split())
_WHEN_KINDS = _DATES | {"year", "date"}
_TWO = 2
"""Numbers in which two sentences may differ that have the same words."""
_MOST = 3
"""A text with more numbers than this is a row, whatever it looks like."""
_NAMED_BY_NUMBER = frozenset(
    "step section figure table chapter page number no version level phase room line item part article class grade "
    "group appendix question exercise paragraph rule note option chart unit building floor model type".split()
)
"""What a number after one of these words tells apart, rather than counts."""
_POINTING = frozenset("it they he she this that these those its their his her there here both".split())
_LEADING = frozenset("it they he she".split())
_UNSURE = frozenset("whether if".split())
_WHEN = frozenset("in since until from by on".split())
_DAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday weekdays weekends weekend daily".split())
_BORDER = re.compile(r"\s*\|\s*")
_PLACES = frozenset(map(stem, "during after before inside outside within without above below".split()))


Idf = Callable[[set[str]], Mapping[str, float]]
_SENTENCE_END = re.compile(r"(?<=[a-z]{3}[.!?])\s+(?=[A-Z])")
"""Where a new sentence begins for certain, whatever was taken for an abbreviation before it."""
_PARTS = 4
"""Sentences taken for one, of which each is compared."""


def opposes(one: str, other: str, idf: Idf | None = None) -> Difference | None:
    """The one particular in which two sentences that otherwise say the same exclude each other; None as a rule.

    It is the same either way round. Without `idf` every word weighs the same. A row of a table is only compared
    with a row that has the same first cell, column by column.
    """
    if is_contents(one) or is_contents(other):
        return None
    rows = _row(one), _row(other)
    if rows[0] or rows[1]:
        return _rows_oppose(*rows) if rows[0] and rows[1] else None
    pairs = product(_SENTENCE_END.split(one)[:_PARTS], _SENTENCE_END.split(other)[:_PARTS])
    return next(filter(None, (_sentences_oppose(*pair, idf) for pair in pairs)), None)


def _sentences_oppose(one: str, other: str, idf: Idf | None) -> Difference | None:
    first, second = statement(unmarked(one)), statement(unmarked(other))
    if not (_says_enough(first, one) and _says_enough(second, other)) or conditions_oppose(first, second):
        return None
    turned = _turned(first, second)
    numbers = _unmatched(first, second), _unmatched(second, first)
    denied = _denials(first) != _denials(second)
    if (bool(turned) + bool(numbers[0] or numbers[1]) + denied != 1) or len(turned) > 2:
        return None
    if not _same_matter(first, second, turned, idf):
        return None
    if turned:
        return Difference("direction", opposed=True)
    if denied and len(_content(first) & _content(second)) < _ENOUGH:
        return None
    if denied:
        return Difference("negation", opposed=True)
    return Difference("numbers", opposed=True) if _numbers_exclude(first, second, *numbers) else None


def _same_matter(one: Statement, other: Statement, turned: Set[str], idf: Idf | None) -> bool:
    """Whether the telling words agree both ways, and at most one of the two says more than the other."""
    first, second = _content(one) - turned, _content(other) - turned
    both = first & second
    if not both or _names(one) != _names(other) or (first - second and second - first):
        return False
    weights = idf(first | second) if idf is not None else {}
    rare = max(weights.values(), default=1.0)

    def weight(words: Set[str]) -> float:
        return sum(weights.get(word, rare) for word in words)

    return weight(both) >= ALIKE * max(weight(first), weight(second))


def _content(one: Statement) -> set[str]:
    counted = {at for known in one.quantities for at in range(known.first, known.last + 1)}
    small = {one.stems[at] for at, token in enumerate(one.tokens) if token.stem in _PLACES}
    return small | {one.stems[at] for at in one.telling if at not in counted and one.tokens[at].folded not in STOPWORDS}


def _names(one: Statement) -> set[str]:
    counted = {at for known in one.quantities for at in range(known.first, known.last + 1)}
    return {
        one.stems[at]
        for name in one.names
        if name.sure
        for at in range(name.first, name.last + 1)
        if at not in counted and one.tokens[at].folded not in STOPWORDS
    } | {token.folded.removesuffix("s") for token in one.tokens if token.folded in _DAYS}


def _says_enough(one: Statement, text: str) -> bool:
    """Whether a text is a sentence that stands alone: no scrap of a page, no row of numbers, nothing about `it`."""
    if not one.tokens or one.tokens[0].text[0].islower() or one.tokens[0].folded in _POINTING:
        return False
    if any(token.folded in _LEADING for token in one.tokens[:4]) or not _UNSURE.isdisjoint(one.words):
        return False
    closed = text.rstrip().endswith(".")
    return closed or len(one.tokens) < 4 or any(token.folded in STOPWORDS for token in one.tokens)


def _turned(one: Statement, other: Statement) -> set[str]:
    """The words of each that the other turns round."""
    mine, theirs = one.words - other.words, other.words - one.words
    turned = {(word, contrary) for word in mine for contrary in opposites(word) & theirs}
    denied = _denied_words(one) | _denied_words(other)
    return {word for pair in turned if not denied & set(pair) for word in pair}


def _denied_words(one: Statement) -> set[str]:
    return {one.stems[at] for negation in one.negations for at in negation.scope}


def _denials(one: Statement) -> bool:
    """Whether what a sentence says is denied in the end: two denials say the same as none."""
    return len(one.negations) % 2 == 1


def _unmatched(one: Statement, other: Statement) -> list[Quantity]:
    """The numbers that the other does not have, whatever they limit."""
    values = [_unbound(known) for known in other.quantities]
    plain = [(said, _unbound(said)) for said in one.quantities]
    return [said for said, free in plain if not any(agree(free, known) or agree(known, free) for known in values)]


def _unbound(number: Quantity) -> Quantity:
    """Without its limit: `at most 50` is as exact as `50`."""
    return number._replace(bound="", hedged=False) if number.bound else number


def _numbers_exclude(one: Statement, other: Statement, mine: Sequence[Quantity], theirs: Sequence[Quantity]) -> bool:
    if len(mine) != len(theirs) or not (len(mine) == 1 or _both_turn(one, other, mine)):
        return False
    if len(one.quantities) != len(other.quantities) or len(one.quantities) > _MOST:
        return False
    return all(
        same_unit(said, known)
        and said.bound == known.bound
        and said.kind not in {"ordinal", "code", "scale"}
        and not _is_a_name(one, said)
        and not _is_a_name(other, known)
        for said, known in zip(mine, theirs, strict=True)
    )


def _both_turn(one: Statement, other: Statement, mine: Sequence[Quantity]) -> bool:
    """Whether sentences of the same words may differ in two numbers, of which none says when the other holds."""
    kinds = {number.kind for number in mine}
    return len(mine) == _TWO and _content(one) == _content(other) and (kinds <= _DATES or kinds.isdisjoint(_WHEN_KINDS))


def _is_a_name(one: Statement, number: Quantity) -> bool:
    """Whether a number tells one thing from another: `step 3`, `Windows 10`, `In 2020, ...`, `3.` at the beginning."""
    if not number.first:
        return number.kind == "number" and not number.unit and len(one.tokens) > 1
    before = one.tokens[number.first - 1]
    if number.kind == "year":
        at = [known.last for known in one.quantities if known.kind in {"month", "day"}]
        early = all(near >= number.first for near in one.telling[:1])
        return early or (before.folded not in _WHEN and number.first - 1 not in at)
    named = before.text[0].isupper() and before.folded not in STOPWORDS
    return before.folded in _NAMED_BY_NUMBER or (named and number.kind == "number" and not number.unit)


def _row(text: str) -> list[tuple[str, str]]:
    """The cells of a row, each with its key, or with its place where it has none; none if the text is no row."""
    if " | " in text or text.startswith("|"):
        parts = [part.partition(":") for part in _BORDER.split(text.strip().strip("|").strip())]
        return [
            (key.strip(), value.strip()) if colon else (f"#{at}", key) for at, (key, colon, value) in enumerate(parts)
        ]
    return cells(text)


def _rows_oppose(one: Sequence[tuple[str, str]], other: Sequence[tuple[str, str]]) -> Difference | None:
    if len(one) != len(other) or [fold(key) for key, _ in one] != [fold(key) for key, _ in other]:
        return None
    if terms(one[0][1]) != terms(other[0][1]):
        return None
    parted = [(mine, theirs) for (_, mine), (_, theirs) in zip(one, other, strict=True) if terms(mine) != terms(theirs)]
    if len(parted) != 1:
        return None
    first, second = statement(parted[0][0]), statement(parted[0][1])
    if {fold(value.strip(" .")) for value in parted[0]} in ({"yes", "no"}, {"true", "false"}):
        return Difference("negation", opposed=True)
    numbers = _unmatched(first, second), _unmatched(second, first)
    counted = len(numbers[0]) == len(numbers[1]) == 1 and same_unit(numbers[0][0], numbers[1][0])
    return Difference("numbers", opposed=True) if counted and _content(first) == _content(second) else None
