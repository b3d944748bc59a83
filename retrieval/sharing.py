"""Who gets the places that are shown: one document at most half of them, while others have something to say."""

from collections import Counter
from collections.abc import Sequence

from langchain_core.documents import Document

LIKELY = 0.5
"""The score from which on a passage is worth more than a further one of a document that has spoken already."""


def shared_out(found: Sequence[Document], places: int, floor: float) -> list[Document]:
    """What was found, best first, but for the first `places`, of which one document has at most half, rounded up.

    What it has beyond that gives way, the weakest first, to the best passages of others that score `floor` and are
    likely to answer; without such passages it stays. So a document that says one thing many times does not outvote all
    others, and a collection of one document loses nothing.
    """
    likely = max(floor, LIKELY)
    shown, waiting = list(range(min(places, len(found)))), list(range(places, len(found)))
    owners = [document.metadata["document_id"] for document in found]
    held = Counter(owners[at] for at in shown)
    for at in reversed(shown.copy()):
        if held[owners[at]] <= (places + 1) // 2:
            continue
        others = (w for w in waiting if owners[w] != owners[at] and found[w].metadata["score"] >= likely)
        other = next(others, None)
        if other is not None:
            shown[shown.index(at)] = other
            waiting[waiting.index(other)] = at
            held[owners[at]] -= 1
    return [found[at] for at in (*sorted(shown), *sorted(waiting))]
