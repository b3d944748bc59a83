"""Which of two sources is the newer one, by what they say of themselves."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from language.sentences import sentence_spans

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(?P<{0}>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = r"(?P<{0}>(?:19|20)\d\d)"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR.format('y')}-(?P<m>\d\d?)(?:-(?P<d>\d\d?))?\b",
        rf"\b(?P<d>\d\d?)(?:st|nd|rd|th)?(?: of)? {_MONTH.format('m')},? {_YEAR.format('y')}\b",
        rf"\b{_MONTH.format('m')} (?P<d>\d\d?)(?:st|nd|rd|th)?,? {_YEAR.format('y')}\b",
        rf"\b(?P<d>\d\d?)[./](?P<m>\d\d?)[./]{_YEAR.format('y')}\b",
        rf"\b{_MONTH.format('m')},? {_YEAR.format('y')}\b",
        rf"\b{_YEAR.format('y')}(?:/\d\d)?\b(?![./-]\d)",
    )
)
_VERSION = re.compile(r"\b(?:v\.? ?|version |release |revision |rev\.? ?|edition )(\d+(?:\.\d+)*)\b", re.IGNORECASE)
_EDITION = re.compile(r"\b(\d+)(?:st|nd|rd|th) (?:edition|revision|version)\b", re.IGNORECASE)
_DATED_KEY = re.compile(r"date|updated|modified|published|effective|issued|revised|valid|year|as.?of", re.IGNORECASE)
_VERSION_KEY = re.compile(r"version|revision|edition|release", re.IGNORECASE)
_IN_FORCE = re.compile(
    r"\b(?:as of|since|from|starting|beginning|effective(?: from| as of)?|in force (?:since|from)|valid (?:from|since)|"
    r"updated(?: on)?|revised(?: on| in)?|amended(?: on| in)?|issued(?: on| in)?|published(?: on| in)?|dated|"
    r"status|last (?:update|change|revision|review)(?:ed|d)?(?: on)?|with effect from)[\s:]+(?:the )?$",
    re.IGNORECASE,
)
_REPLACES = re.compile(
    r"\b(?:replac(?:es|ed|ing)|supersed(?:es|ed|ing)|overrid(?:es|ing)|takes? the place of|revok(?:es|ed|ing)|"
    r"repeal(?:s|ed|ing)|amend(?:s|ed|ing)|correct(?:s|ed|ing)|erratum|"
    r"instead of the (?:previous|former|earlier|old))\b",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:no longer|any ?more|has (?:now )?(?:been )?(?:changed|raised|lowered|increased|reduced|moved|extended|"
    r"shortened|cut)|have (?:now )?(?:been )?(?:changed|raised|lowered|increased|reduced|moved)|now|newly|from now on|"
    r"up from|down from|rather than the (?:previous|former))\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:archived?|obsolete|superseded by|replaced by|withdrawn|out of date|outdated|no longer (?:valid|in force|"
    r"applies|current)|former(?:ly)?|used to|deprecated|historical|expired|until)\b",
    re.IGNORECASE,
)
_REPLACED = re.compile(r"\b(?:superseded|replaced) by\b", re.IGNORECASE)
_OLD_TITLE = re.compile(r"\b(?:archived?|old|obsolete|former|previous|superseded|draft|proposal|deprecated)\b", re.I)
_NEW_TITLE = re.compile(
    r"\b(?:current|new|updated?|revised|amend(?:ed|ment)|corrections?|correction|erratum|latest)\b", re.I
)

_TEXT = (
    r"(?:notice|letter|circular|memo(?:randum)?|minutes|report|bulletin|announcement|statement|version|edition|tariff"
    r"|list|sheet|leaflet|newsletter|guide|guidelines?|policy|rules?|regulations?|ordinance|bylaws?|order|notes?|page"
    r"|decree|decision|resolution|timetable|schedule|programme|handbook|manual|brochure|update|revision|correction"
    r"|amendment|document|text)"
)
_WORDS = r"(?: [\w’'-]+){0,5}?"
_OWN_DATE = re.compile(
    rf"(?:\b{_TEXT}{_WORDS}(?: of| from| dated|,| \(| [–—-])(?: the)?"
    rf"|(?:^|\b(?:this \w+|{_TEXT}) (?:was |is |has been )?)(?:first )?(?:printed|issued|published|adopted|approved"
    rf"|signed|written|posted|released|compiled|drawn up|dated){_WORDS}(?: on| in|,)?(?: the)?"
    r"|\b(?:date|stand|status|as at)\b:?)\s*$",
    re.IGNORECASE,
)
"""Stands before the date of the text that it is in."""
_CLAIMS = re.compile(
    r"\b(?:is|are|was|were|be|has|have|had|costs?|will|must|can|opened|began|died|born|for|until|before|after|of|on)\b",
    re.IGNORECASE,
)
_OPENING = 300
"""Characters of a document, in which it says of when it is."""
_OPENING_SENTENCES = 3
_DATELINE = 6
"""Words of a line that only gives a place and a date."""
_STOPS = ".,:;–—-"
_LABEL = re.compile(r"[^:]{3,60}:(?=\s)")
"""What a sentence is headed with, as in `Notice of 2 May 2020: the fee is ...`."""

_FIRST_IN_FORCE = 1990
"""What has held since before is history rather than a rule that another one replaced."""

Moment = tuple[int, int | None, int | None]
"""Year, month, day, as far as they are known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a source says of its own age."""

    title: str
    sentence: str
    """The one in question."""
    text: str
    """The passage around it, and how its document begins."""
    metadata: Mapping[str, Any]


def newer(one: Account, other: Account) -> int:
    """1 if `one` is the newer source, -1 if the other is, 0 if they do not tell.

    Asked in order of trust: their dates, their versions, whether one says that it replaces another, what the titles
    call them, and what the sentence says of itself. The first that tells them apart decides.
    """
    for ask in (_dated, _versioned, _replacing, _called, _said):
        mine, theirs = ask(one), ask(other)
        if mine is None or theirs is None:
            continue
        both = [(a, b) for a, b in zip(mine, theirs, strict=False) if a is not None and b is not None]
        if (first := [a for a, _ in both]) != (second := [b for _, b in both]):
            return 1 if first > second else -1
    return 0


def dated(account: Account) -> str | None:
    """The date of a source, as far as it tells: `12 March 2024`, `March 2024`, `2024`."""
    moment = _dated(account)
    if moment is None:
        return None
    told = (_latest(account.title), _latest(account.text, in_force=True), _opening(account))
    exact = [other for other in told if other is not None and other[0] == moment[0]]
    year, month, day = max([moment, *exact], key=lambda known: sum(part is not None for part in known))
    named = date(2000, month, 1).strftime("%B") if month and 1 <= month <= 12 else None
    return " ".join(str(part) for part in (day if named else None, named, year) if part)


def dated_alike(one: Account, other: Account) -> bool | None:
    """Whether two sources have the same date, as far as both tell; None if one does not."""
    mine, theirs = _dated(one), _dated(other)
    if mine is None or theirs is None:
        return None
    return all(a == b for a, b in zip(mine, theirs, strict=True) if a is not None and b is not None)


def year_of(account: Account) -> int | None:
    """The year of a source, as far as it tells."""
    moment = _dated(account)
    return None if moment is None else moment[0]


def ahead(account: Account, today: date | None = None) -> bool:
    """Whether what a source says does not hold yet."""
    now = today or date.today()
    moment = _latest(account.sentence, in_force=True) or _dated(account)
    return moment is not None and _full(moment) > (now.year, now.month, now.day)


def _dated(account: Account) -> Moment | None:
    """As it was stored, else by the title, else by the text around and how its document begins."""
    stored = [_latest(str(value)) for key, value in account.metadata.items() if _DATED_KEY.search(key)]
    known = max(filter(None, stored), key=_full, default=None)
    around = account.text.replace(account.sentence, " ")  # whose own date may be what the sources differ in
    said = [_latest(around, in_force=True), _opening(account)]
    return known or _latest(account.title) or max(filter(None, said), key=_full, default=None)


def _opening(account: Account) -> Moment | None:
    """The date that a document begins with, as far as it is its own: of the sentence in question, only of its label."""
    label = _LABEL.match(account.sentence)
    beginning = account.text.replace(account.sentence, label.group() if label else " ")[:_OPENING]
    sentences = [beginning[start:end] for start, end in sentence_spans(beginning)[:_OPENING_SENTENCES]]
    lines = [line for sentence in sentences for line in sentence.splitlines()]
    return next(filter(None, map(_own_date, lines)), None)


def _own_date(line: str) -> Moment | None:
    """The date of the text that a line opens, as in `Fee notice of 2 May 2020`, or in a line that is little more."""
    dateline = len(line.split()) <= _DATELINE and not _CLAIMS.search(line)
    for moment, place in _places(line):
        before, after = line[: place.start].strip(" #*_(|"), line[place.stop :].strip(" )*_|")
        ends, begins = not after.strip(_STOPS), not before and after[:1] in _STOPS
        if _OWN_DATE.search(before) or begins or (dateline and ends and moment[1]):
            return moment
    return None


def _versioned(account: Account) -> tuple[int, ...] | None:
    stored = [_numbers(str(value)) for key, value in account.metadata.items() if _VERSION_KEY.search(key)]
    found = _VERSION.search(account.title) or _EDITION.search(account.title)
    return max(filter(None, stored), default=None) or (_numbers(found[1]) if found else None)


def _replacing(account: Account) -> tuple[int]:
    said = f"{account.title}. {account.text}"
    passive = _REPLACED.search(said) is not None or _GONE.search(account.sentence) is not None
    return (int(not passive and _REPLACES.search(said) is not None) - int(passive),)


def _called(account: Account) -> tuple[int]:
    return (int(bool(_NEW_TITLE.search(account.title))) - int(bool(_OLD_TITLE.search(account.title))),)


def _said(account: Account) -> tuple[int]:
    # two dates of two sentences that differ in one thing are what they differ in, and tell nothing of their age
    dated = _latest(account.sentence, in_force=True) is not None
    return (int(dated) + int(_CHANGED.search(account.sentence) is not None),)


def _latest(text: str, *, in_force: bool = False) -> Moment | None:
    """The last date of a text; `in_force` counts only those from which on something holds."""
    return max(_moments(text, in_force), key=_full, default=None)


def _moments(text: str, in_force: bool) -> Iterator[Moment]:
    for moment, place in _places(text):
        before = text[max(0, place.start - 40) : place.start]
        if not in_force or (moment[0] >= _FIRST_IN_FORCE and _IN_FORCE.search(before)):
            yield moment


def _places(text: str) -> Iterator[tuple[Moment, range]]:
    """The dates of a text, the exact ones first, and where each stands."""
    taken: list[range] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() in place for place in taken):
                continue
            place = range(match.start(), match.end())
            taken.append(place)
            parts = match.groupdict()
            yield (int(parts["y"]), _month(parts.get("m")), int(parts["d"]) if parts.get("d") else None), place


def _month(written: str | None) -> int | None:
    if written is None:
        return None
    return int(written) if written.isdigit() else _MONTHS.index(written[:3].lower()) + 1


def _full(moment: Moment) -> tuple[int, int, int]:
    return moment[0], moment[1] or 0, moment[2] or 0


def _numbers(version: str) -> tuple[int, ...] | None:
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:4])
    return found or None
