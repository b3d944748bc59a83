"""Lines of an answer that only lay it out and claim nothing."""

import re
from collections.abc import Collection

_HEADING_WORDS = 8
"""Its marks included."""
_SAYS = re.compile(
    r"\d|\b(?:is|are|was|were|be|has|have|had|may|can|must|will|costs?|not?|never|free)\b", re.IGNORECASE
)
_ASKS = re.compile(
    r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have|had|can|could|may|must"
    r"|should|will|would)\b[^?]*\?",
    re.IGNORECASE,
)


def bare(text: str) -> bool:
    """Whether a short line names something and says nothing of it."""
    return len(text.split()) <= _HEADING_WORDS and not _SAYS.search(text)


def is_heading(line: str, known: Collection[str] = ()) -> bool:
    """Whether a line is a heading that claims nothing: a known one, a question, or a bare name of what follows."""
    if not line.startswith("#"):
        return False
    text = line.lstrip("#").strip()
    return text in known or _ASKS.fullmatch(text) is not None or bare(line)
