"""SQLite: the truth about documents and passages. Everything else can be rebuilt from it."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embeddings import DIMENSIONS, Encoded, Vectors
from retrieval.passages import Draft, Passage

_MIGRATIONS = [
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE collections (
        name TEXT PRIMARY KEY, created TEXT NOT NULL
    );
    CREATE TABLE documents (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL REFERENCES collections(name) ON DELETE CASCADE,
        id TEXT NOT NULL, title TEXT NOT NULL, uri TEXT, media_type TEXT NOT NULL, content TEXT NOT NULL,
        metadata TEXT NOT NULL, digest TEXT NOT NULL, created TEXT NOT NULL,
        UNIQUE (collection, id)
    );
    CREATE TABLE passages (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        document INTEGER NOT NULL REFERENCES documents(key) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        section TEXT, page INTEGER, sentences TEXT NOT NULL,
        vector BLOB NOT NULL, sentence_vectors BLOB NOT NULL,
        UNIQUE (document, ordinal)
    );
    """,
]


class DataFolderTooNew(RuntimeError):
    """The data folder was written by a later version."""


class DataFolderDamaged(RuntimeError):
    """The database in the data folder cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A document to be stored."""

    collection: str
    id: str
    title: str
    content: str
    digest: str
    """SHA-256 over title, content and metadata: the same digest means nothing to do."""
    media_type: str = "text/plain"
    uri: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPassages:
    """What a stored document adds to an index: passages beside their vectors, shape (passages, dimensions)."""

    passages: list[Passage]
    vectors: Vectors


class DocumentStore:
    """Documents, passages and their vectors in one SQLite file; one writing connection, one lock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise DataFolderDamaged(f"{path} cannot be read: {error}") from error
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise DataFolderTooNew(f"The data folder has schema {version}; this version knows {len(_MIGRATIONS)}.")
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, closing(self._connection.execute(query, values)) as cursor:
            return cursor.fetchall()

    def collections(self) -> list[str]:
        """The names of all collections, sorted."""
        return [row[0] for row in self._rows("SELECT name FROM collections ORDER BY name")]

    def create_collection(self, name: str) -> None:
        """Make an empty collection; one that exists stays as it is."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (name, _now()))

    def digests(self, collection: str) -> dict[str, str]:
        """The digest of every document in a collection, by document id."""
        return dict(self._rows("SELECT id, digest FROM documents WHERE collection = ?", collection))

    def dense_model(self) -> str | None:
        """The name of the model whose vectors are stored."""
        rows = self._rows("SELECT value FROM settings WHERE name = 'dense_model'")
        return rows[0][0] if rows else None

    def replace_vectors(self, model: str, vectors: Iterable[tuple[int, Vectors]]) -> None:
        """Another model's vectors for passages, by key, all at once."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE passages SET vector = ? WHERE key = ?", ((v.tobytes(), key) for key, v in vectors)
            )
            connection.execute("INSERT OR REPLACE INTO settings VALUES ('dense_model', ?)", (model,))

    def put(self, document: NewDocument, drafts: Sequence[Draft], encoded: Sequence[Encoded], vectors: Vectors) -> None:
        """Store a document with all its passages, or nothing; an older version goes in the same transaction."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (document.collection, _now()))
            connection.execute(
                "DELETE FROM documents WHERE collection = ? AND id = ?", (document.collection, document.id)
            )
            key = connection.execute(
                "INSERT INTO documents (collection, id, title, uri, media_type, content, metadata, digest, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document.collection,
                    document.id,
                    document.title,
                    document.uri,
                    document.media_type,
                    document.content,
                    json.dumps(document.metadata),
                    document.digest,
                    _now(),
                ),
            ).lastrowid
            connection.executemany(
                'INSERT INTO passages (document, ordinal, start, "end", section, page, sentences, vector,'
                " sentence_vectors) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        key,
                        ordinal,
                        draft.start,
                        draft.end,
                        draft.section,
                        draft.page,
                        json.dumps(draft.sentences),
                        vector.astype(np.float32).tobytes(),
                        late.sentences.astype(np.float16).tobytes(),
                    )
                    for ordinal, (draft, late, vector) in enumerate(zip(drafts, encoded, vectors, strict=True))
                ),
            )

    def delete(self, collection: str, document_id: str) -> bool:
        """Remove a document with its passages; whether there was one."""
        with self._transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM documents WHERE collection = ? AND id = ?", (collection, document_id)
            )
            return cursor.rowcount > 0

    def passages(self, collection: str, document_id: str | None = None) -> StoredPassages:
        """The passages of a collection, or of one document in it, in the order they were stored."""
        condition, values = ("", ()) if document_id is None else (" AND d.id = ?", (document_id,))
        rows = self._rows(
            'SELECT p.key, d.id, d.title, d.uri, d.metadata, d.content, p.ordinal, p.start, p."end", p.section,'
            " p.page, p.sentences, p.vector, p.sentence_vectors FROM passages p JOIN documents d ON d.key = p.document"
            f" WHERE d.collection = ?{condition} ORDER BY p.key",
            collection,
            *values,
        )
        vectors = np.frombuffer(b"".join(row[12] for row in rows), np.float32).reshape(len(rows), -1 if rows else 0)
        return StoredPassages(passages=[_passage(collection, row) for row in rows], vectors=vectors)


def _passage(collection: str, row: tuple[Any, ...]) -> Passage:
    key, document_id, title, uri, metadata, content, ordinal, start, end, section, page, sentences, _, late = row
    return Passage(
        key=key,
        source_id=f"{collection}:{document_id}:{ordinal}",
        document_id=document_id,
        title=title,
        text=content[start:end],
        start=start,
        end=end,
        section=section,
        page=page,
        sentences=tuple((begin, stop) for begin, stop in json.loads(sentences)),
        uri=uri,
        metadata=json.loads(metadata),
        sentence_vectors=np.frombuffer(late, np.float16).reshape(-1, DIMENSIONS),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
