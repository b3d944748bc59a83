"""The evidence ledger: the passages of all branches in the order in which they are written from and shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from langchain_core.documents import Document

_OF_THE_QUESTION = 3
"""Places of what was found for the whole question, before any other search has one."""


def arranged(searches: Sequence[Sequence[Document]], k: int) -> list[Document]:
    """At most `k` passages, each once: coverage first, then the score.

    `searches` are what was found by each query, best first: that for the whole question, then branch by branch and hop
    by hop. The best three for the question lead; each further search, in order, has a place for its best passage;
    the rest go by their scores (0..1, each of its own query). One document gets more than half of the places only if
    no others are left.
    """
    if not searches:
        return []
    seeds = [*searches[0][:_OF_THE_QUESTION], *(document for found in searches[1:] for document in found[:1])]
    rest = sorted(chain.from_iterable(searches), key=lambda document: -document.metadata["score"])
    return list(_shared(_once([*seeds, *rest]), k))[:k]


def _once(documents: Sequence[Document]) -> Iterator[Document]:
    seen: set[str | None] = set()
    for document in documents:
        if document.id not in seen:
            seen.add(document.id)
            yield document


def _shared(documents: Iterator[Document], k: int) -> Iterator[Document]:
    """What one document has beyond half of `k` places, rounded up, comes last."""
    held: Counter[str] = Counter()
    waiting: list[Document] = []
    for document in documents:
        owner = document.metadata["document_id"]
        if held[owner] < (k + 1) // 2:
            held[owner] += 1
            yield document
        else:
            waiting.append(document)
    yield from waiting
