"""Sentences that can stand alone: no rows, headings, fragments, pointers elsewhere, or halves of a thought."""

import re

from language.cells import cells
from language.instructions import speaks_to_a_model
from language.sentences import leans_back

_SHORTEST, _LONGEST = 5, 55
"""Words of a sentence that says something and is still one line."""
_LETTERS = 0.72
_LAYOUT = re.compile(r"\s*(?:[|#>]|\[?\d+\]?$|https?://\S+$)")
_ROW = re.compile(r" — [^;:]{1,80}: [-–—$€£(\d]|(?:: [^;:]{1,40}(?:;\s|$)[^;:]{0,60}){2}")
_POINTER = re.compile(
    r"\W*(?:see|refer to|as (?:shown|described|discussed) (?:in|above|below)|for (?:additional|further|more) "
    r"information)\b",
    re.IGNORECASE,
)


def stands_alone(sentence: str) -> bool:
    """Whether a sentence says something by itself, to whoever reads nothing else."""
    words = sentence.split()
    if not _SHORTEST <= len(words) <= _LONGEST or sentence.rstrip().endswith(":"):
        return False
    letters = sum(char.isalpha() or char.isspace() for char in sentence)
    if letters < _LETTERS * len(sentence) or " | " in sentence or sentence.isupper():
        return False
    if _LAYOUT.match(sentence) or _POINTER.match(sentence) or _ROW.search(sentence) or cells(sentence):
        return False
    first = next((char for char in sentence if char.isalnum()), " ")
    return not first.islower() and not leans_back(sentence) and not speaks_to_a_model(sentence)
