"""Where the dense leg keeps its vectors: FAISS of our own, or any LangChain vector store."""

import hashlib
import importlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from retrieval.checkpoints import Checkpoints, Damaged
from retrieval.dense import Batches, DenseLeg, FaissBase, FaissLeg, SizeClasses, as_keys
from retrieval.documents import DocumentStore
from retrieval.embeddings import Vectors
from retrieval.records import Keys

log = logging.getLogger(__name__)

FAISS = "faiss"


class StoreUnavailable(RuntimeError):
    """The vector store that was asked for cannot be used. The message may be shown to the operator."""


class DenseStore(Protocol):
    """Opens a collection's dense leg, and keeps it in shape."""

    @property
    def notes(self) -> list[str]:
        """What an operator should know, for example which index was damaged and built anew."""

    def open(self, collection: str, keys: Keys) -> DenseLeg:
        """A leg that holds exactly these passages."""

    def settle(self, leg: DenseLeg, keys: Callable[[], Keys], *, thorough: bool) -> DenseLeg | None:
        """A leg of the same passages in better shape, if this one needs it; `thorough` leaves no trace of removed ones.

        May take long and happens beside searches; passages may come and go meanwhile, so the caller reconciles.
        """

    def reconciled(self, leg: DenseLeg, keys: Keys) -> DenseLeg:
        """The leg brought to exactly these passages."""

    def save(self, collection: str, leg: DenseLeg) -> None:
        """Make the next start quick, where that takes files."""

    def forget(self, collection: str, passages: Sequence[int]) -> None:
        """Erase passages that no search can find any more."""

    def drop(self, collection: str) -> None:
        """Erase a collection."""


class FaissStore:
    """FAISS in memory, with files that are only trusted when their hashes are right."""

    def __init__(
        self, stored: DocumentStore, dimensions: int, checkpoints: Checkpoints, sizes: SizeClasses | None = None
    ) -> None:
        self.notes: list[str] = []
        self._stored = stored
        self._dimensions = dimensions
        self._checkpoints = checkpoints
        self._sizes = sizes or SizeClasses()
        self._written: dict[str, FaissBase] = {}

    def open(self, collection: str, keys: Keys) -> DenseLeg:
        base = None
        try:
            base = self._checkpoints.read(collection)
        except Damaged as damage:
            log.warning("%s; building them anew", damage)
            self.notes.append(f"{damage}; they were built anew from the documents")
        if base is None or base.index.d != self._dimensions:
            return FaissLeg(self._build(keys))
        self._written[collection] = base
        return self.reconciled(FaissLeg(base), keys)

    def settle(self, leg: DenseLeg, keys: Callable[[], Keys], *, thorough: bool) -> DenseLeg | None:
        assert isinstance(leg, FaissLeg)
        if not (leg.overdue(self._sizes) or (thorough and not leg.alive.all())):
            return None
        if leg.outgrown(self._sizes):
            return FaissLeg(self._build(keys()))
        return leg.merged()

    def reconciled(self, leg: DenseLeg, keys: Keys) -> DenseLeg:
        assert isinstance(leg, FaissLeg)
        missing = np.setdiff1d(keys, leg.keys)
        found, vectors = _joined(self._stored.dense_vectors(missing), self._dimensions)
        return leg.changed(add=found, vectors=vectors, remove=np.setdiff1d(leg.keys, keys))

    def save(self, collection: str, leg: DenseLeg) -> None:
        assert isinstance(leg, FaissLeg)
        if leg.base is not self._written.get(collection):
            self._checkpoints.write(collection, leg.base)
            self._written[collection] = leg.base

    def forget(self, collection: str, passages: Sequence[int]) -> None:
        """Nothing: a thorough `settle` did it."""

    def drop(self, collection: str) -> None:
        self._written.pop(collection, None)
        self._checkpoints.remove(collection)

    def _build(self, keys: Keys) -> FaissBase:
        kind = self._sizes.of(len(keys))
        if kind == "ivf":
            log.info("building an index of %d passages", len(keys))
        wanted = self._sizes.sample(len(keys))
        chosen = keys if wanted >= len(keys) else np.sort(np.random.default_rng(0).choice(keys, wanted, replace=False))
        sample = (
            _joined(self._stored.dense_vectors(chosen), self._dimensions)[1] if wanted else np.empty((0, 0), np.float32)
        )
        return FaissBase.build(kind, len(keys), self._dimensions, self._stored.dense_vectors(keys), sample)


MakeStore = Callable[[str, Embeddings, Path], VectorStore]
"""Given a collection's name, the embeddings to use and a folder to keep files in: the store of that collection."""


class LangChainStore:
    """Any LangChain `VectorStore`. It only proposes candidates: the cosines are taken from our own vectors.

    Its documents' ids are the passages' keys. A passage is put in before searches may find it and taken out after, so
    that what the store proposes beyond a snapshot is left out, and nothing of a snapshot is missing.
    """

    def __init__(self, stored: DocumentStore, make: MakeStore, folder: Path) -> None:
        self.notes: list[str] = []
        self._stored = stored
        self._make = make
        self._folder = folder
        self._opened: dict[str, VectorStore] = {}

    def open(self, collection: str, keys: Keys) -> DenseLeg:
        given = Given()
        store = self._opened[collection] = self._make(collection, given, self._folder)
        return self.reconciled(LangChainLeg(store, given, self._stored, _present(store, keys)), keys)

    def settle(self, leg: DenseLeg, keys: Callable[[], Keys], *, thorough: bool) -> DenseLeg | None:
        return None

    def reconciled(self, leg: DenseLeg, keys: Keys) -> DenseLeg:
        assert isinstance(leg, LangChainLeg)
        for some, vectors in self._stored.dense_vectors(np.setdiff1d(keys, leg.keys)):
            leg = leg.changed(add=some, vectors=vectors, remove=np.empty(0, np.int64))
        return leg

    def save(self, collection: str, leg: DenseLeg) -> None:
        """Nothing: the store keeps itself."""

    def forget(self, collection: str, passages: Sequence[int]) -> None:
        if collection in self._opened and passages:
            self._opened[collection].delete([str(key) for key in passages])

    def drop(self, collection: str) -> None:
        self._opened.pop(collection, None)


