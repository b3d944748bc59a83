"""The parts of a question: what it asks besides what it asks first."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from language.words import content_terms

_ASKS = (
    r"(?:what|when|where|who|whom|whose|which|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|"
    r"has|have)"
)
_AND_ASKS = re.compile(
    rf"(?:[?;]\s+(?:and |also )?|,? (?:and|or|as well as|but) (?:also )?)(?={_ASKS}\b)", re.IGNORECASE
)
_OWN_SHARE = 0.2
"""Of the weight of the question, for a part that can be told from the others by its words."""
_TOPIC = 0.3
"""Of the weight of the rest of the question, in what answers a part."""

Idf = Callable[[set[str]], Mapping[str, float]]


class Aspect(NamedTuple):
    """A part of a question; `own` are the words it alone has."""

    text: str
    own: frozenset[str]
    first: bool
    """Whether it is what is asked first, and a pronoun in the answer may stand for."""


def aspects(question: str, idf: Idf) -> list[Aspect]:
    """The parts of a question of more than one, that can be told from each other by telling words."""
    parts = [part.strip() for part in _AND_ASKS.split(question) if part and part.strip()]
    if len(parts) < 2:
        return []
    words = [set(content_terms(part)) for part in parts]
    weights = _weights(set().union(*words), idf)
    total = sum(weights.values()) or 1.0
    found = []
    for at, part in enumerate(parts):
        own = frozenset(words[at].difference(*(other for number, other in enumerate(words) if number != at)))
        if sum(weights[word] for word in own) >= _OWN_SHARE * total:
            found.append(Aspect(part, own, not at))
    return found


def covered(aspect: Aspect, sentences: Sequence[str]) -> bool:
    """Whether an answer speaks of a part at all: then it is not for others to say that it leaves it open."""
    return any(not aspect.own.isdisjoint(content_terms(sentence)) for sentence in sentences)


def answers(aspect: Aspect, question: str, sentence: str, about: str, idf: Idf) -> bool:
    """Whether a sentence has all words of a part, and it or what it stands under those of the question's matter."""
    if not aspect.own <= set(content_terms(sentence)):
        return False
    rest = set(content_terms(question)) - aspect.own
    weights = _weights(rest, idf)
    around = set(content_terms(f"{about} {sentence}"))
    return sum(weights[word] for word in rest & around) >= _TOPIC * sum(weights.values())


def _weights(words: set[str], idf: Idf) -> dict[str, float]:
    known = idf(words)
    rare = max(known.values(), default=1.0)
    return {word: known.get(word, rare) for word in words}
