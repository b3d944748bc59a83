"""Questions that are only a part of one: `And in 2023?`, `What about the Pro plan?`."""

import re
from collections.abc import Sequence

from chains.mentions import is_time, mentions_in, pieces_of
from chains.past import Past
from language.asking import asking_words
from language.words import content_terms

_PREPOSITIONS = "in|on|at|for|from|to|with|without|by|of|during|since|until|before|after|under|over|per|within|via|as"
_ABOUT = re.compile(r"(?:what about|how about|what of|same (?:question )?for|the same for)\s+", re.IGNORECASE)
_ASKS_AGAIN = re.compile(rf"(?:how (?:much|many|long|often)|when|where|who|what)\s+(?=(?:{_PREPOSITIONS})\b)", re.I)
_ADJUNCT = re.compile(rf"(?:only )?({_PREPOSITIONS})\s+", re.IGNORECASE)
_VERBAL = re.compile(
    r"\b(?:is|are|was|were|am|be|been|do|does|did|has|have|had|can|could|will|would|shall|should|may(?!$)|might|must"
    r"|isn't|aren't|don't|doesn't|didn't|can't|won't|who|whom|whose|what|when|where|why|which|how|i|we|you|tell|explain"
    r"|describe|list|show|give|compare|summari[sz]e|define|name|find|write|translate|please|ask|say|make|help|let|more"
    r"|else|not|then|so|anything|something|(?:what|who|where|how|when)['’]?s)\b",
    re.IGNORECASE,
)
_REFERRING = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|his|hers?|this|these|those|ones?|there|former|latter|others?)\b"
    r"|\bthat\b(?!\s+\w)",
    re.IGNORECASE,
)
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_TIMES: Sequence["re.Pattern[str]"] = (
    re.compile(r"(?<![\w.,])(?:1[5-9]|20)\d\d(?![\w%]|[.,]\d)"),
    re.compile(r"(?<!\w)[QqHh][1-4](?!\w)"),
    re.compile(rf"\b(?:{_MONTH})\b"),
    re.compile(rf"\b(?i:{_DAY})\b"),
)
"""Years, quarters, months, days: each can only stand for one of its own."""
_TIME = rf"(?:{'|'.join(kind.pattern for kind in _TIMES)})"
_WHEN = re.compile(rf"{_TIME}(?:\s+{_TIME})*")
_THEN = re.compile(r"\b(?:then|at (?:the|that) time|(?:in )?(?:that|the same) (?:year|month|quarter))(?=\W*$)", re.I)
_WHAT_IS = re.compile(r"(?:what|who) (?:is|are|was|were)\s+(?:(?!of\b|in\b|for\b)[\w'’-]+\s*){1,4}[?!. ]*", re.I)
"""A question for one thing: in its place another can be asked for."""
_ARTICLE = r"(?:the|an?|my|your|our)\s+"
_LONGEST_PART = 5
"""Content words of what is taken for a part of a question."""


def completed(question: str, past: Past, *, led: bool) -> tuple[str, bool] | None:
    """The question before with what this one says in it, and whether it stands in the place of what is of its kind.

    None if this one is whole, or if the question before has no place for it. `led` says that it began with `and`, `but`
    or the like.
    """
    about = _ABOUT.match(question)
    rest = question[about.end() :] if about else question
    again = _ASKS_AGAIN.match(rest)
    part = (rest[again.end() :] if again else rest).strip(" ?!.,;")
    if (
        not _VERBAL.search(past.text)
        or _REFERRING.search(part)
        or _VERBAL.search(part)
        or len(content_terms(part)) > _LONGEST_PART
    ):
        return None
    if not (part[:1].isalnum() and (content_terms(part) or _time_in(part))) or "(" in part:
        return None
    if again and not past.text.lower().startswith(again.group().split()[0].lower()):
        return None
    put = _timed(part, past.whole) if _time_in(part) else _alike(part, past)
    if put is not None:
        return put, True
    if not (about or led or again):
        return None
    attribute = re.match(_ARTICLE, part, re.IGNORECASE) is not None and not _named(part)
    if past.bracket is not None or (attribute and any(m.named for m in past.things)):
        return None
    return f"{past.text.rstrip('?!. ')} {_put_behind(part, past.text)}?", False


