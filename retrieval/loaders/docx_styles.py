"""What a Word paragraph is, by its own properties and by its style's."""

import re

from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

_HEADING = re.compile(r"heading ([1-9])", re.I)
_LONGEST_CHAIN = 20
_BODY_LEVEL = 9
"""The outline level, counted from 0, of text that is no heading."""


def w(name: str) -> str:
    """The qualified name of an element or attribute of WordprocessingML."""
    return qn(f"w:{name}")


class Styles:
    """The styles of a document, each looked up once: python-docx searches them all for every paragraph."""

    def __init__(self, styles: BaseOxmlElement) -> None:
        self._styles = {style.get(w("styleId")): style for style in styles.iterchildren(w("style"))}
        self._default = next(
            (id_ for id_, s in self._styles.items() if s.get(w("type")) == "paragraph" and s.get(w("default"))), None
        )
        self._levels: dict[str | None, int | None] = {}

    def heading_level(self, paragraph: BaseOxmlElement) -> int | None:
        """1 to 9 for a heading, 0 for the document's title, None for text."""
        own = _value(paragraph, "pPr/outlineLvl")
        if own is not None and own.isdecimal():
            return int(own) + 1 if int(own) < _BODY_LEVEL else None
        style = self.of(paragraph)
        if style not in self._levels:
            self._levels[style] = self._level(style)
        return self._levels[style]

    def is_title(self, paragraph: BaseOxmlElement) -> bool:
        """Whether the paragraph's style is the built-in one for a document's title."""
        return any(self._name(style) == "title" for style in self._chain(self.of(paragraph)))

    def is_list_item(self, paragraph: BaseOxmlElement) -> bool:
        """Whether the paragraph carries a bullet or a number."""
        number = _value(paragraph, "pPr/numPr/numId")
        if number is not None:
            return number != "0"
        return any(self._name(style).startswith("list") for style in self._chain(self.of(paragraph)))

    def of(self, paragraph: BaseOxmlElement) -> str | None:
        """The id of a paragraph's style, if it has one."""
        return _value(paragraph, "pPr/pStyle") or self._default

    def chain(self, style: str | None) -> list[BaseOxmlElement]:
        """A style and those it is based on, nearest first."""
        return [self._styles[id_] for id_ in self._chain(style)]

    def _level(self, style: str | None) -> int | None:
        for id_ in self._chain(style):
            name = self._name(id_)
            if name == "title":
                return 0
            if found := _HEADING.fullmatch(name):
                return int(found.group(1))
            outline = _value(self._styles[id_], "pPr/outlineLvl")
            if outline is not None and outline.isdecimal():
                return int(outline) + 1 if int(outline) < _BODY_LEVEL else None
        return None

    def _chain(self, style: str | None) -> list[str]:
        """A style and those it is based on, nearest first; a circle is cut."""
        chain: list[str] = []
        while style in self._styles and style not in chain and len(chain) < _LONGEST_CHAIN:
            assert style is not None
            chain.append(style)
            style = _value(self._styles[style], "basedOn")
        return chain

    def _name(self, style: str) -> str:
        return (_value(self._styles[style], "name") or "").lower()


def _value(element: BaseOxmlElement, path: str) -> str | None:
    found = element.find("/".join(w(name) for name in path.split("/")))
    return None if found is None else found.get(w("val"))
