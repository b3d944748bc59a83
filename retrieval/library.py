"""The library: collections of documents that can be added to and searched."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from retrieval.chunking import cut_passages
from retrieval.documents import DocumentStore, NewDocument
from retrieval.embeddings import DIMENSIONS, MODEL_NAME, Encoded, MiniLM, Vectors
from retrieval.hybrid import Evidence, Filters, Question, matching, search
from retrieval.index import CollectionIndex, Snapshot
from retrieval.loaders import Loaded, LoadError, load, load_text
from retrieval.passages import Draft, indexed_text

DEFAULT_COLLECTION = "default"
DOCS_COLLECTION = "docs"
_ENCODE_AT_ONCE = 16


class UnknownCollection(LookupError):
    """No collection has this name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A document as it was handed in, before anything is known of it."""

    data: bytes | str
    """A file's bytes, or a text to be kept verbatim."""
    name: str | None = None
    """The file's name; its suffix says how bytes are read."""
    id: str | None = None
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DenseModel:
    """Any LangChain embeddings for the dense leg, in place of the embedded encoder."""

    name: str
    """`provider:model`; a different name means that every passage is embedded again."""
    model: Embeddings


Stage = Literal["parsed", "chunked", "embedded", "indexed"]
Progress = Callable[[Stage, int, int], None]
"""Called with a stage of CONTRACT's `document_stage`, how much is done, and of how much."""


class Library:
    """Documents in SQLite, a searchable snapshot of each collection in memory. Safe for many threads."""

    def __init__(self, store: DocumentStore, encoder: MiniLM, dense: DenseModel | None = None) -> None:
        self._store = store
        self._encoder = encoder
        self._dense = dense
        self._dimensions = DIMENSIONS if dense is None else len(dense.model.embed_query("dimensions"))
        self._writing = threading.Lock()
        if store.dense_model() != self.dense_name:
            self._embed_again()
        self._indexes = {name: self._read(name) for name in store.collections()}
        for name in (DEFAULT_COLLECTION, DOCS_COLLECTION):
            if name not in self._indexes:
                self._store.create_collection(name)
                self._indexes[name] = CollectionIndex(self._dimensions)

    def close(self) -> None:
        """Wait for a write under way, then close the file."""
        with self._writing:
            self._store.close()

    @property
    def dense_name(self) -> str:
        """The name of the model of the dense leg."""
        return MODEL_NAME if self._dense is None else self._dense.name

    def _embed_again(self) -> None:
        stored = [p for name in self._store.collections() for p in self._store.passages(name).passages]
        vectors = self._dense_vectors([passage.indexed_text for passage in stored])
        self._store.replace_vectors(self.dense_name, ((p.key, v) for p, v in zip(stored, vectors, strict=True)))

    def _dense_vectors(self, texts: list[str]) -> Vectors:
        """Unit vectors of the dense leg, shape (texts, dimensions)."""
        model: Embeddings = self._encoder if self._dense is None else self._dense.model
        vectors = np.array(model.embed_documents(texts), np.float32).reshape(len(texts), self._dimensions)
        return _unit(vectors)

    def _read(self, collection: str) -> CollectionIndex:
        index = CollectionIndex(self._dimensions)
        stored = self._store.passages(collection)
        index.update(add=stored.passages, vectors=stored.vectors, remove_documents=set())
        return index

    def sizes(self) -> dict[str, int]:
        """The number of passages in each collection."""
        return {name: len(index.snapshot.passages) for name, index in self._indexes.items()}

    def count(self, collection: str, filters: Filters | None = None) -> int:
        """The number of passages a search looks at. Raises `UnknownCollection`."""
        snapshot = self.snapshot(collection)
        return len(matching(snapshot, filters)) if filters else len(snapshot.passages)

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
        return DEFAULT_COLLECTION if self._indexes[DEFAULT_COLLECTION].snapshot.passages else DOCS_COLLECTION

    def idf(self, collection: str) -> Callable[[set[str]], dict[str, float]]:
        """How telling each stemmed word is in a collection: larger is rarer."""
        return lambda wanted: self.snapshot(collection).lexical.idf(wanted)

    async def search(self, collection: str, text: str, k: int, filters: Filters | None = None) -> Evidence:
        """The best `k` passages of a collection. Raises `UnknownCollection`."""
        return await asyncio.to_thread(self.search_now, collection, text, k, filters)

    def search_now(self, collection: str, text: str, k: int, filters: Filters | None = None) -> Evidence:
        """`search` for callers without an event loop."""
        snapshot = self.snapshot(collection)
        dense = None
        if self._dense is not None:
            dense = _unit(np.array(self._dense.model.embed_query(text), np.float32))
        return search(snapshot, Question.of(text, self._encoder.encode_query(text), dense), k, filters=filters)

    def digests(self, collection: str) -> dict[str, str]:
        """What is stored of each document, by id; equal digests are equal documents."""
        return self._store.digests(collection)

    def create(self, collection: str) -> None:
        """Make an empty collection; one that exists stays as it is."""
        with self._writing:
            self._store.create_collection(collection)
            if collection not in self._indexes:
                self._indexes[collection] = CollectionIndex(self._dimensions)

    def add(self, collection: str, submission: Submission, progress: Progress = lambda *_: None) -> str:
        """Parse, cut, embed and store one document; its id. A former version is replaced at once, never mixed.

        When `add` returns, the document is durable and every later search finds it. Raises `LoadError`.
        """
        loaded = _parse(submission)
        document = _document(collection, submission, loaded)
        progress("parsed", 1, 1)
        drafts = cut_passages(loaded.text, loaded.blocks, self._encoder.count_pieces)
        if not drafts:
            raise LoadError("empty", "There is no text in this document.")
        progress("chunked", len(drafts), len(drafts))
        if self._store.digests(collection).get(document.id) != document.digest:
            encoded, vectors = self._encode(document, drafts, progress)
            with self._writing:
                self._store.put(document, drafts, encoded, vectors)
                self._publish(collection, document.id)
        progress("indexed", len(drafts), len(drafts))
        return document.id

    def remove(self, collection: str, document_id: str) -> bool:
        """Remove a document from the truth and from the index; whether there was one."""
        with self._writing:
            removed = self._store.delete(collection, document_id)
            if removed:
                self._publish(collection, document_id)
            return removed

    def _encode(self, document: NewDocument, drafts: list[Draft], progress: Progress) -> tuple[list[Encoded], Vectors]:
        encoded: list[Encoded] = []
        vectors: list[Vectors] = []
        for begin in range(0, len(drafts), _ENCODE_AT_ONCE):
            batch = [_model_input(document, draft) for draft in drafts[begin : begin + _ENCODE_AT_ONCE]]
            late = self._encoder.encode(batch)
            encoded.extend(late)
            vectors.extend(
                (one.passage for one in late) if self._dense is None else self._dense_vectors([t for t, _ in batch])
            )
            progress("embedded", len(encoded), len(drafts))
        return encoded, np.array(vectors, np.float32)

    def _publish(self, collection: str, document_id: str) -> None:
        stored = self._store.passages(collection, document_id)
        if collection not in self._indexes:
            self._indexes[collection] = CollectionIndex(self._dimensions)
        self._indexes[collection].update(add=stored.passages, vectors=stored.vectors, remove_documents={document_id})


