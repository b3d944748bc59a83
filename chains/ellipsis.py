"""Questions that are only a part of one: `And in 2023?`, `What about the Pro plan?`."""

import re
from collections.abc import Callable, Sequence

from chains.mentions import Mention, is_time, mentions_in
from chains.past import Past
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
    re.compile(rf"\b{_DAY}\b", re.IGNORECASE),
)
"""Years, quarters, months, days: each can only stand for one of its own."""
_WHAT_IS = re.compile(r"(?:what|who) (?:is|are|was|were)\s+(?:(?!of\b|in\b|for\b)[\w'’-]+\s*){1,4}[?!. ]*", re.I)
"""A question for one thing: in its place another can be asked for."""
_ARTICLE = r"(?:the|an?|my|your|our)\s+"
_JOINT = re.compile(rf"\s+(?:of|in|at|for|on|from)\s+(?:{_ARTICLE})?", re.IGNORECASE)
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
    put = _timed(part, past.text) if _time_in(part) else _alike(part, past)
    if put is not None:
        return put, True
    if not (about or led or again):
        return None
    attribute = re.match(_ARTICLE, part, re.IGNORECASE) is not None and not _named(part)
    if past.bracket is not None or (attribute and any(m.named for m in past.things)):
        return None
    return f"{past.text.rstrip('?!. ')} ({part})?", False


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
    base = past.text if past.bracket is None else f"{past.text.rstrip('?!. ')} ({past.bracket})?"
    found = [mention for mention in mentions_in(base) if not is_time(mention.text)]
    if adjunct is None or adjunct.group(1).lower() == "for":
        pieces = [piece for mention in found for piece in _pieces(base, mention)]
        same = _only(pieces, lambda m: m.head == new[0].head and len(m.stems) > 1 and len(new[0].stems) > 1)
        if same is not None:
            return _put(core, base, same.start, same.end)
    if past.bracket is not None:
        return None
    if adjunct is None and len(found) == 1 and found[0].named == new[0].named and _WHAT_IS.fullmatch(base):
        return _put(core, base, found[0].start, found[0].end)
    names = [match for match in _NAME.finditer(base) if match.start() > 0 and not _time_in(match.group())]
    pure = _NAME.fullmatch(core) is not None
    before = rf"\b{adjunct.group(1)}\s+" if adjunct else ""
    if pure and (len(names) == 1 or adjunct):
        placed = [m for m in names if not before or re.search(before + "$", base[: m.start()], re.IGNORECASE)]
        ends = {mention.end for mention in found}
        whole = [m for m in placed if m.end() in ends or re.match(r"['’]s?\s", base[m.end() :])]
        if len(placed) == len(whole) == 1:
            return _put(core, base, whole[0].start(), whole[0].end())
    elif adjunct and not new[0].named:
        behind = [m for m in found if re.search(rf"{before}(?:{_ARTICLE})?$", base[: m.start], re.IGNORECASE)]
        if len(behind) == 1 and not behind[0].named and len(behind[0].stems) == 1:
            return _put(core, base, behind[0].start, behind[0].end)
    return None


_NAME = re.compile(r"(?<!\w)[A-Z][\w-]*(?:\s+[A-Z0-9][\w-]*)*")


def _pieces(base: str, mention: Mention) -> list[Mention]:
    """The noun phrases that one is joined of: of `data of the Free plan`, both."""
    pieces, at = list[Mention](), mention.start
    for joint in [*_JOINT.finditer(base, mention.start, mention.end), None]:
        end = mention.end if joint is None else joint.start()
        found = mentions_in(f"the {base[at:end]}")
        pieces += [m._replace(start=at + m.start - 4, end=at + m.end - 4) for m in found]
        at = mention.end if joint is None else joint.end()
    return pieces


def _only(found: Sequence[Mention], fits: Callable[[Mention], bool]) -> Mention | None:
    fitting = [mention for mention in found if fits(mention)]
    return fitting[0] if len(fitting) == 1 else None


def _named(part: str) -> bool:
    return any(mention.named for mention in mentions_in(f"about {part}"))


def _put(core: str, base: str, start: int, end: int) -> str:
    article = re.search(rf"\b{_ARTICLE}$", base[:start], re.IGNORECASE)
    own = re.match(_ARTICLE, core, re.IGNORECASE)
    bare = own is not None or _NAME.fullmatch(core) is not None
    return f"{base[: article.start() if article and bare else start]}{core}{base[end:]}"