class LangChainLeg:
    """The passages of one snapshot in a LangChain store, which itself goes on changing."""

    def __init__(self, store: VectorStore, given: "Given", stored: DocumentStore, keys: Keys) -> None:
        self.keys = keys
        self._store = store
        self._given = given
        self._stored = stored

    def nearest(self, query: Vectors, k: int, among: Keys | None = None) -> list[int]:
        if among is not None:  # filters differ from store to store: we look at the chosen ones ourselves, all of them
            return self._nearest_of(query, k, among)
        if not len(self.keys):
            return []
        wanted = k + _MARGIN
        while True:
            found = self._store.similarity_search_by_vector(query.tolist(), k=wanted)
            proposed = as_keys([int(document.metadata[_KEY]) for document in found])
            alive: list[int] = proposed[np.isin(proposed, self.keys)].tolist()
            if len(alive) >= min(k, len(self.keys)) or len(found) < wanted:
                return alive[:k]
            wanted *= 4  # a large document was just replaced, and its former version crowds out the others

    def changed(self, *, add: Keys, vectors: Vectors, remove: Keys) -> "LangChainLeg":
        for start in range(0, len(add), _AT_ONCE):
            self._put(add[start : start + _AT_ONCE], vectors[start : start + _AT_ONCE])
        keys = np.concatenate([self.keys[~np.isin(self.keys, remove)], add])
        return LangChainLeg(self._store, self._given, self._stored, keys)

    def _put(self, keys: Keys, vectors: Vectors) -> None:
        passages = self._stored.passages(keys.tolist())
        texts = [passages[int(key)].text for key in keys]
        metadatas = [{_KEY: int(key), "source_id": passages[int(key)].source_id} for key in keys]
        with self._given.holding(texts, vectors):
            self._store.add_texts(texts, metadatas, ids=[str(key) for key in keys])

    def _nearest_of(self, query: Vectors, k: int, among: Keys) -> list[int]:
        scores = {
            int(key): float(score)
            for some, vectors in self._stored.dense_vectors(among)
            for key, score in zip(some, vectors @ query, strict=True)
        }
        return sorted(scores, key=lambda key: -scores[key])[:k]


class Given(Embeddings):
    """Hands a store the vectors that were already made, in the order of the texts it is adding."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._vectors: dict[str, list[list[float]]] = {}

    @contextmanager
    def holding(self, texts: Sequence[str], vectors: Vectors) -> Iterator[None]:
        """While these texts are added; one writer at a time."""
        with self._lock:
            for text, vector in zip(texts, vectors.tolist(), strict=True):
                self._vectors.setdefault(text, []).append(vector)
            try:
                yield
            finally:
                self._vectors = {}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._vectors[text].pop(0) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        raise NotImplementedError("questions come as vectors")


def chroma_store(collection: str, embeddings: Embeddings, folder: Path) -> VectorStore:
    """Chroma in a folder of its own; needs the package `langchain-chroma`."""
    try:
        from chromadb.config import Settings
        from langchain_chroma import Chroma
    except ImportError as error:
        raise StoreUnavailable("chroma needs another package: pip install 'groundswell[chroma]'") from error
    name = "c" + hashlib.sha256(collection.encode()).hexdigest()[:32]  # Chroma's names are short and plain
    return Chroma(
        name,
        embeddings,
        persist_directory=str(folder / "chroma"),
        client_settings=Settings(anonymized_telemetry=False, is_persistent=True),
        collection_metadata={"hnsw:space": "ip"},
    )


STORES: dict[str, MakeStore] = {"chroma": chroma_store}
"""Beside `faiss`. A new store is a function and a name; whoever has one of their own names it `module:function`."""


def store_maker(name: str) -> MakeStore:
    """The function that makes a collection's store. Raises `StoreUnavailable`."""
    if name in STORES:
        return STORES[name]
    module, _, function = name.partition(":")
    if not function:
        known = ", ".join([FAISS, *STORES])
        raise StoreUnavailable(f"there is no vector store {name!r}; there are {known}, or module:function of your own")
    try:
        made: MakeStore = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise StoreUnavailable(f"the vector store {name!r} cannot be imported: {error}") from error
    return made


_KEY = "key"
_AT_ONCE = 1000
"""Stores have limits of their own: Chroma's is about 5,000."""
_MARGIN = 20
"""More candidates than asked for: some may have just gone, or not be there yet."""


def _present(store: VectorStore, keys: Keys) -> Keys:
    """Which passages a store holds already."""
    try:
        found = [
            document.metadata[_KEY]
            for start in range(0, len(keys), _AT_ONCE)
            for document in store.get_by_ids([str(key) for key in keys[start : start + _AT_ONCE]])
        ]
    except NotImplementedError:  # then each is put in again, under the same id
        found = []
    return np.sort(as_keys([int(key) for key in found]))


def _joined(batches: Batches, dimensions: int) -> tuple[Keys, Vectors]:
    keys, vectors = [np.empty(0, np.int64)], [np.empty((0, dimensions), np.float32)]
    for some, their in batches:
        keys.append(some)
        vectors.append(their)
    return np.concatenate(keys), np.concatenate(vectors)
