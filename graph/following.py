"""What is found for a question of a conversation: which question is meant, and what is shown of several searches."""

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest

from langchain_core.documents import Document

from chains.rewrite import faithful_in_conversation
from graph.evidence import Idf
from graph.gate import words_of
from graph.rewriting import PendingRewrite
from graph.state import RagState
from language.words import content_terms

_LESS = 0.1
"""By so much less of what was asked may the best passage within the topic hold, and still be what is meant."""
_LEAST = 0.5
"""Of what was asked, for a passage within the topic, where the question alone finds too little to be answered."""


def seated(
    answered: Sequence[Document],
    others: Sequence[Sequence[Document]],
    places: int,
    floor: float,
    *,
    complete: bool,
) -> list[Document]:
    """The passages of several searches, each once; those that get a place come first.

    `answered` is what was found for the question that is answered. The searches take turns with what scores `floor`, so
    that a question that was misunderstood costs some of the places and not all. Where the question is complete in
    itself, each of the others has one place, the last ones, for its best passage. A score is that of the question that
    is answered, or where that finds a passage only below `floor`, of the search that put it forward.
    """
    own = [document for document in answered if complete or document.metadata["score"] >= floor]
    telling = [[document for document in found if document.metadata["score"] >= floor] for found in others]
    if complete:
        best = [document for found in telling for document in found[:1]]
        first = max(1, places - len(best))
        order = [*own[:first], *best, *own[first:]]
    else:
        order = [*_by_turns([own, *telling]), *_by_turns([answered, *others])]
    scored = {document.metadata["source_id"]: document for document in [*reversed(order), *own]}
    return [scored[source_id] for source_id in dict.fromkeys(document.metadata["source_id"] for document in order)]


def _by_turns(searches: Sequence[Sequence[Document]]) -> list[Document]:
    """The best of each, then the second of each, and so on."""
    return [document for document in chain.from_iterable(zip_longest(*searches)) if document is not None]


def goes_on(wording: str, alone: Sequence[Document], together: Sequence[Document], idf: Idf, enough: float) -> bool:
    """Whether `together`, found for the question with what the conversation is about, holds what `alone` holds.

    Evidence alone would draw every question back to the old topic, for the words of the topic score there whatever is
    asked. So passages are compared by the words of the question itself, and where they are the same passage, by whether
    the topic makes it the better evidence or the worse. A question that finds less than `enough` evidence alone is
    hardly one that stands alone. What holds none of its words is no answer to it.
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
    return 0 < held >= _held(wanted, alone[0], weights) - _LESS or (thin and better and held >= _LEAST)


async def condensed(state: RagState, rewriting: PendingRewrite, seconds: float) -> str | None:
    """A model's rewrite of a follow-up, if it comes in time, says something of its own and is faithful."""
    written, wording = await rewriting.unless_enough(seconds), state.get("wording", state["question"])
    if written is None or set(content_terms(written)) <= set(content_terms(wording)):
        return None
    return written if faithful_in_conversation(wording, written, state.get("history", ())) else None


def _held(wanted: set[str], passage: Document, weights: Mapping[str, float]) -> float:
    whole = sum(weights.get(word, 1.0) for word in wanted)
    held = sum(weights.get(word, 1.0) for word in wanted & words_of(passage))
    return held / whole if whole else 0.0
