"""Which of two sources is the newer one, by what they say of themselves."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

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
    told = (_latest(account.title), _latest(account.text, in_force=True))
    exact = [other for other in told if other is not None and other[0] == moment[0]]
    year, month, day = max([moment, *exact], key=lambda known: sum(part is not None for part in known))
    named = date(2000, month, 1).strftime("%B") if month and 1 <= month <= 12 else None
    return " ".join(str(part) for part in (day if named else None, named, year) if part)


def ahead(account: Account, today: date | None = None) -> bool:
    """Whether what a source says does not hold yet."""
    now = today or date.today()
    moment = _latest(account.sentence, in_force=True) or _dated(account)
    return moment is not None and _full(moment) > (now.year, now.month, now.day)


def _dated(account: Account) -> Moment | None:
    """As it was stored, else by the title, else by the text around."""
    stored = [_latest(str(value)) for key, value in account.metadata.items() if _DATED_KEY.search(key)]
    known = max(filter(None, stored), key=_full, default=None)
    around = account.text.replace(account.sentence, " ")  # whose own date may be what the sources differ in
    return known or _latest(account.title) or _latest(around, in_force=True)


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
    taken: list[range] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() in place for place in taken):
                continue
            taken.append(range(match.start(), match.end()))
            parts = match.groupdict()
            before = text[max(0, match.start() - 40) : match.start()]
            if in_force and (int(parts["y"]) < _FIRST_IN_FORCE or not _IN_FORCE.search(before)):
                continue
            yield int(parts["y"]), _month(parts.get("m")), int(parts["d"]) if parts.get("d") else None


def _month(written: str | None) -> int | None:
    if written is None:
        return None
    return int(written) if written.isdigit() else _MONTHS.index(written[:3].lower()) + 1


def _full(moment: Moment) -> tuple[int, int, int]:
    return moment[0], moment[1] or 0, moment[2] or 0


def _numbers(version: str) -> tuple[int, ...] | None:
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:4])
    return found or None
