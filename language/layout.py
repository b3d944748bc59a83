"""Lines of an answer that only lay it out and claim nothing."""

import re
from collections.abc import Collection

from language.words import content_terms

_HEADING_WORDS = 8
"""Its marks included."""
_SAYS = re.compile(
    r"\d|\b(?:is|are|was|were|be|has|have|had|may|can|must|will|costs?|not?|never|free)\b", re.IGNORECASE
)
_OF_ANY_TEXT = frozenset(
    word
    for title in ("answer summary overview conclusion details background result results findings introduction notes",)
    for word in content_terms(title)
)


def bare(text: str) -> bool:
    """Whether a short line names something and says nothing of it."""
    return len(text.split()) <= _HEADING_WORDS and not _SAYS.search(text)


def is_heading(line: str, known: Collection[str], words: Collection[str]) -> bool:
    """Whether a line is a heading that claims nothing: a known one, or the bare name of something in known `words`.

    `words` are stemmed. Any other word could be a claim, whatever stands before it.
    """
    if not line.startswith("#"):
        return False
    text = line.lstrip("#").strip()
    if text in known:
        return True
    telling = set(content_terms(text))
    return bare(text) and bool(telling) and telling <= {*words, *_OF_ANY_TEXT}
