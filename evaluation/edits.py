"""Seeded edits that change what a claim says, so that its evidence no longer supports it.

An edit takes the text and a seeded generator, and gives the edited text, or None where it finds nothing to change.
The same seed gives the same edit.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from evaluation.entities import Entity, entities
from evaluation.negations import deny
from language.words import numbers, sounds_english, terms


@dataclass(frozen=True, slots=True)
class Material:
    """A claim with what an edit may need."""

    text: str
    evidence: Sequence[str]
    entities: Sequence[Entity]
    """Of the whole set, in a fixed order."""


T = TypeVar("T")
Edit = Callable[[Material, np.random.Generator], str | None]

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|[.,]\d| ?['’]s)")
_BOUNDED = re.compile(
    r"\b(?:over|than|least|most|under|above|below|exceeding|nearly|almost|to|beyond|about|around|approximately|roughly|"
    r"some|circa)\s+\W?$",
    re.I,
)
"""Before a number that is only a bound or about right: of 300, `over 200` is true as well."""
_YEAR = re.compile(r"[12]\d{3}")
_CARDINALS = "two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DATE = re.compile(
    rf"\b(?:{'|'.join(m for m in _MONTHS if m not in ('March', 'May'))}|{'|'.join(_DAYS)}|"
    r"(?:March|May)(?=,? \d)|(?<=\d )(?:March|May)|(?<=\bin )(?:March|May))\b"
)


def number(material: Material, rng: np.random.Generator) -> str | None:
    """Another digit in a number, or another number word, that stands nowhere in the evidence."""
    known = _numbers(material.evidence)
    for match in _shuffled(_plain_numbers(material.text), rng):
        for other in _other_numbers(match.group(), rng):
            if not numbers(other) & known:
                return _put(material.text, match, other)
    return _other_word(material, _CARDINALS, rng)


def ordinal(material: Material, rng: np.random.Generator) -> str | None:
    """Another ordinal word."""
    return _other_word(material, _ORDINALS, rng)


def date(material: Material, rng: np.random.Generator) -> str | None:
    """Another month or weekday."""
    held = {word.casefold() for piece in material.evidence for word in re.findall(r"\w+", piece)}
    for match in _shuffled(_DATE.finditer(material.text), rng):
        kin = _MONTHS if match.group() in _MONTHS else _DAYS
        free = [word for word in kin if word.casefold() not in held and word != match.group()]
        if free:
            return _put(material.text, match, free[rng.integers(len(free))])
    return None


def entity(material: Material, rng: np.random.Generator) -> str | None:
    """Another name of the set in the place of one, of the same shape, without a word that the evidence has."""
    held = {term for piece in (material.text, *material.evidence) for term in terms(piece)}
    for old in _shuffled(entities(material.text), rng):
        for new in _shuffled(material.entities, rng):
            if new.shape == old.shape and held.isdisjoint(terms(new.text)):
                return material.text[: old.start] + new.text + material.text[old.end :]
    return None


def negation(material: Material, rng: np.random.Generator) -> str | None:
    """A negation where there is none, or the other way round."""
    return deny(material.text, rng)


def number_from_evidence(material: Material, rng: np.random.Generator) -> str | None:
    """A number of the evidence in the place of another one with as many digits, a year in the place of a year."""
    own = numbers(material.text)
    found = [match.group() for piece in material.evidence for match in _NUMBER.finditer(piece)]
    for match in _shuffled(_plain_numbers(material.text), rng):
        kin = _YEAR if _YEAR.fullmatch(match.group()) else re.compile(f".{{{len(match.group())}}}")
        for other in _shuffled(dict.fromkeys(found), rng):
            if kin.fullmatch(other) and not numbers(other) & own:
                return _put(material.text, match, other)
    return None


def entity_from_evidence(material: Material, rng: np.random.Generator) -> str | None:
    """A name of the evidence in the place of another one of the same shape, if the two never stand together there."""
    own = set(terms(material.text))
    found = [one for piece in material.evidence if whole_sentence(piece) for one in entities(piece)]
    for old in _shuffled(entities(material.text), rng):
        replaced = set(terms(old.text))
        aliases = {term for one in found if replaced & set(terms(one.text)) for term in terms(one.text)}
        for new in _shuffled(found, rng):
            if new.shape == old.shape and (own | aliases).isdisjoint(terms(new.text)):
                return material.text[: old.start] + new.text + material.text[old.end :]
    return None


EDITS: Mapping[str, Edit] = {
    "number": number,
    "ordinal": ordinal,
    "date": date,
    "entity": entity,
    "negation": negation,
}
"""What certainly makes a supported claim unsupported, by kind."""
HARD_EDITS: Mapping[str, Edit] = {
    "number from the evidence": number_from_evidence,
    "entity from the evidence": entity_from_evidence,
}
"""The same with what stands elsewhere in the evidence."""


def whole_sentence(piece: str) -> bool:
    """Whether a piece of a page is a sentence, and not a heading, a menu or half of a list."""
    words = piece.split()
    ended = piece.rstrip(" \"”')]").endswith((".", "!"))
    return ended and 5 <= len(words) <= 60 and piece[0].isupper() and sounds_english(piece)


def _plain_numbers(text: str) -> Iterator[re.Match[str]]:
    """The numbers that are not only bounds."""
    return (match for match in _NUMBER.finditer(text) if not _BOUNDED.search(text, 0, match.start()))


def _other_numbers(number: str, rng: np.random.Generator) -> Iterator[str]:
    """The number with one digit changed, in any order; of a year the last two, and never a zero first."""
    year = _YEAR.fullmatch(number) is not None
    places = [at for at, digit in enumerate(number) if digit.isdigit() and not (year and at < 2)]
    for at in _shuffled([place for place in places if number[place] != "0"] or places, rng):
        for digit in _shuffled("123456789", rng):
            if digit != number[at]:
                yield number[:at] + digit + number[at + 1 :]


def _other_word(material: Material, kin: Sequence[str], rng: np.random.Generator) -> str | None:
    words = re.compile(rf"\b(?:{'|'.join(kin)})\b(?!-)", re.I)
    held = {word.casefold() for piece in material.evidence for word in re.findall(r"[^\W_]+", piece)}
    known = _numbers(material.evidence)
    for match in _shuffled(words.finditer(material.text), rng):
        if re.search(r"\b(?:at|or|than)\s$", material.text[: match.start()], re.I):
            continue  # `at first`, `one or two`, `more than two`
        for other in _shuffled(kin, rng):
            if other != match.group().casefold() and other not in held and not numbers(other) & known:
                return _put(material.text, match, other.capitalize() if match.group()[0].isupper() else other)
    return None


def _numbers(evidence: Sequence[str]) -> set[str]:
    return set[str]().union(*map(numbers, evidence))


def _put(text: str, match: re.Match[str], other: str) -> str:
    return text[: match.start()] + other + text[match.end() :]


def _shuffled(items: Iterable[T], rng: np.random.Generator) -> list[T]:
    found = list(items)
    return [found[at] for at in rng.permutation(len(found)).tolist()]
