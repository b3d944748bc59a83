"""A PDF file's pages, and what is wrong with a file that has none to read."""

import re
from collections.abc import Iterator

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from retrieval.loaders.blocks import MAX_CHARACTERS, MAX_PAGES, Loaded, LoadError, one_line, too_large
from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.pdf.characters import page_runs
from retrieval.loaders.pdf.compose import compose
from retrieval.loaders.pdf.furniture import without_furniture
from retrieval.loaders.pdf.headings import bookmarks
from retrieval.loaders.pdf.layout import Page
from retrieval.loaders.pdf.reading import regions

_FEWEST_CHARACTERS = 8
"""A page: fewer on average are stamps and page numbers on a scan."""
_PAGES_LOOKED_AT = 5
_LINEARIZED = re.compile(rb"/Linearized\b[^>]{0,200}?/L\s+(\d{1,12})")
_UNTITLED = re.compile(r"microsoft word|untitled|\.(?:docx?|pdf|xlsx?|pptx?|indd|html?|qxd|tex)\b|^document\d*$", re.I)


def load_pdf(data: bytes) -> Loaded:
    """Headings, paragraphs and tables, each with its page, in reading order.

    Raises `LoadError`: `encrypted`, `damaged`, `scanned` (its pages are pictures), `empty`, `too_large`.
    """
    _check_whole(data)
    try:
        with pdfium.PdfDocument(data) as document:
            return _load(document)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise LoadError("encrypted", "The PDF is protected by a password.") from error
        raise _damaged() from error


def _load(document: pdfium.PdfDocument) -> Loaded:
    if len(document) > MAX_PAGES:
        raise too_large(f"{MAX_PAGES:,} pages")
    pages = list(_pages(document))
    if _length(pages) < _FEWEST_CHARACTERS * len(pages):
        _explain_silence(document, _length(pages))
    builder = TextBuilder("application/pdf", title=_title(document))
    compose(without_furniture(pages), bookmarks(document), builder)
    return builder.loaded()


def _pages(document: pdfium.PdfDocument) -> Iterator[Page]:
    characters = 0
    for index in range(len(document)):
        page = document[index]
        textpage = page.get_textpage()
        characters += textpage.count_chars()
        if characters > MAX_CHARACTERS:
            raise too_large(f"{MAX_CHARACTERS:,} characters")
        found = regions(page_runs(page, textpage), index + 1)
        bottoms = [line.bottom for region in found for line in region]
        yield Page(index + 1, *_span(page, bottoms), found)
        textpage.close()
        page.close()


def _span(page: pdfium.PdfPage, bottoms: list[float]) -> tuple[float, float]:
    """Where the page begins and ends, from below: below zero on a page that is turned."""
    height = page.get_height()
    low = -height if bottoms and max(bottoms) < 0 else page.get_cropbox()[1] if not page.get_rotation() else 0.0
    return low, low + height


def _length(pages: list[Page]) -> int:
    return sum(len(line.text) for page in pages for region in page.regions for line in region)


def _explain_silence(document: pdfium.PdfDocument, characters: int) -> None:
    """Raise what a document with next to no text is: a scan if its first pages hold pictures, or empty."""
    for index in range(min(len(document), _PAGES_LOOKED_AT)):
        if any(document[index].get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,))):
            raise LoadError("scanned", "The PDF seems to be scanned: its pages are pictures. Run OCR on it first.")
    if not characters:
        raise LoadError("empty", "There is no text in this PDF.")


def _title(document: pdfium.PdfDocument) -> str | None:
    """The title, or the subject, that the file gives itself, unless a program made it up."""
    for key in ("Title", "Subject"):
        value = one_line(document.get_metadata_value(key) or "")
        if len(re.findall(r"[^\W\d_]{2,}", value)) >= 2 and not _UNTITLED.search(value):
            return value
    return None


def _check_whole(data: bytes) -> None:
    """Refuse a file that was cut short: PDFium repairs it, and would give some of its pages as if they were all."""
    if b"%%EOF" not in data and b"startxref" not in data:
        raise _damaged()
    linearized = _LINEARIZED.search(data, 0, 2048)
    if linearized and int(linearized.group(1)) > len(data):
        raise _damaged()


def _damaged() -> LoadError:
    return LoadError("damaged", "The PDF is damaged or incomplete.")
