"""What a Word document keeps from its readers: hidden text, tiny letters, letters as pale as what they stand on."""

from docx.oxml.xmlchemy import BaseOxmlElement

from retrieval.loaders.colors import WHITE, Color, color_in, told_apart
from retrieval.loaders.docx_styles import Styles, w

_SMALLEST = 4
"""Half points: what is smaller is not meant to be read."""
_PAPER_COLORS = ("background1", "light1")
"""Of a theme: the colour of the paper."""
_OFF = ("0", "false", "off", "none")
_TOLD = ("vanish", "color", "sz", "shd", "highlight")

Look = dict[str, BaseOxmlElement]
"""Properties of text by name, as they were found nearest to it."""


class Hidden:
    """Says which runs of a document are not seen: by their own properties, and by those of their styles."""

    def __init__(self, styles: Styles, background: BaseOxmlElement | None) -> None:
        """`background` is the document's own, if it has one: then nothing stands on plain paper."""
        self._styles = styles
        self._on_paper = background is None
        self._of_styles: dict[str | None, Look] = {}

    def run(self, run: BaseOxmlElement) -> bool:
        """Whether what a run says is not seen."""
        own = run.find(w("rPr"))
        named = own.find(w("rStyle")) if own is not None else None
        paragraph = next(run.iterancestors(w("p")), None)
        style = self._styles.of(paragraph) if paragraph is not None else None
        look = {**self._of_style(style), **self._of_style(None if named is None else named.get(w("val"))), **_look(own)}
        if not look:
            return False
        return _is_on(look.get("vanish")) or _is_tiny(look.get("sz")) or self._is_pale(look, run, paragraph)

    def _of_style(self, style: str | None) -> Look:
        if style not in self._of_styles:
            looks = [_look(element.find(w("rPr"))) for element in self._styles.chain(style)]
            self._of_styles[style] = {name: found for look in reversed(looks) for name, found in look.items()}
        return self._of_styles[style]

    def _is_pale(self, look: Look, run: BaseOxmlElement, paragraph: BaseOxmlElement | None) -> bool:
        named = look.get("color")
        themed = named is not None and named.get(w("themeColor")) in _PAPER_COLORS
        color = WHITE if themed else _color(named, "val")
        if color is None:
            return False
        ground = self._ground(look, run, paragraph)
        return ground is not None and not told_apart(color, ground)

    def _ground(self, look: Look, run: BaseOxmlElement, paragraph: BaseOxmlElement | None) -> Color | None:
        """What the text stands on, or None where that cannot be told: under a style of a table, in a shape."""
        shades = [look.get("shd")]
        if paragraph is not None:
            styled = self._styles.chain(self._styles.of(paragraph))
            shades += [element.find(f"{w('pPr')}/{w('shd')}") for element in (paragraph, *styled)]
        shades += [cell.find(f"{w('tcPr')}/{w('shd')}") for cell in run.iterancestors(w("tc"))]
        for shade in shades:
            if shade is not None and (shade.get(w("fill"), "auto") != "auto" or shade.get(w("themeFill"))):
                return None if shade.get(w("themeFill")) else _color(shade, "fill")
        tables = [table.find(w("tblPr")) for table in run.iterancestors(w("tbl"))]
        styled_tables = any(
            table is not None and (table.find(w("tblStyle")) is not None or table.find(w("shd")) is not None)
            for table in tables
        )
        boxed = next(run.iterancestors(w("txbxContent")), None) is not None
        marked = look.get("highlight")
        known = self._on_paper and not styled_tables and not boxed and (marked is None or not _is_on(marked))
        return WHITE if known else None


def _look(properties: BaseOxmlElement | None) -> Look:
    if properties is None:
        return {}
    found = ((name, properties.find(w(name))) for name in _TOLD)
    return {name: element for name, element in found if element is not None}


def _is_on(toggle: BaseOxmlElement | None) -> bool:
    return toggle is not None and toggle.get(w("val"), "true") not in _OFF


def _is_tiny(size: BaseOxmlElement | None) -> bool:
    value = size.get(w("val"), "") if size is not None else ""
    return value.isdecimal() and int(value) < _SMALLEST


def _color(element: BaseOxmlElement | None, name: str) -> Color | None:
    return color_in(f"#{element.get(w(name), '').lower()}") if element is not None else None
