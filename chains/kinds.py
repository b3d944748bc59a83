"""Kinds of answers: amounts, measures, times, names, reasons: which a question asks for, and which texts hold one."""

import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from language.cells import cells
from language.words import content_terms, terms

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER = (
    r"(?:\d[\d.,]*|\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|half|several|hundred"
    r"|thousand|dozen))"
)
_DATE = re.compile(rf"\b\d{{1,2}} (?:{_MONTHS})\b|\b(?:{_MONTHS}) \d{{1,2}}\b|\b(?:1\d|20)\d\d\b|\b\d\d?:\d\d\b")
_TIME = re.compile(rf"\d|\b(?:{_MONTHS}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|century|centuries|daily|weekly)\b")
_FIGURE = re.compile(rf"{_NUMBER}\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+")
_FULL_NAME = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")


_COLOURS = "colou?r(?:s|ed)?|red|blue|green|yellow|black|white|gr[ea]y|brown|orange|pink|purple|silver|golden"


class _Kind(NamedTuple):
    asks: re.Pattern[str]
    holds: Callable[[str], bool]
    """Whether a text has one."""


def untold(question: str, texts: Iterable[str]) -> bool:
    """Whether a question begins by asking for a measure, an amount or a colour, and no text has one."""
    begins = _BEGINS.match(question)
    kind = next((kind for kind in _MEASURABLE if kind.asks.match(question, begins.end() if begins else 0)), None)
    return kind is not None and not any(map(kind.holds, texts))


@lru_cache(maxsize=4096)
def holds_kind(question: str, text: str) -> bool | None:
    """Whether a text has what the question asks for first; None if it asks for nothing of a kind."""
    holds = _asked_first(question)
    return None if holds is None else holds(text)


@lru_cache(maxsize=256)
def _asked_first(question: str) -> Callable[[str], bool] | None:
    asked = [(match.start(), kind.holds) for kind in _KINDS if (match := kind.asks.search(question))]
    attribute = _ATTRIBUTE_ASKED.match(question)
    if attribute is not None:
        named = set(content_terms(attribute["attribute"]))
        asked.append((attribute.end(), lambda text: named <= set(terms(text))))
    who = _PERSON_ASKED.search(question)
    if who is not None:
        asked.append((who.start(), lambda text: _has_name(text, terms(question))))
    return min(asked, key=lambda one: one[0])[1] if asked else None


def _measured(units: str, told: str = "(?!)") -> Callable[[str], bool]:
    """Whether a text has a number of some units, or tells the measure itself beside a number."""
    found = re.compile(rf"{_NUMBER}(?:[\s-]?\w+)?[\s-]?(?:{units})\b|\b(?:{told})\b.*\d", re.IGNORECASE)
    return lambda text: found.search(text) is not None


def _has_figure(text: str) -> bool:
    """Whether there is a number besides dates, years and times of day."""
    return _FIGURE.search(_DATE.sub("", text)) is not None


def _has_name(text: str, known: Collection[str]) -> bool:
    """Whether a name stands in a text that is not in the question; in a row of cells only a full one is somebody's."""
    found = _FULL_NAME.findall(text) if cells(text) else _NAME.findall(text)
    return any(not set(known).issuperset(terms(name)) for name in found)


def _kind(asks: str, holds: Callable[[str], bool]) -> _Kind:
    return _Kind(re.compile(rf"\b(?:{asks})\b", re.IGNORECASE), holds)


def _having(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern, re.IGNORECASE)
    return lambda text: found.search(text) is not None


_SPANS = "seconds?|minutes?|min|hours?|h|days?|nights?|weeks?|months?|years?|decades?|centur(?:y|ies)"
_LENGTHS = "m|cm|mm|km|met(?:re|er)s?|(?:kilo|centi|milli)met(?:re|er)s?|ft|feet|foot|in|inch(?:es)?|yards?|miles?"
_PERSON_ASKED = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
_BEGINS = re.compile(
    r"(?:(?:in|at|on|for|since|by|until|from) )?(?:(?:what|which) (?:is|are|was|were) )?(?:the )?", re.IGNORECASE
)
_ATTRIBUTE_ASKED = re.compile(
    r"what (?:is|are|was|were) the (?P<attribute>power|capacity|volume|pressure|voltage|warranty|speed|size)(?= of\b)",
    re.IGNORECASE,
)
_MEASURABLE = (
    _kind(
        r"price|prices|costs?|fares?|fees?|expensive|cheap|how much (?:is|are|was|were)\b"
        r"|how much (?:do|does|did|will|would|must|should) .{1,80}\b(?:costs?|pay|charge)",
        _having(
            r"[€$£¥]|\d\s?(?:EUR|USD|GBP|CHF|%)|\b(?:euros?|dollars?|pounds?|francs?|cents?|crowns?|price|EUR|free)\b"
        ),
    ),
    _kind(
        "how heavy|how much (?:do|does|did) .{1,80} weigh|weigh|weight",
        _measured("kg|g|mg|lbs?|t|tons?|tonnes?|grams?|kilograms?|ounces?|pounds?", "weight"),
    ),
    _kind("how (?:high|tall|deep|wide|far|thick)", _measured(_LENGTHS, "height|depth|width|distance")),
    _kind("how long", _measured(f"{_SPANS}|{_LENGTHS}", "length|duration")),
    _kind(
        "how often",
        _having(rf"\b(?:every|once|twice|daily|weekly|monthly|yearly|annually|times|each|per|an?) |{_SPANS}"),
    ),
    _kind("how (?:much|many|old|big|large|fast)", _has_figure),
    _kind("(?:what|which) colou?r", _having(rf"\b(?:{_COLOURS})\b")),
)
_KINDS = (
    *_MEASURABLE,
    _kind(
        "when|how long ago|(?:what|which) (?:year|date|day|month|century|decade|time)",
        lambda text: _TIME.search(text) is not None,
    ),
    _kind(
        "why|for what reasons?",
        _having(
            r"\b(?:because|due to|owing to|thanks to|since|after|so that|in order to|reasons?|cause[sd]?|therefore)\b"
        ),
    ),
)
