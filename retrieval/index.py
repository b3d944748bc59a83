"""Immutable snapshots of a collection: a reader keeps the one it has, a writer swaps in the next."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import faiss
import numpy as np

from retrieval.embeddings import Vectors
from retrieval.lexical import LexicalIndex, LexicalSnapshot
from retrieval.passages import Passage


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A collection at one moment. FAISS must not be searched while it changes, so nothing here ever does."""

    passages: Mapping[int, Passage]
    dense: faiss.Index
    """Inner product over unit vectors, by passage key."""
    lexical: LexicalSnapshot

    def nearest(self, query: Vectors, k: int, among: Collection[int] | None = None) -> dict[int, float]:
        """Cosine (-1..1) of the nearest `k` passages, by passage key; only `among` these keys if given."""
        if not self.dense.ntotal:
            return {}
        chosen = None
        if among is not None:
            chosen = faiss.SearchParameters()
            chosen.sel = faiss.IDSelectorBatch(np.fromiter(among, np.int64, len(among)))
        scores, keys = self.dense.search(query.reshape(1, -1), min(k, self.dense.ntotal), params=chosen)
        return {int(key): float(score) for key, score in zip(keys[0], scores[0], strict=True) if key >= 0}


class CollectionIndex:
    """The current snapshot of one collection and the way to the next."""

    def __init__(self, dimensions: int) -> None:
        self._lexical = LexicalIndex()
        self._lock = threading.Lock()
        self.snapshot = Snapshot(
            passages=MappingProxyType({}),
            dense=faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions)),
            lexical=self._lexical.update(),
        )

    def update(self, *, add: Sequence[Passage], vectors: Vectors, remove_documents: set[str]) -> None:
        """Swap in a snapshot without some documents, with other passages; vectors have shape (passages, dimensions)."""
        with self._lock:
            before = self.snapshot
            gone = [key for key, passage in before.passages.items() if passage.document_id in remove_documents]
            passages = dict(before.passages)
            for key in gone:
                del passages[key]
            passages |= {passage.key: passage for passage in add}
            dense = faiss.clone_index(before.dense)
            if gone:
                dense.remove_ids(faiss.IDSelectorBatch(np.array(gone, np.int64)))
            if add:
                dense.add_with_ids(np.ascontiguousarray(vectors), np.array([p.key for p in add], np.int64))
            lexical = self._lexical.update(add=((p.key, p.indexed_text) for p in add), remove=gone)
            self.snapshot = Snapshot(passages=MappingProxyType(passages), dense=dense, lexical=lexical)