def _put_behind(part: str, base: str) -> str:
    """A part as it stands behind a question: in brackets where that has a place for it already, or is none."""
    if asking_words(base) and not _named(part) and not _ADJUNCT.match(part):
        part = f"in {part}"
    adjunct = _ADJUNCT.match(part)
    named = _named(part) and not is_time(part)
    fits = adjunct and not named and not re.search(rf"\b{adjunct.group(1)}\b", base, re.IGNORECASE)
    return part if fits else f"({part})"


def at_the_time(question: str, past: Past) -> str:
    """The question with the year, quarter, month or day that was asked about in the place of a `then` at its end."""
    then = _THEN.search(question)
    said = next((found for turn in reversed(past.turns) if (found := _WHEN.findall(turn["standalone"]))), [])
    if then is None or len(said) != 1 or _time_in(question) or not content_terms(question[: then.start()]):
        return question
    on = "on" if _TIMES[-1].search(said[0]) else "in"
    return f"{question[: then.start()]}{on} {said[0]}{question[then.end() :]}"


def _time_in(part: str) -> bool:
    return any(kind.search(part) for kind in _TIMES)


def _timed(part: str, base: str) -> str | None:
    """Each time of a part in the place of the one of its kind; None unless it is nothing but times, each with one."""
    left = part
    for kind in _TIMES:
        new, old = kind.findall(part), list(kind.finditer(base))
        if not new:
            continue
        if len(new) > 1 or len(old) != 1:
            return None
        base = f"{base[: old[0].start()]}{new[0]}{base[old[0].end() :]}"
        left = kind.sub("", left)
    return None if content_terms(left) else base


def _alike(part: str, past: Past) -> str | None:
    """A part in the place of the only thing that is called so, that stands behind the same preposition or is a name."""
    adjunct = _ADJUNCT.match(part)
    core = part[adjunct.end() :] if adjunct else part
    new = mentions_in(f"about {core}")
    if len(new) != 1 or is_time(core) or content_terms(core) != content_terms(new[0].text):
        return None
    base = past.whole
    pieces = [piece for found in mentions_in(base) if not is_time(found.text) for piece in pieces_of(base, found)]
    before = rf"\b{adjunct.group(1)}\s+(?:{_ARTICLE})?$" if adjunct else ""
    free = adjunct is None or adjunct.group(1).lower() == "for"
    if free:
        called = [
            piece for piece in pieces if piece.head == new[0].head and min(len(piece.stems), len(new[0].stems)) > 1
        ]
        if len(called) == 1:
            return _put(core, base, called[0].start, called[0].end)
    if _is_name(core):
        names = [m for m in _NAME.finditer(base) if m.start() > 0 and not _time_in(m.group())]
        placed = [m for m in names if re.search(before, base[: m.start()], re.IGNORECASE)] or (names if free else [])
        alike = [m for m in placed if not new[0].stems.isdisjoint(content_terms(m.group()))] or placed
        whole = {piece.end for piece in pieces} | {m.start() for m in re.finditer(r"['’]s?\s", base)}
        if len(alike) == 1 and alike[0].end() in whole:
            return _put(core, base, *alike[0].span())
    elif not new[0].named:
        nouns = [piece for piece in pieces if re.search(before, base[: piece.start], re.IGNORECASE)]
        fits = len(nouns) == 1 and (len(nouns[0].stems) == 1 if adjunct else _WHAT_IS.fullmatch(base) is not None)
        if fits and not nouns[0].named:
            return _put(core, base, nouns[0].start, nouns[0].end)
    return None


_NAME = re.compile(r"(?<!\w)[A-Z][\w-]*(?:\s+[A-Z0-9][\w-]*)*")


def _is_name(core: str) -> bool:
    return _NAME.fullmatch(re.sub(rf"^{_ARTICLE}", "", core, flags=re.IGNORECASE)) is not None


def _named(part: str) -> bool:
    return any(mention.named for mention in mentions_in(f"about {part}"))


def _put(core: str, base: str, start: int, end: int) -> str:
    article = re.search(rf"\b{_ARTICLE}$", base[:start], re.IGNORECASE)
    own = re.match(_ARTICLE, core, re.IGNORECASE)
    bare = own is not None or _NAME.fullmatch(core) is not None
    return f"{base[: article.start() if article and bare else start]}{core}{base[end:]}"
