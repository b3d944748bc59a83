"""Word documents."""

import io
from collections.abc import Iterator

import docx
from docx.document import Document
from docx.opc.exceptions import OpcError
from docx.oxml.xmlchemy import BaseOxmlElement
from lxml.etree import LxmlError

from retrieval.loaders.blocks import Loaded, LoadError, one_line
from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.docx_hidden import Hidden
from retrieval.loaders.docx_styles import Styles, w
from retrieval.loaders.packages import check_package
from retrieval.loaders.rows import table_rows

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WRAPPERS = {w("sdt"), w("sdtContent"), w("ins"), w("moveTo"), w("customXml"), w("smartTag")}
_LEFT_OUT = {
    w("del"),
    w("moveFrom"),
    w("pPr"),
    w("instrText"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_BREAKS = {w("tab"): "\t", w("br"): "\n", w("cr"): "\n", w("noBreakHyphen"): "-", w("ptab"): "\t"}


def load_docx(data: bytes) -> Loaded:
    """Headings, paragraphs, list items and tables in the document's order. Raises `LoadError`."""
    check_package(data)
    try:
        document = docx.Document(io.BytesIO(data))
        return _load(document)
    except (OpcError, LxmlError, KeyError, ValueError, AttributeError, AssertionError) as error:
        if isinstance(error, LoadError):
            raise
        # python-docx looks for parts and attributes without asking whether a broken file has them.
        raise LoadError("damaged", "The Word document is damaged or incomplete.") from error


def _load(document: Document) -> Loaded:
    styles = Styles(document.styles.element)
    hidden = Hidden(styles, document.element.find(w("background")))
    builder = TextBuilder(_MEDIA_TYPE, title=document.core_properties.title or _title(document, styles, hidden))
    for element in _body(document.element.body):
        if element.tag == w("tbl"):
            _add_table(builder, hidden, element)
        else:
            _add_paragraph(builder, styles, hidden, element)
    return builder.loaded()


def _title(document: Document, styles: Styles, hidden: Hidden) -> str | None:
    """The first paragraph in the style Title that has text."""
    titles = (_text(p, hidden) for p in document.element.body.iterchildren(w("p")) if styles.is_title(p))
    return next((text for text in titles if text.strip()), None)


def _body(body: BaseOxmlElement) -> Iterator[BaseOxmlElement]:
    """The paragraphs and tables of the body, in order, out of whatever wraps them."""
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag in (w("p"), w("tbl")):
            yield element
        elif element.tag in _WRAPPERS:
            waiting += reversed(element)


def _add_paragraph(builder: TextBuilder, styles: Styles, hidden: Hidden, paragraph: BaseOxmlElement) -> None:
    text = _text(paragraph, hidden)
    level = styles.heading_level(paragraph)
    if level is not None:
        builder.heading(level, text)
    elif text.strip():
        builder.add(("- " if styles.is_list_item(paragraph) else "") + text.strip())


def _add_table(builder: TextBuilder, hidden: Hidden, table: BaseOxmlElement) -> None:
    rows: list[list[str]] = []
    for row in _own(table, "tr", within="tbl"):
        rows.append(_cells(row, rows[-1] if rows else [], hidden))
    marked = table.find(f".//{w('tblHeader')}") is not None
    for text in table_rows([row for row in rows if any(row)], True if marked else None):
        builder.row(text)
    builder.end_table()


def _own(element: BaseOxmlElement, name: str, within: str) -> Iterator[BaseOxmlElement]:
    """The rows of a table, or the cells of a row, out of whatever wraps them, without those of tables inside."""
    for found in element.iter(w(name)):
        if next(found.iterancestors(w(within))) is element:
            yield found


def _cells(row: BaseOxmlElement, above: list[str], hidden: Hidden) -> list[str]:
    """The text of each cell; one that spans columns is followed by empty ones, one that spans rows is repeated."""
    cells: list[str] = []
    for cell in _own(row, "tc", within="tr"):
        merged = cell.find(f"{w('tcPr')}/{w('vMerge')}")
        text = one_line(" ".join(_text(paragraph, hidden) for paragraph in cell.iter(w("p"))))
        if merged is not None and merged.get(w("val")) != "restart" and len(cells) < len(above):
            text = above[len(cells)]
        span = cell.find(f"{w('tcPr')}/{w('gridSpan')}")
        width = span.get(w("val"), "1") if span is not None else "1"
        cells += [text, *[""] * (min(int(width), 100) - 1 if width.isdecimal() else 0)]
    return cells


def _text(paragraph: BaseOxmlElement, hidden: Hidden) -> str:
    """What a reader sees: insertions, links and fields' results, without deletions and what is hidden."""
    parts: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag == w("t"):
            parts.append(element.text or "")
        elif element.tag in _BREAKS:
            parts.append(_BREAKS[element.tag])
        elif element.tag not in _LEFT_OUT and not (element.tag == w("r") and hidden.run(element)):
            waiting += reversed(element)
    return "".join(parts)
