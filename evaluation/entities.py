"""Names in a text: runs of capitalised words."""

import re
from dataclasses import dataclass

from language.words import STOPWORDS

_WORD = r"(?:(?:[A-Z]\.){2,}|[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:[-’'][A-Za-zÀ-ÿ]{2,})*)"
_RUN = re.compile(rf"(?<![\w'’-]){_WORD}(?:(?: of the| of| de| van| von)? {_WORD})*(?!\w)")
_TIME = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday spring summer autumn fall winter".split()
)
_PLACED = re.compile(r"\b(?:in|at|to|from|near|of)\s$", re.I)
_PEOPLE = re.compile(r"(?:an|ish|ese|ic|ch)$")


@dataclass(frozen=True, slots=True)
class Entity:
    """A name and where it stands, [start, end) in code points."""

    text: str
    start: int
    end: int
    shape: tuple[int, bool, bool, bool]
    """Words (3 stands for more), an acronym or not, after a word of place or not, a word like `Danish` or not."""


def entities(text: str) -> list[Entity]:
    """The names of a text, months and weekdays left out.

    A single word at the beginning of a sentence is no name: it is capitalised anyway.
    """
    found = (_entity(text, match.start(), match.end()) for match in _RUN.finditer(text))
    return [entity for entity in found if entity is not None]


def _entity(text: str, start: int, end: int) -> Entity | None:
    first = not re.search(r"[\w,;’”)]\s*$", text[:start])
    words = text[start:end].split(" ")
    while words and words[0].casefold() in STOPWORDS:
        start, first = start + len(words.pop(0)) + 1, False
    if not words or (first and len(words) == 1) or any(word.casefold() in _TIME for word in words):
        return None
    alone = words[0] if len(words) == 1 else ""
    name = " ".join(words)
    if len(name) < 3:
        return None
    shape = (min(3, len(words)), name.isupper(), bool(_PLACED.search(text[:start])), bool(_PEOPLE.search(alone)))
    return Entity(name, start, start + len(name), shape)
