"""What a cell of a table says: a value, a year, or words."""

import re
from collections.abc import Sequence

from retrieval.loaders.pdf.layout import Line, Run

_UNIT = r"\s*[)%x*†]|\s*(?:bps|bp|pts|basis points|million|billion)"
_NUMBER = rf"[-–—+(]{{0,2}}\s*(?:US)?[$€£¥]?\s*[-–(]?\.?\d(?:[\d,.]*\d)?(?:{_UNIT})*"
_VALUE = re.compile(rf"(?:approximately |about |up to )?{_NUMBER}(?:\s*(?:-|–|to)\s*{_NUMBER})?(?:\s*\(\d\))?", re.I)
_BLANK = re.compile(r"[$€£¥]?\s*[-–—]+\s*%?|N/?A|NM|N\.M\.|\*+", re.I)
_YEAR = re.compile(r"(?:19|20)\d\d[A-Z*]?(?:\s*\(\d\))?")
_OPENING = re.compile(r"(?:US)?[$€£¥(]+")
_CLOSING = re.compile(r"[)%]+")
_BULLETS = frozenset("•●▪■◦○·‣⁃–-—*")
_MARK = re.compile(r"\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,5})[.)]")
_LABEL = re.compile(r"(?:item|part|note|section|article|chapter|exhibit|appendix)\s+[\w.]+", re.I)


def is_value(text: str) -> bool:
    """Whether a cell holds a number, an amount or the sign that there is none; a year is not a value."""
    return bool(_VALUE.fullmatch(text) or _BLANK.fullmatch(text)) and not _YEAR.fullmatch(text)


def is_year(text: str) -> bool:
    """Whether a cell holds nothing but a year."""
    return bool(_YEAR.fullmatch(text))


def is_mark(text: str) -> bool:
    """Whether a run is the bullet or the number of a list item."""
    return text in _BULLETS or bool(_MARK.fullmatch(text))


def is_bullet(text: str) -> bool:
    """Whether a run is the bullet of a list item."""
    return text in _BULLETS


def begins_with_label(text: str) -> bool:
    """Whether a text begins as the headings of reports do: `Item 2.`, `Note 4`, `Exhibit A`."""
    return bool(_LABEL.match(text))


def with_whole_cells(line: Line) -> Line:
    """The line with currency signs, brackets and percent signs, which have columns of their own, at their numbers."""
    cells: list[Run] = []
    opening: Run | None = None
    for at, run in enumerate(_parted(line.runs)):
        if at and _OPENING.fullmatch(run.text):
            cells += [opening] if opening else []
            opening = run
        elif at and _CLOSING.fullmatch(run.text) and cells and is_value(cells[-1].text) and opening is None:
            cells[-1] = cells[-1].joined(run, "")
        else:
            cells.append(opening.joined(run, "") if opening else run)
            opening = None
    cells += [opening] if opening else []
    return Line(tuple(cells), line.page)


def plain_value(text: str) -> str:
    """A value without the white space that aligned it: `$(12)` for `$ ( 12 )`."""
    return re.sub(r"(?<=[$€£¥(])\s+|\s+(?=[)%])", "", text)


def _parted(runs: Sequence[Run]) -> Sequence[Run]:
    """The runs, a currency sign at the end of one parted from it: it belongs to the next."""
    parted: list[Run] = []
    for at, run in enumerate(runs):
        if at + 1 < len(runs) and len(run.text) > 2 and run.text[-1] in "$€£" and run.text[-2] == " ":
            cut = run.x1 - run.size / 2
            parted.append(Run(run.text[:-2].rstrip(), run.x0, cut, run.bottom, run.top, run.bold))
            parted.append(Run(run.text[-1], cut, run.x1, run.bottom, run.top, run.bold))
        else:
            parted.append(run)
    return parted