def document_id_of(submission: Submission) -> str:
    """The id a submission is stored under: its own, else one made of its content."""
    if submission.id is not None:
        return submission.id
    data = submission.data.encode() if isinstance(submission.data, str) else submission.data
    return hashlib.sha256(data).hexdigest()[:16]


def _parse(submission: Submission) -> Loaded:
    if isinstance(submission.data, str):
        if "\0" in submission.data:
            raise LoadError("undecodable", "The text holds NUL characters.")
        return load_text(submission.data)
    return load(submission.name or "", submission.data)


def _document(collection: str, submission: Submission, loaded: Loaded) -> NewDocument:
    document_id = document_id_of(submission)
    file_name = Path(submission.name).name if submission.name else None
    title = submission.title or loaded.title or file_name or document_id
    described = json.dumps([title, loaded.text, loaded.media_type, dict(submission.metadata)], sort_keys=True)
    return NewDocument(
        collection=collection,
        id=document_id,
        title=title,
        content=loaded.text,
        digest=hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest(),
        media_type=loaded.media_type,
        uri=submission.name,
        metadata=dict(submission.metadata),
    )


def _unit(vectors: Vectors) -> Vectors:
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return scaled


def _model_input(document: NewDocument, draft: Draft) -> tuple[str, list[tuple[int, int]]]:
    text = indexed_text(document.title, draft.section, document.content[draft.start : draft.end])
    head = len(text) - (draft.end - draft.start)
    return text, [(start + head, end + head) for start, end in draft.sentences]
