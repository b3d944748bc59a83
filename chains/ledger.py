"""The evidence ledger: what each branch has found, whether a round brought anything new, and in which order to show it."""

from collections.abc import Sequence

from langchain_core.documents import Document


def arranged(branches: Sequence[Sequence[Document]], k: int) -> list[Document]:
    """At most `k` passages of all branches, each once: the best of each branch first, then by score."""
    first: dict[str, Document] = {}
    for branch in branches:
        for document in branch[:1]:
            first.setdefault(str(document.id), document)
    rest: dict[str, Document] = {}
    for branch in branches:
        for document in branch[1:]:
            rest.setdefault(str(document.id), document)
    ordered = sorted(rest.values(), key=lambda document: -document.metadata["score"])
    return [*first.values(), *(d for d in ordered if d.id not in first)][:k]
