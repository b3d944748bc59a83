"""HTML inside Markdown that keeps text from its readers: comments, and elements that are not shown."""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from language.sentences import Span
from retrieval.loaders.html_hidden import hidden_tag
from retrieval.loaders.text import trim

_TAG = re.compile(
    r"<(?P<closes>/?)(?P<name>[a-zA-Z][\w-]{0,40})(?P<rest>(?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}'){0,2000})>"
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<![A-Z].*?(?:>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"([a-zA-Z][\w:-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_NEVER_SHOWN = frozenset("script style template noscript title head".split())
_EMPTY = frozenset("area base br col embed hr img input link meta param source track wbr".split())


@dataclass(frozen=True, slots=True)
class Open:
    """A hidden element that was not closed so far, and how many of its name are open inside each other."""

    name: str
    depth: int = 1


def after(markup: str, hidden: Open | None) -> Open | None:
    """The hidden element that is open at the end of a piece of HTML, given the one at its beginning."""
    for tag in _TAG.finditer(_COMMENT.sub("", markup)):
        hidden = _after_tag(tag, hidden)
    return hidden


def shown_spans(text: str, span: Span, inline: Iterable[Token]) -> list[Span]:
    """The parts of a block that are shown, stripped; `inline` are the tokens of what is written in it."""
    start, end = span
    parts: list[Span] = []
    for hidden_from, hidden_to in _hidden_spans(text, span, inline):
        parts.append(trim(text, start, hidden_from))
        start = hidden_to
    return [(begin, stop) for begin, stop in [*parts, trim(text, start, end)] if begin < stop]


def shown_content(children: Iterable[Token]) -> str:
    """The plain text of inline tokens, without what is hidden among them."""
    hidden: Open | None = None
    said: list[str] = []
    for child in children:
        if child.type == "html_inline":
            hidden = after(child.content, hidden)
        elif hidden is None:
            said.append(child.content)
    return "".join(said)


def _hidden_spans(text: str, span: Span, inline: Iterable[Token]) -> Iterator[Span]:
    """Where comments and hidden elements stand: tokens do not say where they are, but they come in order."""
    cursor, end = span
    hidden: Open | None = None
    began = cursor
    for child in (child for token in inline for child in token.children or ()):
        found = _written(child.content, text, cursor, end) if child.content else None
        if found is None:
            continue
        cursor = found[1]
        if child.type == "html_inline":
            before, hidden = hidden, after(child.content, hidden)
            began = found[0] if before is None else began
            if hidden is None and (before is not None or _COMMENT.match(child.content)):
                yield began, cursor
    if hidden is not None:
        yield began, end


def _written(content: str, text: str, start: int, end: int) -> Span | None:
    """Where the content of a token stands; on further lines behind the marks of a quotation or a list."""
    if "\n" not in content:
        at = text.find(content, start, end)
        return (at, at + len(content)) if at >= 0 else None
    pattern = r"\r?\n[ \t>]*".join(re.escape(line.strip(" \t")) for line in content.split("\n"))
    found = re.compile(pattern).search(text, start, end)
    return found.span() if found else None


def _after_tag(tag: re.Match[str], hidden: Open | None) -> Open | None:
    name = tag["name"].lower()
    if hidden is not None:
        if name != hidden.name:
            return hidden
        depth = hidden.depth + (-1 if tag["closes"] else 1)
        return Open(name, depth) if depth else None
    if tag["closes"] or name in _EMPTY or tag["rest"].endswith("/"):
        return None
    attributes: dict[str, str | None] = {
        found[1].lower(): html.unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(tag["rest"])
    }
    return Open(name) if name in _NEVER_SHOWN or hidden_tag(attributes) else None
