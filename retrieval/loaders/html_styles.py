"""What a page's own style sheets and style attributes say of a node, as far as it decides whether it is seen."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

Declared = dict[str, str]
"""Property -> value, both in lower case."""

_TELLING = frozenset(
    "display visibility opacity font font-size color background background-color background-image position left "
    "right top bottom margin-left margin-top text-indent clip clip-path width height max-width max-height overflow "
    "filter transform animation animation-name transition transition-property -webkit-animation "
    "-webkit-background-clip background-clip".split()
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_BRACE = re.compile(r"[{}]")
_SHOWN_MEDIA = re.compile(r"@media\s+(?:only\s+)?(?:screen|all)\s*", re.IGNORECASE)
_PLAIN_SELECTOR = re.compile(r"[\w\s.#>*\"'=\[\]-]{1,100}")
_LONGEST_SHEET = 500_000
_MOST_SELECTORS = 3_000
"""Each is looked for in the whole page; a page with more of them has the first ones applied."""
_NAMED = re.compile(r"[.#]([\w-]+)")


class Styles:
    """The declarations of each node: of the rules that select it, in their order, then its own.

    What outranks what is decided by order alone, not by specificity. Rules for print and for states such as `:hover`
    do not say how a page looks when it is read.
    """

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._of_rules: dict[int, Declared] = {}
        self.external = tree.css_first("link[rel~=stylesheet]") is not None
        """Whether another file says something, too."""
        self.none = not tree.css_first("style, [style], [bgcolor], [background], font")
        sheets = "\n".join(node.text() for node in tree.css("style"))[:_LONGEST_SHEET]
        names = _names(tree) if sheets else frozenset()
        rules = (rule for rule in _rules(_COMMENT.sub(" ", sheets)) if names.issuperset(_NAMED.findall(rule[0])))
        selected = lru_cache(maxsize=None)(lambda selector: _selected(tree, selector))
        for selector, declared in islice(rules, _MOST_SELECTORS):
            for node in selected(selector):
                self._of_rules.setdefault(node, {}).update(declared)

    def of(self, node: LexborNode) -> Declared:
        """What is said of a node; what does not decide whether it is seen is left out."""
        own = node.attributes.get("style")
        ruled = self._of_rules.get(node.mem_id, {})
        return {**ruled, **declarations(own)} if own else ruled


def declarations(text: str) -> Declared:
    """The telling declarations of a block or an attribute; the last of each counts."""
    found: Declared = {}
    for declaration in text.split(";"):
        name, colon, value = declaration.partition(":")
        if colon and (name := name.strip().lower()) in _TELLING:
            found[name] = " ".join(value.lower().replace("!important", " ").split())
    return found


def _rules(sheet: str) -> Iterator[tuple[str, Declared]]:
    """Selectors, one at a time, with what they declare; of nested blocks only those of media that are looked at."""
    depth, shown_to, selector, start = 0, 0, "", 0
    for brace in _BRACE.finditer(sheet):
        before, start = sheet[start : brace.start()].strip(), brace.end()
        if brace[0] == "{":
            if depth == shown_to and _SHOWN_MEDIA.fullmatch(before.rpartition(";")[2].strip()):
                shown_to += 1
            selector = before.rpartition(";")[2] if depth == shown_to else ""
            depth += 1
            continue
        if depth == shown_to + 1 and selector and (declared := declarations(before)):
            selected = (one.strip() for one in selector.split(","))
            yield from ((one, declared) for one in selected if _PLAIN_SELECTOR.fullmatch(one))
        depth = max(0, depth - 1)
        shown_to, selector = min(shown_to, depth), ""


def _names(tree: LexborHTMLParser) -> frozenset[str]:
    """Every class and id of the page."""
    written = (node.attributes.get(key) or "" for key in ("class", "id") for node in tree.css(f"[{key}]"))
    return frozenset(name for names in written for name in names.split())


def _selected(tree: LexborHTMLParser, selector: str) -> list[int]:
    try:
        return [node.mem_id for node in tree.css(selector)]
    except (SelectolaxError, ValueError):  # not a selector after all
        return []
