"""Tables of numbers: where they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.loaders.pdf.cells import is_mark, is_value, is_year, with_whole_cells
from retrieval.loaders.pdf.columns import SLACK, Column, Frame, columns_of, header_of, names_of, same_columns
from retrieval.loaders.pdf.layout import Line
from retrieval.loaders.pdf.table_rows import Rows

_MAX_BETWEEN = 4
"""Lines without a value that may stand between two rows: labels of groups, labels on two lines."""
_MAX_GAP = 3.0
"""Heights of a line that may be empty inside a table."""
_MAX_APART = 6
"""Lines between two tables of which the lower may go on under the header of the upper."""
_LONGEST_VALUE = 30


@dataclass(frozen=True, slots=True)
class Table:
    """Lines `start` to `end`, exclusive, of a region: a header, then rows."""

    start: int
    end: int
    rows: list[str]


def find_tables(lines: Sequence[Line]) -> list[Table]:
    """The tables of numbers among the lines of a region, in order."""
    whole = [with_whole_cells(line) for line in lines]
    tables: list[Table] = []
    above: list[Column] = []
    above_names: list[str] = []
    at = 0
    while at < len(whole):
        end = _end(whole, at) if _has_values(whole[at]) else at
        if end == at:
            at += 1
            continue
        columns = columns_of(whole[at:end])
        floor = tables[-1].end if tables else 0
        start, first = header_of(whole, at, end, floor, columns)
        if end - at > 1 or (start < at and len(columns) > 1):
            names = names_of(whole[start:first], whole[first:end], columns)
            if start == first and at - floor <= _MAX_APART and same_columns(columns, above):
                names = above_names
            tables.append(Table(start, end, _rows(whole[start:first], whole[first:end], columns, names)))
            above, above_names = columns, names
        at = end
    return tables


def _has_values(line: Line) -> bool:
    cells = line.runs[1:] if len(line.runs) > 1 else ()
    if not any(is_value(cell.text) for cell in cells):
        return False
    values = sum(is_value(cell.text) or is_year(cell.text) for cell in cells)
    return values * 2 >= len(cells) and not (
        is_mark(line.runs[0].text) and len(cells) == 1 and len(cells[0].text) > _LONGEST_VALUE
    )


def _end(lines: Sequence[Line], start: int) -> int:
    """The end of the rows that begin at `start`: after the last line with values that belongs to them."""
    end = start + 1
    left = min(cell.x0 for cell in lines[start].runs[1:])
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if at - end >= _MAX_BETWEEN or lines[at - 1].bottom - line.top > _MAX_GAP * line.size:
            break
        if _has_values(line):
            end = at + 1
            left = min(left, *(cell.x0 for cell in line.runs[1:]))
        elif line.x1 > left + SLACK or (len(line.runs) > 1 and not is_mark(line.runs[0].text)):
            break
    return end


def _rows(header: Sequence[Line], body: Sequence[Line], columns: Sequence[Column], names: list[str]) -> list[str]:
    frame = Frame.of(body, columns)
    rows = Rows(names, columns)
    captions = [cell.text for line in header for cell in line.runs if frame.beside(cell)]
    rows.done += [" ".join(captions)] if captions else []
    for line in body:
        if _has_values(line):
            rows.add(line)
        else:
            rows.wait(line)
    rows.flush()
    return rows.done
