"""What becomes of links, images and tags in an answer: each decision is about a stretch at the start of a text."""

import re
from typing import NamedTuple

from callbacks.links import Links, looks_like_address
from callbacks.placeholders import IMAGE_REMOVED, LINK_REMOVED, MARKUP_REMOVED

_TITLED = re.compile(r"(\S+)\s+(?:\"[^\"]*\"|'[^']*'|\([^)]*\))", re.DOTALL)
_TAG = re.compile(r"<(!--.*?--|(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL)
_TAG_NAME = re.compile(r"[/!?]?([A-Za-z][\w:-]*)")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_AUTOLINK = re.compile(r"[A-Za-z][\w+.-]*:\S*|[^\s@/]+@[^\s@/]+")
_ACTIVE = frozenset(
    "a applet area audio base body button embed form frame frameset head html iframe image img input link material "
    "math meta noscript object picture portal script select source style svg template textarea title track video "
    "xml".split()
)


_ACTIVE_ATTRIBUTE = re.compile(
    r"(?:^|[\s/\"'])(?:on\w+|[\w:-]*(?:src|href|style|action|data|poster|background|url))\s*=", re.I
)
"""What makes any tag load or do something, whatever it is called."""

_LONGEST_ASIDE = 200
"""Words in brackets that go on for longer hide something at their end."""


class Found(NamedTuple):
    """How much of a text a decision is about, and what is said of it."""

    length: int
    said: str
    counted: str | None = None
    """As what it is counted, if something was taken out."""
    until: re.Pattern[str] | None = None
    """What follows up to here goes with it."""
    again: str = ""
    """Put before what follows, and looked at as if the model had written it there."""


def destination(text: str, links: Links, *, whole: bool) -> Found | None:
    """What follows the text of a link: `text` begins with `(`. None if it takes more of it, unless that is all."""
    end = _closing(text, 0)
    if end is None and not whole:
        return None
    inner = (text[1 : end - 1] if end else text[1:]).strip()
    titled = _TITLED.fullmatch(inner)
    url = (titled.group(1) if titled else inner).removeprefix("<").removesuffix(">")
    if end and links.permitted(url):
        return Found(end, f"({url})")
    if not looks_like_address(inner) and (end or len(text) < _LONGEST_ASIDE):
        return Found(1, "(")
    return Found(end or len(text), LINK_REMOVED, "link", None if end else re.compile(r"[)\n]"))


def image_end(text: str, *, whole: bool) -> Found | None:
    """What follows the description of an image: `text` begins with its `]`."""
    if len(text) < 2 and not whole:
        return None
    if text[1:2] not in ("(", "["):
        return Found(1, f" {IMAGE_REMOVED}", "image")
    end = _closing(text, 1)
    if end is None and not whole:
        return None
    until = re.compile(r"[)\n]" if text[1] == "(" else r"[\]\n]")
    return Found(end or len(text), f" {IMAGE_REMOVED}", "image", None if end else until)


def tag(text: str, links: Links, *, whole: bool) -> Found | None:
    """What begins with `<`: plain formatting stays, and so does what is no tag at all."""
    found = _TAG.match(text)
    if found is None and not whole:
        return None
    inner = found.group(1) if found else text[1:]
    if found and _AUTOLINK.fullmatch(inner):
        permitted = links.permitted(inner)
        return Found(found.end(), found.group()) if permitted else Found(found.end(), LINK_REMOVED, "link")
    name = _TAG_NAME.match(inner)
    known = name is not None and name.group(1).lower() in _ACTIVE
    if not (known or _ACTIVE_ATTRIBUTE.search(inner) or inner.startswith(("!", "?"))):
        return Found(1, "<")
    if found is None:
        return Found(len(text), MARKUP_REMOVED, "markup", re.compile(">"))
    if inner.startswith("/"):
        return Found(found.end(), "", "markup")
    if inner.lower().startswith(("img", "image")):
        alt = _ALT.search(inner)
        return Found(found.end(), IMAGE_REMOVED, "image", again=f" {alt.group(1) or alt.group(2)}" if alt else "")
    return Found(found.end(), MARKUP_REMOVED, "markup")


def _closing(text: str, at: int) -> int | None:
    """Where the bracket that opens at `at` is closed, the position after it."""
    opening, depth = text[at], 0
    closing = ")" if opening == "(" else "]"
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place + 1
    return None
