"""A document's pages to the blocks of its text."""

from collections.abc import Mapping, Sequence

from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.pdf.grids import find_grids
from retrieval.loaders.pdf.headings import Bookmark, Headings, matched
from retrieval.loaders.pdf.layout import Line, Page
from retrieval.loaders.pdf.paragraphs import count_words, goes_on, joined, paragraphs, text_of
from retrieval.loaders.pdf.tables import Table, find_tables


def compose(pages: Sequence[Page], outline: Mapping[int, Sequence[Bookmark]], builder: TextBuilder) -> None:
    """Give the builder every heading, paragraph and row, in order."""
    composer = _Composer([line for page in pages for region in page.regions for line in region], outline, builder)
    for page in pages:
        composer.page(page, outline.get(page.number, ()))
    composer.settle()


class _Composer:
    def __init__(self, lines: Sequence[Line], outline: Mapping[int, Sequence[Bookmark]], builder: TextBuilder) -> None:
        self._headings = Headings(lines, outline)
        self._words = count_words(lines)
        self._builder = builder
        self._pending: tuple[str, int] | None = None
        """A paragraph that may go on in the next column or on the next page, and the page it begins on."""

    def page(self, page: Page, marks: Sequence[Bookmark]) -> None:
        """The blocks of a page; a bookmark whose heading is not found stands at its beginning."""
        whole = [line for region in page.regions for line in region]
        named: dict[int, tuple[Bookmark, int]] = {}
        after = 0
        for mark in marks:
            found = matched(mark, whole, after) or matched(mark, whole, 0)
            if found is None or id(whole[found[0]]) in named:
                self._heading(mark.level, mark.title, page.number)
            else:
                named[id(whole[found[0]])] = (mark, found[1])
                after = found[0] + found[1]
        for region in page.regions:
            self._region(region, named)

    def settle(self) -> None:
        """Add the paragraph that waits for its continuation."""
        if self._pending is not None:
            self._builder.add(self._pending[0], page=self._pending[1])
        self._pending = None

    def _region(self, lines: Sequence[Line], named: Mapping[int, tuple[Bookmark, int]]) -> None:
        tables = _tables(lines)
        prose: list[Line] = []
        at = 0
        while at < len(lines):
            table = tables.get(at)
            heading = None if table else self._heading_at(lines, at, named)
            if table is None and heading is None:
                prose.append(lines[at])
                at += 1
                continue
            self._prose(prose)
            prose = []
            if heading is not None:
                level, title, count = heading
                self._heading(level, title, lines[at].page)
                at = next((start for start in range(at + 1, at + count) if start in tables), at + count)
            elif table is not None:
                self._rows(table.rows, lines[at].page)
                at = table.end
        self._prose(prose)

    def _heading_at(
        self, lines: Sequence[Line], at: int, named: Mapping[int, tuple[Bookmark, int]]
    ) -> tuple[int, str, int] | None:
        if id(lines[at]) in named:
            mark, count = named[id(lines[at])]
            return mark.level, mark.title, count
        found = self._headings.at(lines, at)
        if found is None:
            return None
        level, count = found
        return level, joined((line.text for line in lines[at : at + count]), self._words), count

    def _heading(self, level: int, title: str, page: int) -> None:
        self.settle()
        self._builder.heading(level, title, page)

    def _rows(self, rows: Sequence[str], page: int) -> None:
        self.settle()
        self._builder.end_table()
        for row in rows:
            self._builder.row(row, page)

    def _prose(self, lines: Sequence[Line]) -> None:
        for paragraph in paragraphs(lines):
            text = joined((text_of(paragraph[0]), *(line.text for line in paragraph[1:])), self._words)
            if self._pending is not None and goes_on(self._pending[0], text):
                self._pending = (joined((self._pending[0], text), self._words), self._pending[1])
            else:
                self.settle()
                self._pending = (text, paragraph[0].page)


def _tables(lines: Sequence[Line]) -> dict[int, Table]:
    """The tables of a region by their first line; where words and numbers both make one, the numbers'."""
    tables = {table.start: table for table in find_tables(lines)}
    taken = {at for table in tables.values() for at in range(table.start, table.end)}
    for grid in find_grids(lines):
        if taken.isdisjoint(range(grid.start, grid.end)):
            tables[grid.start] = grid
    return tables
