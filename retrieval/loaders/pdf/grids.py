"""Tables of words: lines whose cells stand under each other."""

from collections.abc import Sequence
from itertools import pairwise

from retrieval.loaders.pdf.cells import is_mark
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
            rows = [[run.text for run in line.runs] for line in lines[at:end]]
            header = True if lines[at].bold and not lines[at + 1].bold else None
            grids.append(Table(at, end, list(table_rows(rows, header))))
        at = end
    return grids


def _fits(above: Line, line: Line) -> bool:
    """Whether a line is the next row: as many cells, each below the one above it."""
    if len(line.runs) != len(above.runs) or above.bottom - line.top > _MAX_GAP * line.size:
        return False
    return all(_below(upper, lower) for upper, lower in zip(above.runs, line.runs, strict=True))


def _is_grid(lines: Sequence[Line]) -> bool:
    """Whether the columns stay apart over all rows, and are not a list's marks beside its text."""
    columns = list(zip(*(line.runs for line in lines), strict=True))
    apart = all(max(run.x1 for run in one) <= min(run.x0 for run in other) for one, other in pairwise(columns))
    marks = all(is_mark(run.text) for run in columns[0])
    short = all(len(run.text) <= _LONGEST_CELL for column in columns for run in column)
    return apart and short and not marks


def _below(upper: Run, lower: Run) -> bool:
    return lower.x0 < upper.x1 and upper.x0 < lower.x1
