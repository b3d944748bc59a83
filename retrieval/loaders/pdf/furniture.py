"""Running headers, footers and page numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import median

from retrieval.loaders.pdf.layout import Line, Page

_EDGE = 0.12
"""Of a page's height, at the top and at the bottom, where they are looked for."""
_FEWEST_PAGES = 3
_LARGER = 1.12
_PAGE_NUMBER = re.compile(
    r"(?:page\s*)?[-–—(]?\s*(?:\d{1,4}|[ivxl]{1,6}|F-\d{1,3})\s*[-–—)]?(?:\s*(?:of|/)\s*\d{1,4})?", re.I
)

Place = tuple[int, str]


def without_furniture(pages: Sequence[Page]) -> list[Page]:
    """The pages without lines that stand at the same height on half of them, digits aside, and page numbers."""
    sizes = [line.size for page in pages for line in _lines(page)]
    usual = median(sizes) if sizes else 0.0
    counts = Counter(place for page in pages for place in {_place(line, usual) for line in _at_edges(page)})
    repeated = {place for place, count in counts.items() if count >= max(_FEWEST_PAGES, len(pages) / 2)}
    return [_cleaned(page, repeated, usual) for page in pages]


def _cleaned(page: Page, repeated: set[Place], usual: float) -> Page:
    whole = _lines(page)
    outermost = [*whole[:1], *whole[-1:]] if len(whole) > 2 else []
    dropped = {id(line) for line in _at_edges(page) if _place(line, usual) in repeated}
    dropped |= {id(line) for line in [*_at_edges(page), *outermost] if _PAGE_NUMBER.fullmatch(line.text)}
    kept = [[line for line in region if id(line) not in dropped] for region in page.regions]
    return Page(page.number, page.bottom, page.top, [region for region in kept if region])


def _lines(page: Page) -> list[Line]:
    return [line for region in page.regions for line in region]


def _at_edges(page: Page) -> list[Line]:
    edge = (page.top - page.bottom) * _EDGE
    low, high = page.bottom + edge, page.top - edge
    return [line for line in _lines(page) if line.top < low or line.bottom > high]


def _place(line: Line, usual: float) -> Place:
    """Where a line stands and what it says; `Chapter 1` and `Chapter 2` in large letters are not the same."""
    large = line.size > usual * _LARGER
    return round(line.bottom / 4), line.text if large else re.sub(r"\d+", "#", line.text)
