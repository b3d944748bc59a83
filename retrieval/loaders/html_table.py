"""A table of a web page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

from retrieval.loaders.blocks import one_line
from retrieval.loaders.rows import table_rows

_MAX_SPAN = 100


@dataclass(slots=True)
class HtmlTable:
    """Takes rows and cells as they begin and end, and gives the lines."""

    rows: list[list[str]] = field(default_factory=list)
    headings: list[bool] = field(default_factory=list)
    """Whether each row has only `th` cells, or stands in a `thead`."""
    of_header: bool = False
    cell: list[str] = field(default_factory=list)
    hanging: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By column the cells that reach down: how many more rows, and their text."""

    def begin_row(self) -> None:
        """A row below those there are."""
        self.rows.append([])
        self.headings.append(True)

    def end_cell(self, node: LexborNode) -> None:
        """The cell of `node`, which says how many columns and rows it spans, with the text collected in `cell`."""
        if self.rows:
            self._fill_down()
            columns, rows = _span(node, "colspan"), _span(node, "rowspan")
            text = one_line("".join(self.cell))
            if rows > 1:
                self.hanging[len(self.rows[-1])] = (rows - 1, text)
            self.rows[-1] += [text] + [text if self.headings[-1] else ""] * (columns - 1)
            self.headings[-1] = self.headings[-1] and (self.of_header or node.tag == "th")
        self.cell = []

    def _fill_down(self) -> None:
        """Repeat the cells above that reach down to where the next cell would stand."""
        while (column := len(self.rows[-1])) in self.hanging:
            left, text = self.hanging.pop(column)
            self.rows[-1].append(text)
            if left > 1:
                self.hanging[column] = (left - 1, text)

    def lines(self) -> Iterator[str]:
        """What each row says; whether the first names the columns is asked where the markup does not say it."""
        rows, headings = _with_one_header(self.rows, self.headings)
        return table_rows(rows, headings[0] if any(headings) else None)


def _span(node: LexborNode, name: str) -> int:
    written = (node.attributes.get(name) or "1").strip()
    return min(int(written), _MAX_SPAN) if re.fullmatch(r"[1-9]\d{0,3}", written) else 1


def _with_one_header(rows: list[list[str]], headings: list[bool]) -> tuple[list[list[str]], list[bool]]:
    """Header rows that follow each other, as under a spanning header, are made one."""
    kept = [(row, heading) for row, heading in zip(rows, headings, strict=True) if any(row)]
    count = next((at for at, (_, heading) in enumerate(kept) if not heading), len(kept))
    if 1 < count < len(kept):
        width = max(len(row) for row, _ in kept[:count])
        columns = [[row[at] for row, _ in kept[:count] if at < len(row)] for at in range(width)]
        kept = [([" ".join(dict.fromkeys(column)).strip() for column in columns], True), *kept[count:]]
    return [row for row, _ in kept], [heading for _, heading in kept]
