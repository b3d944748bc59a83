"""Lines with leaders: a label, dots, and what they lead to; in a list of contents, a page.

`Espresso ........ 3` tells a price. `3.2 Safety ........ 14` only names what is said elsewhere.
"""

import re
from collections.abc import Iterator

_LEADERS = re.compile(r"\.{4}|(?:\.[ \t]){3}|…{2}|(?:…[ \t]){2}|·{4}|(?:·[ \t]){3}|_{4}")
_DOTS = ".…·_ \t"
_LONGEST_VALUE = 20
_PAGE = re.compile(r"\d{1,4}|[ivxl]{1,6}", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\s*(?:[1-9]\d?(?:\.\d{1,2})+\.?|(?i:chapter|section|part|annex|appendix|article)\s+[\w.]{1,8})[:.)]?"
    r"(?=\s*$|\s+(?:[A-Z]|[^\W\d_]{3}))"
)
"""Begins a line that names a part of a document; a quantity such as `1.5 l` does not."""


def is_contents(text: str) -> bool:
    """Whether a text has a line of a list of contents, which begins with a section's number and ends with a page."""
    return any(_names_a_part(line) for line in text.splitlines()) if _LEADERS.search(text) else False


def led_lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each line with leaders starts and ends, without the break behind it."""
    if not _LEADERS.search(text):
        return
    start = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line.rstrip("\r\n"))
        label, value = _parts(line)
        if label and value and len(value) <= _LONGEST_VALUE:
            yield start, end
        start += len(line)


def _names_a_part(line: str) -> bool:
    label, value = _parts(line)
    return _PAGE.fullmatch(value) is not None and _NUMBERED.match(label) is not None


def _parts(line: str) -> tuple[str, str]:
    """What stands before and behind the last leaders of a line; behind is nothing where there are none."""
    leaders = [match.span() for match in _LEADERS.finditer(line)]
    if not leaders:
        return line, ""
    return line[: leaders[0][0]].rstrip(_DOTS), line[leaders[-1][1] :].lstrip(_DOTS).rstrip()
