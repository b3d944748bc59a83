"""Which lines are headings: those the bookmarks name, and those set larger or bolder than the text."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import pypdfium2 as pdfium

from retrieval.loaders.pdf.cells import begins_with_label, is_mark, is_value
from retrieval.loaders.pdf.layout import Line

_LARGER = 1.12
_NOT_SMALLER = 0.92
_LONGEST = 150
_FEWEST_LETTERS = 4
_MOST_LINES = 3
_FEWEST_BOOKMARKS = 3
"""A single bookmark is the file's name, as converters write it."""
_MOST_BOOKMARKS = 20_000
_MOST_STYLES = 6
_NAMED = (re.compile(r"part\s+\w+\b", re.I), re.compile(r"(?:item|chapter|exhibit|appendix|annex)\s+[\w.]+", re.I))

Style = tuple[float, bool]
"""The height of a line, to half a point, and whether it is bold."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the file's outline; 1 is the outermost level."""

    level: int
    title: str


def bookmarks(document: pdfium.PdfDocument) -> dict[int, list[Bookmark]]:
    """The outline by page, 1 the first; nothing where there are too few to say anything."""
    found: dict[int, list[Bookmark]] = {}
    for count, entry in enumerate(document.get_toc()):
        if count == _MOST_BOOKMARKS:
            break
        destination = entry.get_dest()
        page = destination.get_index() if destination else None
        title = " ".join(entry.get_title().split())
        if page is not None and title:
            found.setdefault(page + 1, []).append(Bookmark(entry.level + 1, title))
    return found if sum(map(len, found.values())) >= _FEWEST_BOOKMARKS else {}


class Headings:
    """Tells headings from text by the styles of the whole document."""

    def __init__(self, lines: Iterable[Line], outline: Mapping[int, Sequence[Bookmark]]) -> None:
        candidates: Counter[Style] = Counter()
        kept = list(lines)
        self._body = _most_written(kept)
        self._body_of = {page: _most_written(group) for page, group in groupby(kept, key=lambda line: line.page)}
        for line in kept:
            if self._stands_out(line):
                candidates[_style(line)] += 1
        deepest = max((mark.level for marks in outline.values() for mark in marks), default=0)
        ranked = sorted(candidates, key=lambda style: (-style[0], not style[1]))
        self._deepest = deepest
        self._ranks = {style: min(at, _MOST_STYLES - 1) for at, style in enumerate(ranked)}

    def at(self, lines: Sequence[Line], start: int) -> tuple[int, int] | None:
        """The level of the heading that begins at a line and the number of its lines, or None.

        More than three such lines together are text that is set to stand out.
        """
        first = lines[start]
        if not self._stands_out(first) or (start and self._continues(lines[start - 1], first)):
            return None
        count = 1
        while count <= _MOST_LINES and self._goes_on(lines, start + count):
            count += 1
        return None if count > _MOST_LINES else (self._level(first), count)

    def _level(self, line: Line) -> int:
        """Below every bookmark's; in one style, Part stands above Item, and Item above what has no such name."""
        rank = self._ranks[_style(line)]
        named = next((at for at, names in enumerate(_NAMED) if names.match(line.text)), len(_NAMED))
        return self._deepest + 1 + (rank * (len(_NAMED) + 1) + named if rank else 0)

    def _goes_on(self, lines: Sequence[Line], at: int) -> bool:
        return at < len(lines) and self._continues(lines[at - 1], lines[at])

    def _continues(self, above: Line, line: Line) -> bool:
        near = above.bottom - line.top < 0.5 * line.size
        alike = near and _style(line) == _style(above) and not begins_with_label(line.text)
        return alike and self._stands_out(line) and self._stands_out(above)

    def _stands_out(self, line: Line) -> bool:
        size, bold = _style(line)
        larger = size >= self._body[0] * _LARGER
        around = min(self._body, self._body_of[line.page])  # an appendix may be set in a smaller type
        bolder = bold and not around[1] and size >= around[0] * _NOT_SMALLER
        return (larger or bolder) and _reads_like_one(line)


def _most_written(lines: Iterable[Line]) -> Style:
    written: Counter[Style] = Counter()
    for line in lines:
        written[_style(line)] += len(line.text)
    return written.most_common(1)[0][0] if written else (0.0, False)


def _style(line: Line) -> Style:
    return round(line.size * 2) / 2, line.bold


def _reads_like_one(line: Line) -> bool:
    text = line.text
    if len(line.runs) > 2 or (len(line.runs) == 2 and not (is_mark(line.runs[0].text) or begins_with_label(text))):
        return False
    if is_value(text) or len(text) > _LONGEST or sum(c.isalpha() for c in text) < _FEWEST_LETTERS:
        return False
    return not text[0].islower() and not text.endswith((",", ";")) and not text.startswith(("(", "•", "●", "▪"))


def matched(bookmark: Bookmark, lines: Sequence[Line], start: int) -> tuple[int, int] | None:
    """The first line from `start` that a bookmark names and the number of its lines, or None."""
    wanted = _letters(bookmark.title)
    for at in range(start, len(lines)):
        said = ""
        for count, line in enumerate(lines[at : at + _MOST_LINES], 1):
            said += _letters(line.text)
            if said == wanted:
                return at, count
            if not wanted.startswith(said):
                break
    return None


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
