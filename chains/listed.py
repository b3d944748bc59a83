"""Lists of things wanted: `What are the price and the weight of X?` is two wishes, both of X."""

import re

from chains.parts import LONGEST
from chains.topics import masked
from language.words import content_terms

_WANTED = re.compile(
    r"(?P<lead>(?:please\s)?(?:what|which)\s(?:are|were|is|was)\s"
    r"|(?:please\s|can you\s|could you\s)?(?:list|name|give(?: me)?|show(?: me)?|tell me(?: about)?|describe|explain"
    r"|summari[sz]e|outline|find(?: me)?)\s"
    r"|i (?:want|need) (?:to know )?)(?P<items>[^?;:]{3,250}?)(?P<end>[?.!]*)$",
    re.IGNORECASE,
)
_JOINT = re.compile(r"\s*,\s*(?:and\s+|as well as\s+|plus\s+)?|\s+(?:and|as well as|plus)\s+", re.IGNORECASE)
_OF = re.compile(r"\s(?:of|for|in|at|on|from|during|since|with|per|under|between|about)\s", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|its|their|our|my|his|her|an?)\s", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:who(?:m|se)?|which|where|when|what|how|why|that)\b", re.IGNORECASE)
_COMPARES = re.compile(r"\b(?:differences?|distinction|comparison|in common)\b", re.IGNORECASE)
_PLURAL = re.compile(r"\b(?:are|were)\b", re.IGNORECASE)
_LONGEST_ITEM = 6
"""Words."""


def listed(wish: str) -> list[str]:
    """The wishes of a list, each with what stands behind the last one (`of X`); else the wish alone."""
    wanted = len(wish) <= LONGEST and not _COMPARES.search(wish)
    match = _WANTED.match(masked(wish)) if wanted else None
    if match is None:
        return [wish]
    items = _items(wish, *match.span("items"))
    behind = _OF.search(masked(items[-1]))
    heads = [*items[:-1], items[-1][: behind.start()] if behind else items[-1]]
    listing = all(map(_ARTICLE.match, heads)) or len(items) > 2 or _PLURAL.search(match["lead"])
    if len(items) < 2 or not listing or not all(map(_is_thing, heads)):
        return [wish]
    if " of " in masked(heads[0]) and not all(" of " in masked(item) for item in items):
        return [wish]  # `the opening hours of the bakery and the kiosk`: of both, or the kiosk itself
    tail = items[-1][behind.start() :] if behind else ""
    article = _ARTICLE.match(items[0])
    things = [item if _OF.search(masked(item)) else f"{item}{tail}" for item in items]
    if article:
        things = [thing if _ARTICLE.match(thing) else f"{article.group()}{thing}" for thing in things]
    return [f"{_agreeing(match['lead'], head)}{thing}{match['end']}" for thing, head in zip(things, heads, strict=True)]


def _items(wish: str, start: int, end: int) -> list[str]:
    items = []
    for joint in _JOINT.finditer(masked(wish), start, end):
        items.append(wish[start : joint.start()])
        start = joint.end()
    return [item for item in [*items, wish[start:end]] if item]


def _is_thing(head: str) -> bool:
    """Whether it names something that can be asked for: a few small words, neither a name nor a clause."""
    words = head.split()
    telling = len(words) <= _LONGEST_ITEM and bool(content_terms(head)) and not _CLAUSE.search(head)
    return telling and words[-1][0].islower()


def _agreeing(lead: str, head: str) -> str:
    """`What are` before one thing becomes `What is`."""
    if head.endswith("s"):
        return lead
    return re.sub(r"\bare\b", "is", re.sub(r"\bwere\b", "was", lead))
