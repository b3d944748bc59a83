"""Rows written as `key: value; key: value`: what they are about, and what they deny."""

import re
from collections.abc import Sequence

from language.polarity import Negation
from language.tokens import Token

_CELL = re.compile(r"(?:^|[;|\n])[ \t>*•-]*([^;|:\n]{1,60}?)\s*:\s*([^;|\n]*?)\s*(?=[;|\n]|$)")
_DENIED = re.compile(r"(?:no|false|none|never|[-–—✗✘])\.?", re.IGNORECASE)


def cells(text: str) -> list[tuple[str, str]]:
    """The keys and values of a row, in order; none if the text is no row of two or more cells."""
    found = [(match[1], match[2]) for match in _CELL.finditer(text)] if ":" in text else []
    return found if len(found) > 1 else []


def answers(text: str, tokens: Sequence[Token], telling: Sequence[int]) -> list[Negation]:
    """The keys of a row that it answers with `no`, `false`, `none` or a dash: each denied of what the row is about."""
    found = list(_CELL.finditer(text)) if ":" in text else []
    if not any(_DENIED.fullmatch(cell[2]) for cell in found):
        return []
    end = min(at for at in (text.find("|", 1), text.find(";"), text.find("\n"), len(text)) if at > 0)
    first = found[0]
    start = first.start(2) if first.end() <= end else 0
    about = tuple(at for at in telling if start <= tokens[at].start < end)
    denied = []
    for cell in found:
        if _DENIED.fullmatch(cell[2]):
            key = tuple(at for at in telling if cell.start(1) <= tokens[at].start < cell.end(1))
            spoken = [at for at, token in enumerate(tokens) if cell.start(2) <= token.start < cell.end(2)]
            if key:
                denied.append(Negation(spoken[0] if spoken else key[-1], key, tuple(a for a in about if a not in key)))
    return denied
