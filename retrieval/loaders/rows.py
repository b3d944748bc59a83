"""A table's rows as lines that say what each value is."""

import re
from collections.abc import Iterator, Sequence

from retrieval.loaders.blocks import one_line

Row = Sequence[str]

_NUMBER = re.compile(r"[-+(]*[$€£¥]?\s*\d[\d.,\s]*[)%]*")
_LONGEST_NAME = 80


def row_text(header: Row, cells: Row) -> str:
    """`Name: Ann; Age: 40`, or `Net sales — 2023: 1,234` where the first column has no name of its own.

    Empty cells are left out; a cell without a header stands alone; `header` may be shorter than `cells`.
    """
    named = [(_name(header, at), one_line(cell)) for at, cell in enumerate(cells)]
    label = ""
    if any(header) and named and not named[0][0]:
        label = named.pop(0)[1]
    values = "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
    return " — ".join(part for part in (label, values) if part)


def table_rows(rows: Sequence[Row], header: bool | None = None) -> Iterator[str]:
    """The lines of a table, its header row left out; `None` asks whether the first row looks like one."""
    if not rows:
        return
    has_header = looks_like_header(rows) if header is None else header
    names = rows[0] if has_header else ()
    for cells in rows[1:] if has_header and len(rows) > 1 else rows:
        text = row_text(names if len(rows) > 1 else (), cells)
        if text:
            yield text


def looks_like_header(rows: Sequence[Row]) -> bool:
    """Whether the first of at least two rows names the columns: short, different names, and no number."""
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    names = [one_line(cell) for cell in rows[0]]
    given = [name for name in names if name]
    if len(given) < max(2, len(names) - 1) or len(set(given)) < len(given) or not all(names[1:-1]):
        return False
    return all(len(name) <= _LONGEST_NAME and not _NUMBER.fullmatch(name) for name in given)


def _name(header: Row, at: int) -> str:
    return one_line(header[at]).rstrip(":") if at < len(header) else ""
