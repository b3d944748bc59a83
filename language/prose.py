"""Sentences that can stand alone: no rows, headings, fragments, pointers elsewhere, or halves of a thought."""

import re
from functools import lru_cache

from language.cells import cells
from language.instructions import speaks_to_a_model
from language.sentences import leans_back

_SHORTEST, _LONGEST = 5, 90
"""Words of a sentence that says something and can still be read."""
_LETTERS_A_WORD = 3
"""Where a script has no spaces between its words."""
_LETTERS = 0.72
_LAYOUT = re.compile(r"\s*(?:[|#>]|\[?\d+\]?$|https?://\S+$)")
_ROW = re.compile(r" — [^;:]{1,80}: [-–—$€£(\d]|(?:: [^;:]{1,40}(?:;\s|$)[^;:]{0,60}){2}")
_POINTER = re.compile(
    r"\W*(?:see|refer to|as (?:shown|described|discussed) (?:in|above|below)|for (?:additional|further|more) "
    r"information)\b",
    re.IGNORECASE,
)


def stands_alone(sentence: str) -> bool:
    """Whether a sentence says something by itself, to whoever reads nothing else, and to no model."""
    return reads_alone(sentence) and not speaks_to_a_model(sentence)


@lru_cache(maxsize=20_000)
def reads_alone(sentence: str) -> bool:
    """The same, whoever it speaks to: that is the dear part of the question."""
    words = len(sentence.split())
    if words < _SHORTEST and not sentence.isascii():
        words = sum(char.isalpha() and not char.isascii() for char in sentence) // _LETTERS_A_WORD
    if not _SHORTEST <= words <= _LONGEST or sentence.rstrip().endswith(":"):
        return False
    letters = sum(char.isalpha() or char.isspace() for char in sentence)
    if letters < _LETTERS * len(sentence) or " | " in sentence or sentence.isupper():
        return False
    if _LAYOUT.match(sentence) or _POINTER.match(sentence) or _ROW.search(sentence) or cells(sentence):
        return False
    first = next((char for char in sentence if char.isalnum()), " ")
    return not first.islower() and not leans_back(sentence)


def sayable(sentence: str) -> bool:
    """Whether a sentence, a row or a heading may be cited at all."""
    return any(char.isalnum() for char in sentence) and not speaks_to_a_model(sentence)
