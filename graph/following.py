"""Whether a question goes on with its conversation, where its words alone do not say: what is found for it tells."""

from collections.abc import Mapping, Sequence

from langchain_core.documents import Document

from graph.evidence import Idf
from graph.gate import words_of
from language.words import content_terms

_LESS = 0.1
"""By so much less of what was asked may the best passage within the topic hold, and still be what is meant."""


def goes_on(wording: str, alone: Sequence[Document], together: Sequence[Document], idf: Idf) -> bool:
    """Whether `together`, found for the question with what the conversation is about, holds what `alone` holds.

    Evidence alone would draw every question back to the old topic, for the words of the topic score there whatever is
    asked. So passages are compared by the words of the question itself, and where they are the same passage, by whether
    the topic makes it the better evidence or the worse.
    """
    if not together or not alone:
        return bool(together)
    if together[0].metadata["source_id"] == alone[0].metadata["source_id"]:
        better: bool = together[0].metadata["evidence"] >= alone[0].metadata["evidence"]
        return better
    wanted = set(content_terms(wording))
    weights = idf(wanted)
    return _held(wanted, together[0], weights) >= _held(wanted, alone[0], weights) - _LESS


def _held(wanted: set[str], passage: Document, weights: Mapping[str, float]) -> float:
    whole = sum(weights.get(word, 1.0) for word in wanted)
    held = sum(weights.get(word, 1.0) for word in wanted & words_of(passage))
    return held / whole if whole else 0.0
