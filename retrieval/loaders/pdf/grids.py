"""Tables of words: lines whose cells stand under each other."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from retrieval.loaders.pdf.cells import begins_with_label, is_mark
from retrieval.loaders.pdf.layout import Line, Run
from retrieval.loaders.pdf.tables import Table
from retrieval.loaders.rows import table_rows

_MAX_GAP = 1.5
"""Heights of a line that may be empty between two rows."""
_FEWEST_CELLS = 6
_LONGEST_CELL = 80


def find_grids(lines: Sequence[Line]) -> list[Table]:
    """Tables with one line a row and as many cells in each row."""
    grids: list[Table] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and _fits(lines[end - 1], lines[end]):
            end += 1
        columns = len(lines[at].runs)
        if columns > 1 and end - at > 1 and columns * (end - at) >= _FEWEST_CELLS and _is_grid(lines[at:end]):
            grids.append(Table(at, end, list(_rows(lines[at:end]))))
        at = end
    return grids


def _rows(lines: Sequence[Line]) -> Iterator[str]:
    """The rows, with the names of their columns if the first is set apart; two columns are a term and its value."""
    rows = [[run.text for run in line.runs] for line in lines]
    explained = lines[1].text.startswith("(")  # as on the cover of a filing: the name, and under it what it is
    has_header = lines[0].bold != lines[1].bold and not explained
    if len(rows[0]) == 2 and not has_header:
        return (" — ".join(row) for row in rows)
    return table_rows(rows, has_header)


def _fits(above: Line, line: Line) -> bool:
    """Whether a line is the next row: as many cells, each below the one above it."""
    if len(line.runs) != len(above.runs) or above.bottom - line.top > _MAX_GAP * line.size:
        return False
    return all(_below(upper, lower) for upper, lower in zip(above.runs, line.runs, strict=True))


def _is_grid(lines: Sequence[Line]) -> bool:
    """Whether the columns stay apart over all rows, and none begins as a list item or a heading does."""
    columns = list(zip(*(line.runs for line in lines), strict=True))
    apart = all(max(run.x1 for run in one) <= min(run.x0 for run in other) for one, other in pairwise(columns))
    marks = any(is_mark(run.text) or begins_with_label(run.text) for run in columns[0])
    short = all(len(run.text) <= _LONGEST_CELL for column in columns for run in column)
    return apart and short and not marks


def _below(upper: Run, lower: Run) -> bool:
    return lower.x0 < upper.x1 and upper.x0 < lower.x1
