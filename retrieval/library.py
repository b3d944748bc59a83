"""The library: collections of documents that can be added to and searched."""

import asyncio
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from language.invisible import visible
from language.words import terms
from retrieval.calibration import EVIDENCE, Platt
from retrieval.coverage import pack
from retrieval.dense import as_keys
from retrieval.documents import DocumentStore
from retrieval.embeddings import DIMENSIONS, MODEL_NAME, MiniLM, Vectors
from retrieval.housekeeping import GRACE_SECONDS, Housekeeping
from retrieval.hybrid import Evidence, Question, search
from retrieval.index import CollectionIndex, Filters, Snapshot
from retrieval.passages import Draft, Passage, place_of
from retrieval.reach import Reach, beyond
from retrieval.records import Embedded, Keys, NewDocument, Published
from retrieval.stores import DenseStore
from retrieval.submissions import Parsed, Submission, parse

log = logging.getLogger(__name__)

DEFAULT_COLLECTION = "default"
DOCS_COLLECTION = "docs"
ENCODE_AT_ONCE = 32
"""Passages embedded between two commits."""


class UnknownCollection(LookupError):
    """No collection has this name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DenseModel:
    """Any LangChain embeddings for the dense leg, in place of the embedded encoder."""

    name: str
    """`provider:model`; a different name means that every passage is embedded again."""
    model: Embeddings


Stage = Literal["parsed", "chunked", "embedded", "indexed"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage of CONTRACT's `document_stage`, how much is done, and of how much."""

MakeDense = Callable[[DocumentStore, int], DenseStore]
"""Makes the store of the dense leg for vectors of so many dimensions."""


