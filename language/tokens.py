"""The words of a text with their places: for those who must know what stands beside what."""

from functools import lru_cache
from typing import NamedTuple

from language.words import WORD, fold, stem


class Token(NamedTuple):
    """A word as it stands, folded, and stemmed; `start` and `end` are code points."""

    text: str
    folded: str
    stem: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words of `text`, in order."""
    return [Token(match.group(), *_forms(match.group()), match.start(), match.end()) for match in WORD.finditer(text)]


@lru_cache(maxsize=100_000)
def _forms(word: str) -> tuple[str, str]:
    folded = fold(word) or word
    return folded, stem(folded)
