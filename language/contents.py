"""Lists of contents: lines that name what is said elsewhere, and on which page."""

import re
from collections.abc import Iterator

_LEADER = r"(?<![.…·_])(?<![.…·_] )(?:(?:\.[ \t]?){4,}|(?:…[ \t]?){2,}|(?:·[ \t]?){4,}|_{4,})"
_PAGE = r"[ \t]*(?:\d{1,4}|[ivxl]{1,6})"
_CONTENTS = re.compile(rf"{_LEADER}{_PAGE}(?=[ \t]*$)|(?<!\.)\.{{6,}}{_PAGE}\b", re.MULTILINE)
"""A leader and the page it leads to."""
_IN_LEADERS = ("...", ". .", ".\t.", "……", "… …", "…\t…", "··", "· ·", "·\t·", "____")
"""One of these is in every leader, and in hardly any other text."""


def is_contents(text: str) -> bool:
    """Whether a text is of a list of contents: `3.2 Safety ........ 14`."""
    return _has_leader(text) and _CONTENTS.search(text) is not None


def contents_lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each line of a list of contents starts and ends."""
    for match in _CONTENTS.finditer(text) if _has_leader(text) else ():
        end = text.find("\n", match.end())
        yield text.rfind("\n", 0, match.start()) + 1, len(text) if end < 0 else end


def _has_leader(text: str) -> bool:
    return any(dots in text for dots in _IN_LEADERS)