class Library:
    """Documents in SQLite, a searchable snapshot of each collection in memory. Safe for many threads."""

    def __init__(
        self,
        stored: DocumentStore,
        encoder: MiniLM,
        make_dense: MakeDense,
        dense: DenseModel | None = None,
        *,
        grace: float = GRACE_SECONDS,
    ) -> None:
        """What was removed is erased after `grace` seconds: longer than any search takes."""
        self.stored = stored
        self.encoder = encoder
        self._dense = dense
        self._dimensions = DIMENSIONS if dense is None else len(dense.model.embed_query("dimensions"))
        self._writing = threading.RLock()
        self._saving = threading.Lock()
        self._embed_again()
        self._vectors = make_dense(stored, self._dimensions)
        self._indexes: dict[str, CollectionIndex] = {}
        for name in (DEFAULT_COLLECTION, DOCS_COLLECTION):
            stored.create_collection(name)
        for name in stored.collections():
            self._indexes[name] = self._open(name)
        self._keeping = Housekeeping(self._settle, self._purge, grace)
        self._keeping.purge_now(stored.dead())

    def close(self) -> None:
        """Wait for a write under way, write the index files, then close the database."""
        self._keeping.stop()
        with self._writing:
            self._purge(self.stored.dead())
            for name, index in self._indexes.items():
                self._save(name, index)
            self.stored.database.close()

    @property
    def dense_name(self) -> str:
        """The name of the model of the dense leg."""
        return MODEL_NAME if self._dense is None else self._dense.name

    @property
    def notes(self) -> list[str]:
        """What an operator should know of the indexes, for example which one was damaged and built anew."""
        return self._vectors.notes

    def _embed_again(self) -> None:
        """Make the vectors that are missing: all of them, when another model makes them now."""
        if self.stored.setting("dense_model") != self.dense_name:
            self.stored.forget_vectors()
            self.stored.set_setting("dense_model", self.dense_name)
        while missing := self.stored.unembedded(ENCODE_AT_ONCE):
            self.stored.embed(self.encode(missing))

    def _open(self, collection: str) -> CollectionIndex:
        keys, owners = self.stored.live_passages(collection)
        index = CollectionIndex(self._vectors.open(collection, keys), self.stored.calibration(collection) or EVIDENCE)
        index.load(self.stored.members(collection), keys, owners, self.stored.stems(keys))
        return index

    # --- reading

    def sizes(self) -> dict[str, int]:
        """The number of passages in each collection."""
        return {name: len(index.snapshot) for name, index in self._indexes.items()}

    def count(self, collection: str, filters: Filters | None = None) -> int:
        """The number of passages a search looks at. Raises `UnknownCollection`."""
        snapshot = self.snapshot(collection)
        return len(snapshot.matching(filters)) if filters else len(snapshot)

    def snapshot(self, collection: str) -> Snapshot:
        """What searches of a collection see now. Raises `UnknownCollection`."""
        try:
            return self._indexes[collection].snapshot
        except KeyError:
            raise UnknownCollection(collection) from None

    def resolve(self, collection: str | None) -> str:
        """The collection a question is answered from: `docs` while none is named and `default` is empty."""
        if collection is not None:
            self.snapshot(collection)
            return collection
        return DEFAULT_COLLECTION if len(self.snapshot(DEFAULT_COLLECTION)) else DOCS_COLLECTION

    def idf(self, collection: str) -> Callable[[set[str]], dict[str, float]]:
        """How telling each stemmed word is in a collection: larger is rarer."""
        return lambda wanted: self.snapshot(collection).lexical.idf(wanted)

    async def search(
        self, collection: str, text: str, k: int, filters: Filters | None = None, reach: Reach | None = None
    ) -> Evidence:
        """The best `k` passages of a collection. Raises `UnknownCollection`."""
        return await asyncio.to_thread(self.search_now, collection, text, k, filters, reach)

    def search_now(
        self, collection: str, text: str, k: int, filters: Filters | None = None, reach: Reach | None = None
    ) -> Evidence:
        """`search` for callers without an event loop."""
        snapshot = self.snapshot(collection)
        among = snapshot.matching(filters) if filters else None
        question = self.question(text)
        found = search(snapshot, self.stored, question, k, among=among)
        if reach is None or not (reach.wide or reach.also):
            return found
        best = [hit.passage.key for hit in found.hits] if reach.wide else []
        others = [self.question(other) for other in reach.also]
        further = beyond(snapshot, self.stored, question, best, others, among)
        return search(snapshot, self.stored, question, k, among=among, further=further)

    def beginning(self, source_id: str) -> str:
        """How the document of a passage begins; empty if it is not there any more."""
        place = place_of(source_id)
        if place is None:
            return ""
        collection, document_id, version, _ = place
        found = self.stored.neighbours(collection, document_id, version, [0])
        return found[0].text if 0 in found else ""

    def question(self, text: str) -> Question:
        """A question with its vectors."""
        text, dense = visible(text), None
        if self._dense is not None:
            dense = _unit(np.array(self._dense.model.embed_query(text), np.float32))
        return Question.of(text, self.encoder.encode_query(text), dense)

    # --- writing

    def create(self, collection: str) -> None:
        """Make an empty collection; one that exists stays as it is."""
        with self._writing:
            self.stored.create_collection(collection)
            self._index(collection)

    def drop(self, collection: str) -> bool:
        """Remove a collection with everything in it, for good; whether there was one."""
        with self._writing:
            if collection not in self._indexes:
                return False
            self.clear(collection)
            self._purge(self.stored.dead())
            with self._saving:
                del self._indexes[collection]
                self._vectors.drop(collection)
            self.stored.drop_collection(collection)
            return True

    def clear(self, collection: str) -> int:
        """Remove every document of a collection; how many there were."""
        return self._remove(collection, None)

    def remove(self, collection: str, document_id: str) -> bool:
        """Remove a document: no later search finds it, and soon nothing is left of it; whether there was one."""
        return self._remove(collection, document_id) > 0

    def sweep(self) -> None:
        """Soon erase what was staged and given up."""
        self._keeping.purge_soon(self.stored.dead())

    def _remove(self, collection: str, document_id: str | None) -> int:
        with self._writing:
            dead = self.stored.kill(collection, document_id)
            if dead:
                nothing = np.empty(0, np.int64)
                self._swap(collection, Published(live={}, dead=dead, passages=nothing, owners=nothing))
            return len(dead)

    def add(self, collection: str, submission: Submission, progress: Progress = lambda *_: None) -> str:
        """Read, cut, embed and store one document; its id. A former version is replaced at once, never mixed.

        When `add` returns, the document is durable and every later search finds it. Raises `LoadError`.
        """
        parsed = parse(submission, self.encoder.count_pieces)
        document = new_document(collection, submission, parsed)
        total = len(parsed.drafts)
        progress("parsed", 1, 1)
        progress("chunked", total, total)
        if not self.holds(document):
            key = self.stage(document, parsed.drafts)
            done = 0
            while batch := self.stored.unembedded(ENCODE_AT_ONCE, [key]):
                self.stored.embed(self.encode(batch))
                done += len(batch)
                progress("embedded", done, total)
            self.publish(collection, lambda: [key])
        progress("indexed", total, total)
        return document.id

    def holds(self, document: NewDocument) -> bool:
        """Whether exactly this is stored and live."""
        return self.stored.digest(document.collection, document.id) == document.digest

    def stage(self, document: NewDocument, drafts: Sequence[Draft]) -> int:
        """Store a document that no search finds yet; its key."""
        return self.stored.stage(document, drafts)

    def encode(self, passages: Sequence[Passage]) -> list[Embedded]:
        """Everything a search scores of passages."""
        texts = [passage.indexed_text for passage in passages]
        late = self.encoder.encode(
            [(text, passage.indexed_sentences) for text, passage in zip(texts, passages, strict=True)]
        )
        dense = [one.passage for one in late] if self._dense is None else self._dense_vectors(texts)
        return [
            Embedded(
                key=passage.key,
                dense=vector,
                sentences=one.sentences,
                words=pack(passage),
                stems=" ".join(terms(text)),
            )
            for passage, text, one, vector in zip(passages, texts, late, dense, strict=True)
        ]

    def publish(self, collection: str, choose: Callable[[], Sequence[int]]) -> None:
        """Make staged documents, all of whose passages are embedded, the ones searches find; in one step.

        `choose` says which, and may write in the same transaction.
        """
        with self._writing:
            with self.stored.transaction():
                published = self.stored.publish(choose())
            if published.live or published.dead:
                self._swap(collection, published)

    def calibrate(self, collection: str, curve: Platt, report: dict[str, float]) -> None:
        """Score a collection with another curve from now on. Raises `UnknownCollection`."""
        with self._writing:
            self.snapshot(collection)
            self.stored.set_calibration(collection, curve, report)
            self._indexes[collection].swap(calibration=curve)

    def _swap(self, collection: str, published: Published) -> None:
        vectors = [vectors for _, vectors in self.stored.dense_vectors(published.passages)]
        joined = np.concatenate(vectors) if vectors else np.empty((0, self._dimensions), np.float32)
        self._index(collection).update(published, joined, list(self.stored.stems(published.passages)))
        self._keeping.purge_soon(published.dead)

    def _index(self, collection: str) -> CollectionIndex:
        if collection not in self._indexes:
            self._indexes[collection] = CollectionIndex(self._vectors.open(collection, as_keys([])))
        return self._indexes[collection]

    def _dense_vectors(self, texts: list[str]) -> Vectors:
        assert self._dense is not None
        vectors = np.array(self._dense.model.embed_documents(texts), np.float32)
        return _unit(vectors.reshape(len(texts), self._dimensions))

    # --- housekeeping, in a thread of its own

    def _settle(self) -> None:
        """Bring every dense leg into shape. Only the swap keeps writers waiting."""
        for name, index in list(self._indexes.items()):
            self._settle_one(name, index, thorough=False)

    def _settle_one(self, name: str, index: CollectionIndex, *, thorough: bool) -> None:
        better = self._vectors.settle(index.snapshot.dense, lambda: index.snapshot.keys, thorough=thorough)
        if better is None:
            return
        with self._writing:
            index.swap(dense=self._vectors.reconciled(better, index.snapshot.keys))
        self._save(name, index)

    def _purge(self, documents: Sequence[int]) -> None:
        """Leave no trace of dead documents, in indexes, index files and the database."""
        if not documents:
            return
        passages = self.stored.passages_of(documents)
        for name in self.stored.collections_of(documents):
            if name in self._indexes:
                self._settle_one(name, self._indexes[name], thorough=True)
                self._vectors.forget(name, passages)
        self.stored.purge(documents)

    def _save(self, name: str, index: CollectionIndex) -> None:
        try:
            with self._saving:
                if self._indexes.get(name) is index:  # else it was dropped meanwhile
                    self._vectors.save(name, index.snapshot.dense)
        except OSError:
            log.exception("the index files of %s cannot be written; the next start builds them anew", name)


def new_document(collection: str, submission: Submission, parsed: Parsed) -> NewDocument:
    """What is to be stored of a submission."""
    file_name = Path(submission.name).name if submission.name else None
    names = (submission.title, parsed.title, file_name, submission.document_id)
    title = next((shown for name in names if name and (shown := visible(name).strip())), "Untitled")
    digest = hashlib.sha256(json.dumps([title, parsed.media_type, dict(submission.metadata)], sort_keys=True).encode())
    digest.update(parsed.text.encode("utf-8", "surrogatepass"))
    return NewDocument(
        collection=collection,
        id=submission.document_id,
        title=title,
        content=parsed.text,
        digest=digest.hexdigest(),
        media_type=parsed.media_type,
        uri=file_name,
        metadata=dict(submission.metadata),
        pages=parsed.pages,
        original=submission.data if isinstance(submission.data, bytes) else None,
    )


def _unit(vectors: Vectors) -> Vectors:
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return scaled


__all__ = ["DEFAULT_COLLECTION", "DOCS_COLLECTION", "DenseModel", "Filters", "Keys", "Library", "Submission"]
