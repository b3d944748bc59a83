"""Whether a question goes on with its conversation, where its words alone do not say: what is found for it tells."""

from collections.abc import Mapping, Sequence

from langchain_core.documents import Document

from graph.evidence import Idf
from graph.gate import words_of
from language.words import content_terms

_LESS = 0.1
"""By so much less of what was asked may the best passage within the topic hold, and still be what is meant."""
_LEAST = 0.5
"""Of what was asked, for a passage within the topic, where the question alone finds too little to be answered."""


def goes_on(wording: str, alone: Sequence[Document], together: Sequence[Document], idf: Idf, enough: float) -> bool:
    """Whether `together`, found for the question with what the conversation is about, holds what `alone` holds.

    Evidence alone would draw every question back to the old topic, for the words of the topic score there whatever is
    asked. So passages are compared by the words of the question itself, and where they are the same passage, by whether
    the topic makes it the better evidence or the worse. A question that finds less than `enough` evidence alone is
    hardly one that stands alone.
    """
    if not together or not alone:
        return bool(together)
    better: bool = together[0].metadata["evidence"] >= alone[0].metadata["evidence"]
    if together[0].metadata["source_id"] == alone[0].metadata["source_id"]:
        return better
    wanted = set(content_terms(wording))
    weights = idf(wanted)
    held = _held(wanted, together[0], weights)
    thin = alone[0].metadata["evidence"] < enough
    return held >= _held(wanted, alone[0], weights) - _LESS or (thin and better and held >= _LEAST)


def _held(wanted: set[str], passage: Document, weights: Mapping[str, float]) -> float:
    whole = sum(weights.get(word, 1.0) for word in wanted)
    held = sum(weights.get(word, 1.0) for word in wanted & words_of(passage))
    return held / whole if whole else 0.0
