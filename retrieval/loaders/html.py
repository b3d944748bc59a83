"""Web pages."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from retrieval.loaders.blocks import MAX_DEPTH, Loaded, LoadError, one_line
from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.encodings import decode
from retrieval.loaders.html_hidden import Hidden
from retrieval.loaders.html_page import Page

_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,200}?\b(?:charset|encoding)\s*=\s*["']?\s*([a-zA-Z0-9_.:-]{2,40})""", re.I
)
_DECLARED_WITHIN = 4096
_LATIN_1 = {"iso-8859-1", "latin1", "latin-1", "l1", "us-ascii", "ascii"}
_ON_THE_WEB = re.compile(r"utf-?8|windows-|cp\d|iso-|koi8|mac|gb|big5|euc-|shift-|sjis|x-sjis|ks-c|tis-")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,30})(?:[^<>]*?(/?)>)?")
_NEVER_DEEP = set(
    "area base br col embed hr img input link meta param source track wbr "
    "p li dd dt tr td th tbody thead tfoot option optgroup colgroup rp rt body html head".split()
)
_MAX_OPEN_TAGS = 5 * MAX_DEPTH
"""The parser takes time quadratic in the depth (13 s for 100,000), so that the tags are counted before it runs."""


def load_html(data: bytes) -> Loaded:
    """What a reader of the page sees, without navigation: headings, paragraphs, lists, code, tables as rows.

    What the page hides from its readers is left out; see `html_hidden`.

    Raises `LoadError`: `too_complex` for elements more than `MAX_DEPTH` levels inside each other.
    """
    source = decode(data, _declared(data))
    _check_tags(source)
    tree = LexborHTMLParser(source)
    page = Page(TextBuilder("text/html", title=_title(tree)), Hidden(tree))
    _walk(tree.body, page)
    return page.loaded()


def _declared(data: bytes) -> str | None:
    """The encoding that the page says it is in, as browsers read it: what is called Latin-1 is Windows-1252.

    UTF-16 and Python's own codecs are not believed (https://encoding.spec.whatwg.org/#names-and-labels).
    """
    found = _DECLARED.search(data, 0, _DECLARED_WITHIN)
    name = found.group(1).decode("ascii").lower().replace("_", "-") if found else ""
    if name in _LATIN_1:
        return "cp1252"
    return name if _ON_THE_WEB.match(name) else None


def _walk(body: LexborNode | None, page: Page) -> None:
    """Visit every node below `body` in the order of the document, without recursion."""
    depth, node = 0, body
    while node is not None:
        child = node.first_child if page.enter(node) else None
        if child is not None:
            node, depth = child, depth + 1
            if depth > MAX_DEPTH:
                raise _too_deep()
            continue
        while node is not None:
            page.leave(node)
            if depth == 0:
                return
            if (following := node.next) is not None:
                node = following
                break
            node, depth = node.parent, depth - 1


def _title(tree: LexborHTMLParser) -> str | None:
    """The page's title, or as much of it as its only main heading says: sites add their own name."""
    node = tree.css_first("head > title")
    title = one_line(node.text()) or None if node is not None else None
    headings = tree.css("h1")
    heading = one_line(headings[0].text()) if len(headings) == 1 else ""
    return heading if title and heading and heading in title else title


def _check_tags(source: str) -> None:
    depth = 0
    for match in _TAG.finditer(source):
        closing, name, self_closing = match.groups()
        if self_closing or name.lower() in _NEVER_DEEP:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > _MAX_OPEN_TAGS:
            raise _too_deep()


def _too_deep() -> LoadError:
    return LoadError("too_complex", f"The page has elements nested more than {MAX_DEPTH:,} levels deep.")
