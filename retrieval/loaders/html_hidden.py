"""What a page keeps from its readers: elements that are not shown, and text that nobody can make out.

`aria-hidden` is not among it: it keeps an element from screen readers, while everybody else sees it.
"""

import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from retrieval.loaders.colors import WHITE, Color, color_in, see_through, told_apart
from retrieval.loaders.html_styles import Declared, Styles, declarations

_SMALLEST = 2.0
"""Pixels: what is smaller is not meant to be read."""
_USUAL = 16.0
_FAINTEST = 0.05
"""Of the opacity."""
_FAR = -900.0
"""Pixels to the left or above: off every screen."""
_INDENTED_AWAY = -200.0
_LENGTH = re.compile(r"(-?(?:\d{1,7}\.?\d{0,7}|\.\d{1,7}))\s*(px|pt|em|rem|%|ex|ch|vw|vh|cm|mm|in)?(?![\w.])")
_PIXELS = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "vw": 10.0, "vh": 10.0, "%": 10.0}
_FILTERED = re.compile(r"opacity\(\s*([^)\s]+)\s*\)")
_CLIPPED = re.compile(
    r"rect\(\s*(?:[01](?:px)?[\s,]+){3}[01](?:px)?\s*\)|inset\(\s*(?:[5-9]\d|100)(?:\.\d+)?%|circle\(\s*0|polygon\(\s*0"
    r"(?:px|%)?\s+0(?:px|%)?(?:\s*,\s*0(?:px|%)?\s+0(?:px|%)?)+\s*\)"
)
_MOVED_AWAY = re.compile(r"translate(?:x|y|3d)?\(\s*(?:0(?:px)?\s*,\s*)?-\d{4,}|scale(?:x|y|3d)?\(\s*0(?:\.0+)?\s*[,)]")
_LEFT = ("left", "right", "top", "margin-left", "margin-top")


class Look(NamedTuple):
    """What text inherits: its size in pixels, its colour, and what it stands on; None where that is not known."""

    size: float = _USUAL
    color: Color | None = None
    ground: Color | None = WHITE
    see_through: bool = False

    @property
    def readable(self) -> bool:
        """Whether somebody could read it."""
        told = self.color is None or self.ground is None or told_apart(self.color, self.ground)
        return self.size >= _SMALLEST and told and not self.see_through


class Hidden:
    """Says which elements of a page are hidden with all that is in them, and which texts cannot be read."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._styles = Styles(tree)
        # What another file says of the page is not known, so that no text is white on white for certain.
        self._page = Look(ground=None if self._styles.external else WHITE)
        self._looks: dict[int, Look] = {}
        self._hidden: dict[int, bool] = {}

    def element(self, node: LexborNode) -> bool:
        """Whether nothing in an element is shown."""
        known = self._hidden.get(node.mem_id)
        if known is None:
            known = self._hidden[node.mem_id] = "hidden" in node.attributes or hides(self._styles.of(node))
        return known

    def text_in(self, node: LexborNode | None) -> bool:
        """Whether text that stands in an element cannot be read. Its parents are to be asked about before it."""
        return not (self._styles.none or self._look(node).readable)

    def _look(self, node: LexborNode | None) -> Look:
        waiting: list[LexborNode] = []
        while node is not None and node.mem_id not in self._looks and (node.tag or "-")[0] != "-":
            waiting.append(node)
            node = node.parent
        look = self._looks.get(node.mem_id, self._page) if node is not None else self._page
        for each in reversed(waiting):
            look = self._looks[each.mem_id] = _look_of(each, self._styles.of(each), look)
        return look


def hides(declared: Declared) -> bool:
    """Whether declarations take an element off the screen, with everything in it."""
    if not declared:
        return False
    moves = any(name in declared for name in ("animation", "animation-name", "-webkit-animation", "transition"))
    if declared.get("display") == "none" or declared.get("visibility") in ("hidden", "collapse"):
        return True
    filtered = _FILTERED.search(declared.get("filter", ""))
    faint = _is_faint(declared.get("opacity")) or (filtered is not None and _is_faint(filtered[1]))
    if faint and not moves:  # else it is on its way to be shown
        return True
    clipped = _CLIPPED.search(declared.get("clip", "") + " " + declared.get("clip-path", "")) is not None
    return clipped or _is_away(declared) or (_is_shut(declared) and not moves)


def hidden_tag(attributes: dict[str, str | None]) -> bool:
    """Whether the attributes of a tag hide what follows, as far as they can tell alone."""
    declared = declarations(attributes.get("style") or "")
    return "hidden" in attributes or hides(declared) or not _styled(declared, Look()).readable


def _is_faint(opacity: str | None) -> bool:
    found = _LENGTH.match(opacity) if opacity else None
    return found is not None and float(found[1]) / (100 if found[2] == "%" else 1) < _FAINTEST


def _is_away(declared: Declared) -> bool:
    placed = declared.get("position") in ("absolute", "fixed", "relative")
    sides = _LEFT if placed else ("margin-left", "margin-top")
    far = any((_pixels(declared.get(side)) or 0.0) <= _FAR for side in sides)
    indented = (_pixels(declared.get("text-indent")) or 0.0) <= _INDENTED_AWAY
    return far or indented or _MOVED_AWAY.search(declared.get("transform", "")) is not None


def _is_shut(declared: Declared) -> bool:
    """Whether the element is a box without room that shows nothing outside itself."""
    sides = [_pixels(declared.get(side)) for side in ("width", "height", "max-width", "max-height")]
    shut = any(side is not None and side <= 1.0 for side in sides)
    return shut and declared.get("overflow", "").startswith(("hidden", "clip"))


def _look_of(node: LexborNode, declared: Declared, above: Look) -> Look:
    attributes = node.attributes
    if "bgcolor" in attributes or "background" in attributes:
        above = above._replace(ground=color_in((attributes.get("bgcolor") or "").lower()))
    if node.tag == "font" and (color := (attributes.get("color") or "").lower()):
        above = above._replace(color=color_in(color))
    return _styled(declared, above) if declared else above


def _styled(declared: Declared, above: Look) -> Look:
    ground, color, seen_through = above.ground, above.color, above.see_through
    for name in ("background", "background-color", "background-image"):
        value = declared.get(name, "")
        if value and value not in ("none", "inherit", "initial", "unset") and not see_through(value):
            ground = None if "url(" in value or "gradient" in value else color_in(value)
    if written := declared.get("color"):
        color = above.color if written == "inherit" else color_in(written)
        seen_through = see_through(written) and not any(name.endswith("background-clip") for name in declared)
    return Look(_size(declared, above.size), color, ground, seen_through)


def _size(declared: Declared, above: float) -> float:
    value = declared.get("font-size") or declared.get("font", "").partition("/")[0]
    found = _LENGTH.search(value)
    if found is None or any(name in value for name in ("calc", "var(", "clamp", "min(", "max(")):
        return above
    unit = found[2] or ("px" if float(found[1]) == 0 else "")
    relative = {"em": above, "%": above / 100, "ex": above / 2, "ch": above / 2}
    return float(found[1]) * relative.get(unit, _PIXELS.get(unit, 1.0)) if unit else above


def _pixels(value: str | None) -> float | None:
    found = _LENGTH.match(value) if value else None
    return None if found is None else float(found[1]) * _PIXELS.get(found[2] or "px", 1.0)
