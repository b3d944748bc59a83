"""Lines of an answer that only lay it out and claim nothing."""

import re
from collections.abc import Collection

from language.words import content_terms

_HEADING_WORDS = 8
"""Its marks included."""
_SAYS = re.compile(
    r"\d|\b(?:is|are|was|were|be|has|have|had|may|can|must|will|costs?|not?|never|free)\b", re.IGNORECASE
)
_DATE = re.compile(
    r"(?:(?:\bon |, )?\b\d{1,2} )?\b(?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December)(?: \d{1,2},)? (?:1\d|20)\d\d\b"
)
_GOES_ON = re.compile(r"[:;|,…]|[.!?。！？][\"”’')\]]*$")
_OF_ANY_TEXT = frozenset(
    word
    for title in ("answer summary overview conclusion details background result results findings introduction notes",)
    for word in content_terms(title)
)


def bare(text: str) -> bool:
    """Whether a short line names something and says nothing of it."""
    return len(text.split()) <= _HEADING_WORDS and not _SAYS.search(text)


def is_title(text: str) -> bool:
    """Whether a line that nothing ends names something, an occasion with its date included, and says nothing of it."""
    return bare(_DATE.sub("", text)) and not _GOES_ON.search(text)


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
