"""The columns of a table of numbers, and what stands above them."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.loaders.pdf.cells import is_value
from retrieval.loaders.pdf.layout import Line, Run

Column = tuple[float, float]
"""Left and right edge."""

SLACK = 2.0
"""Points that edges which are meant to meet may miss each other by."""
_MAX_HEADER_LINES = 7
_MAX_GROUPS = 3
_INDENT = 30.0
_CLEAR = 8.0
"""Points a caption above the labels keeps from the first column; a header may be wider than its column."""
_OFF_CENTRE = 0.35
"""Of the distance of columns: how far a header may lie from the middle of the columns it spans."""
_REMARK = re.compile(r"\((?:un)?audited\)|\((?:in|as) .*\)", re.I)


def columns_of(lines: Sequence[Line]) -> list[Column]:
    """The columns of values: cells above each other are one column. A first cell is a label, unless none is."""
    first = 0 if all(is_value(line.runs[0].text) for line in lines) else 1
    values = sorted((cell.x0, cell.x1) for line in lines for cell in line.runs[first:] if is_value(cell.text))
    columns: list[Column] = []
    for left, right in values:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(right, columns[-1][1]))
        else:
            columns.append((left, right))
    return columns


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a table's labels begin, at minus infinity if it has none, and its columns lie."""

    labels_left: float
    left: float
    right: float

    @classmethod
    def of(cls, body: Sequence[Line], columns: Sequence[Column]) -> "Frame":
        labelled = [line.x0 for line in body if not is_value(line.runs[0].text)]
        return cls(min(labelled, default=-math.inf), columns[0][0], columns[-1][1])

    def labels(self, line: Line, below: Line) -> bool:
        """Whether a line above the first values only has a label."""
        near = line.bottom - below.top < line.size
        return near and len(line.runs) == 1 and line.x1 <= self.left and line.x0 < self.labels_left + _INDENT

    def beside(self, cell: Run) -> bool:
        """Whether a cell of the header stands above the labels, not above the columns."""
        return cell.x1 < self.left - _CLEAR or cell.x0 < self.labels_left + SLACK

    def names(self, line: Line, below: Line) -> bool:
        """Whether a line above the rows names columns, and is neither prose nor a title above the whole table."""
        above = [cell for cell in line.runs if not self.beside(cell)]
        if not above or line.bottom - below.top > line.size or any(is_value(cell.text) for cell in line.runs):
            return False
        reaches = any(cell.x1 > (self.left + self.right) / 2 for cell in line.runs if self.beside(cell))
        middle = (self.labels_left + self.right) / 2
        is_title = len(line.runs) == 1 and abs(_middle(above[0]) - middle) < 10 and above[0].x0 < self.left - SLACK
        return not reaches and not is_title and above[-1].x0 < self.right + 60


def header_of(lines: Sequence[Line], first: int, end: int, floor: int, columns: Sequence[Column]) -> tuple[int, int]:
    """Where the header starts, and where the rows: above the first values may stand the label of a group."""
    frame = Frame.of(lines[first:end], columns)
    rows = first
    while rows > floor and first - rows < _MAX_GROUPS and frame.labels(lines[rows - 1], lines[rows]):
        rows -= 1
    for row in dict.fromkeys((first, rows)):
        start = row
        while start > floor and row - start < _MAX_HEADER_LINES and frame.names(lines[start - 1], lines[start]):
            start -= 1
        if start < row:
            return start, row
    return first, first


def names_of(header: Sequence[Line], body: Sequence[Line], columns: Sequence[Column]) -> list[str]:
    """The name of each column: what stands above it, from the top down."""
    frame = Frame.of(body, columns)
    parts: list[list[str]] = [[] for _ in columns]
    for line in header:
        cells = [cell for cell in line.runs if not frame.beside(cell)]
        if all(_REMARK.fullmatch(cell.text) for cell in cells):  # also where there are none
            continue
        for at, cell in enumerate(_above(cells, columns)):
            if cell is not None:
                parts[at].append(cell.text)
    return [" ".join(part) for part in parts]


def same_columns(columns: Sequence[Column], above: Sequence[Column]) -> bool:
    """Whether two tables have the same columns, so that the header of the one above is for both."""
    return len(columns) == len(above) and all(
        left < other_right and other_left < right
        for (left, right), (other_left, other_right) in zip(columns, above, strict=True)
    )


def _above(cells: Sequence[Run], columns: Sequence[Column]) -> Sequence[Run | None]:
    """For each column the cell above it: one each, one over equal groups of columns, or the one that touches it."""
    if len(cells) == len(columns):
        return cells
    pitch = (columns[-1][1] - columns[0][0]) / len(columns)
    size, rest = divmod(len(columns), len(cells))
    groups = [columns[at : at + size] for at in range(0, len(columns), size or 1)]
    if (
        size
        and not rest
        and all(
            abs(_middle(cell) - (group[0][0] + group[-1][1]) / 2) < _OFF_CENTRE * pitch
            for cell, group in zip(cells, groups, strict=True)
        )
    ):
        return [cell for cell in cells for _ in range(size)]
    return [_touching(column, cells) for column in columns]


def _touching(column: Column, cells: Sequence[Run]) -> Run | None:
    nearest = min(cells, key=lambda cell: max(cell.x0 - column[1], column[0] - cell.x1))
    return nearest if max(nearest.x0 - column[1], column[0] - nearest.x1) <= SLACK else None


def _middle(cell: Run) -> float:
    return (cell.x0 + cell.x1) / 2
