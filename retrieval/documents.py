"""The truth about documents and passages. Everything else can be rebuilt from it.

A document is `staged` while its passages are embedded, `live` when searches may find it, `dead` when another version
or a removal took its place and a search under way may still need its passages; dead ones are purged soon after.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from retrieval.calibration import FEATURE, Platt
from retrieval.database import Database
from retrieval.embeddings import DIMENSIONS, Vectors
from retrieval.passages import Draft, Passage
from retrieval.records import Embedded, Keys, Member, NewDocument, Published, Scorable, StoredDocument

_FEATURE = "feature"
_AT_ONCE = 500
"""Keys in one statement; SQLite's oldest limit on parameters is 999."""


State = Literal["staged", "live", "dead"]

_NOTHING: dict[str, Any] = {}
_PASSAGE = (
    'SELECT p.key, d.collection, d.id, d.title, p.text, p.ordinal, p.start, p."end", p.section, p.page, p.header,'
    " p.sentences, d.uri, d.metadata, p.document FROM passages p JOIN documents d ON d.key = p.document"
)
_DOCUMENT = (
    "SELECT key, collection, id, title, uri, media_type, metadata, digest, created, passages, characters, pages, bytes"
    " FROM documents"
)


class DocumentStore:
    """Documents, passages and their vectors."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.transaction = database.transaction

    # --- settings and collections

    def setting(self, name: str) -> str | None:
        """A remembered value."""
        rows = self.database.rows("SELECT value FROM settings WHERE name = ?", name)
        return rows[0][0] if rows else None

    def set_setting(self, name: str, value: str) -> None:
        """Remember a value."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def collections(self) -> dict[str, str]:
        """When each collection was made, by name, sorted."""
        return dict(self.database.rows("SELECT name, created FROM collections ORDER BY name"))

    def create_collection(self, name: str) -> None:
        """Make an empty collection; one that exists stays as it is."""
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (name, now()))

    def drop_collection(self, name: str) -> None:
        """Remove a collection with everything in it."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM collections WHERE name = ?", (name,))

    # --- from a draft to a searchable document

    def stage(self, document: NewDocument, drafts: Sequence[Draft]) -> int:
        """Store a document nobody sees yet, its passages without vectors; its key. Raises `DiskFull`."""
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (document.collection, now()))
            key = connection.execute(
                "INSERT INTO documents (collection, id, title, uri, media_type, content, metadata, digest, created,"
                " state, passages, characters, pages, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'staged', ?, ?, ?, ?)",
                (
                    document.collection,
                    document.id,
                    document.title,
                    document.uri,
                    document.media_type,
                    document.content,
                    json.dumps(document.metadata),
                    document.digest,
                    now(),
                    len(drafts),
                    len(document.content),
                    document.pages,
                    None if document.original is None else len(document.original),
                ),
            ).lastrowid
            assert key is not None
            if document.original is not None:
                connection.execute("INSERT INTO originals VALUES (?, ?)", (key, document.original))
            connection.executemany(
                'INSERT INTO passages (document, ordinal, start, "end", section, page, header, sentences, text)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        key,
                        ordinal,
                        draft.start,
                        draft.end,
                        draft.section,
                        draft.page,
                        draft.header,
                        json.dumps(draft.sentences),
                        document.content[draft.start : draft.end],
                    )
                    for ordinal, draft in enumerate(drafts)
                ),
            )
            self.database.require_room()
            return key

    def unembedded(self, limit: int, documents: Sequence[int] | None = None) -> list[Passage]:
        """The first passages without vectors, of some staged documents or of all live ones."""
        where = (
            " AND d.state = 'live'"
            if documents is None
            else f" AND d.state = 'staged' AND p.document IN ({_marks(documents)})"
        )
        rows = self.database.rows(
            f"{_PASSAGE} WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.passage = p.key){where}"
            " ORDER BY p.document, p.ordinal LIMIT ?",  # by the index; by key it would read the whole table
            *(documents or ()),
            limit,
        )
        return [_passage(row) for row in rows]

    def embedded(self, document: int) -> int:
        """How many passages of a document have their vectors."""
        rows = self.database.rows(
            "SELECT count(*) FROM vectors v JOIN passages p ON p.key = v.passage WHERE p.document = ?", document
        )
        return int(rows[0][0])

    def size(self, document: int) -> int:
        """How many passages a document has."""
        rows = self.database.rows("SELECT passages FROM documents WHERE key = ?", document)
        return int(rows[0][0]) if rows else 0

    def embed(self, embedded: Iterable[Embedded]) -> None:
        """Store the vectors of passages; of those that are still there. Raises `DiskFull`."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO vectors SELECT ?, ?, ?, ?, ?"
                " WHERE EXISTS (SELECT 1 FROM passages WHERE key = ?)",
                (
                    (
                        one.key,
                        one.dense.astype(np.float32).tobytes(),
                        one.sentences.astype(np.float16).tobytes(),
                        one.words.tobytes(),
                        one.stems,
                        one.key,
                    )
                    for one in embedded
                ),
            )
            self.database.require_room()

    def forget_vectors(self) -> None:
        """Remove every vector, because another model makes them now."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM vectors")

    def publish(self, keys: Sequence[int]) -> Published:
        """Make staged documents live, in this order, each in place of its former version; all or none."""
        dead: list[int] = []
        live: dict[int, Member] = {}
        with self.transaction() as connection:
            for key in keys:
                collection, id_, metadata = connection.execute(
                    "SELECT collection, id, metadata FROM documents WHERE key = ? AND state = 'staged'", (key,)
                ).fetchone()
                for former in self._kill(collection, id_):
                    dead.append(former)
                    live.pop(former, None)
                connection.execute("UPDATE documents SET state = 'live' WHERE key = ?", (key,))
                live[key] = _member(id_, metadata)
            rows = connection.execute(
                f"SELECT key, document FROM passages WHERE document IN ({_marks(list(live))}) ORDER BY key",
                list(live),
            ).fetchall()
        return Published(
            live=live,
            dead=dead,
            passages=np.array([row[0] for row in rows], np.int64),
            owners=np.array([row[1] for row in rows], np.int64),
        )

    def kill(self, collection: str, document_id: str | None = None) -> list[int]:
        """Take a document, or all of a collection, out of what searches find; the keys."""
        with self.transaction():
            return self._kill(collection, document_id)

    def _kill(self, collection: str, document_id: str | None) -> list[int]:
        which, values = ("", [collection]) if document_id is None else (" AND id = ?", [collection, document_id])
        with self.transaction() as connection:
            return [
                row[0]
                for row in connection.execute(
                    f"UPDATE documents SET state = 'dead' WHERE state = 'live' AND collection = ?{which} RETURNING key",
                    values,
                ).fetchall()
            ]

    def discard(self, key: int) -> None:
        """Remove a staged document."""
        with self.transaction() as connection:
            connection.execute("UPDATE documents SET state = 'dead' WHERE key = ? AND state = 'staged'", (key,))

    def dead(self) -> list[int]:
        """The documents to be purged."""
        return [row[0] for row in self.database.rows("SELECT key FROM documents WHERE state = 'dead'")]

    def collections_of(self, documents: Sequence[int]) -> list[str]:
        """The collections some documents are in, or were."""
        return sorted(
            {
                row[0]
                for some in _parts(documents)
                for row in self.database.rows(
                    f"SELECT DISTINCT collection FROM documents WHERE key IN ({_marks(some)})", *some
                )
            }
        )

    def passages_of(self, documents: Sequence[int]) -> list[int]:
        """The keys of the passages of some documents."""
        return [
            row[0]
            for some in _parts(documents)
            for row in self.database.rows(f"SELECT key FROM passages WHERE document IN ({_marks(some)})", *some)
        ]

    def purge(self, documents: Sequence[int]) -> None:
        """Erase dead documents: text, passages, vectors, files, and what the write-ahead log still holds of them."""
        for key in documents:  # one at a time, so that nobody waits long to write
            with self.transaction() as connection:
                connection.execute("DELETE FROM documents WHERE key = ? AND state = 'dead'", (key,))
        self.database.truncate_log()

    # --- calibration

    def calibration(self, collection: str) -> Platt | None:
        """The curve fitted on a collection, if one is in use."""
        rows = self.database.rows("SELECT slope, offset, report FROM calibrations WHERE collection = ?", collection)
        return Platt(*rows[0][:2]) if rows and _of_this_feature(rows[0][2]) else None

    def set_calibration(self, collection: str, curve: Platt, report: dict[str, float]) -> None:
        """Score a collection with a curve from now on; `report` says how good it was found."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO calibrations VALUES (?, ?, ?, ?, ?)",
                (collection, curve.slope, curve.offset, json.dumps({**report, _FEATURE: FEATURE}), now()),
            )

    def calibration_report(self, collection: str) -> dict[str, Any] | None:
        """How good the curve in use was found, and when."""
        rows = self.database.rows("SELECT report, created FROM calibrations WHERE collection = ?", collection)
        if not rows or not _of_this_feature(rows[0][0]):
            return None
        report = {key: value for key, value in json.loads(rows[0][0]).items() if key != _FEATURE}
        return {**report, "created": rows[0][1]}

    # --- reading

    def digests(self, collection: str) -> dict[str, str]:
        """The digest of every live document of a collection, by id."""
        return dict(
            self.database.rows("SELECT id, digest FROM documents WHERE state = 'live' AND collection = ?", collection)
        )

    def digest(self, collection: str, document_id: str) -> str | None:
        """The digest of a live document."""
        document = self.document(collection, document_id)
        return document.digest if document else None

    def count(self, collection: str) -> int:
        """The number of live documents of a collection."""
        rows = self.database.rows("SELECT count(*) FROM documents WHERE state = 'live' AND collection = ?", collection)
        return int(rows[0][0])

    def document(self, collection: str, document_id: str) -> StoredDocument | None:
        """A live document."""
        rows = self.database.rows(
            f"{_DOCUMENT} WHERE state = 'live' AND collection = ? AND id = ?", collection, document_id
        )
        return _document(rows[0]) if rows else None

    def documents(self, collection: str, *, after: str = "", limit: int = 100) -> list[StoredDocument]:
        """Live documents of a collection whose id comes after `after`, by id."""
        rows = self.database.rows(
            f"{_DOCUMENT} WHERE state = 'live' AND collection = ? AND id > ? ORDER BY id LIMIT ?",
            collection,
            after,
            limit,
        )
        return [_document(row) for row in rows]

    def original(self, key: int) -> bytes | None:
        """The file a document was made of; None for texts."""
        rows = self.database.rows("SELECT data FROM originals WHERE document = ?", key)
        return bytes(rows[0][0]) if rows else None

    def content(self, key: int) -> str:
        """The whole text of a document."""
        return str(self.database.rows("SELECT content FROM documents WHERE key = ?", key)[0][0])

    def members(self, collection: str) -> dict[int, Member]:
        """Every live document of a collection, by key."""
        rows = self.database.rows(
            "SELECT key, id, metadata FROM documents WHERE state = 'live' AND collection = ?", collection
        )
        return {key: _member(id_, metadata) for key, id_, metadata in rows}

    def live_passages(self, collection: str) -> tuple[Keys, Keys]:
        """The keys of every live passage of a collection, ascending, and those of their documents."""
        rows = self.database.rows(
            "SELECT p.key, p.document FROM passages p JOIN documents d ON d.key = p.document"
            " WHERE d.state = 'live' AND d.collection = ? ORDER BY p.key",
            collection,
        )
        pairs = np.array(rows, np.int64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy()

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by key."""
        rows = [
            row
            for some in _parts(keys)
            for row in self.database.rows(f"{_PASSAGE} WHERE p.key IN ({_marks(some)})", *some)
        ]
        return {row[0]: _passage(row) for row in rows}

    def passages_in(self, document: int) -> list[Passage]:
        """The passages of a document in reading order; none once it is erased."""
        rows = self.database.rows(f"{_PASSAGE} WHERE p.document = ? ORDER BY p.ordinal", document)
        return [_passage(row) for row in rows]

    def neighbours(
        self, collection: str, document_id: str, document: int, ordinals: Sequence[int]
    ) -> dict[int, Passage]:
        """Passages of one version of a document, as long as it is live, by ordinal."""
        rows = self.database.rows(
            f"{_PASSAGE} WHERE d.state = 'live' AND d.collection = ? AND d.id = ? AND d.key = ?"
            f" AND p.ordinal IN ({_marks(ordinals)})",
            collection,
            document_id,
            document,
            *ordinals,
        )
        return {row[5]: _passage(row) for row in rows}

    def scorable(self, keys: Sequence[int]) -> Scorable:
        """What a search scores of some passages; of those that are still there."""
        rows = [
            row
            for some in _parts(keys)
            for row in self.database.rows(
                f"SELECT passage, dense, sentences, words, stems FROM vectors WHERE passage IN ({_marks(some)})", *some
            )
        ]
        return Scorable(
            keys=[row[0] for row in rows],
            dense=np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1 if rows else 0),
            sentences=np.frombuffer(b"".join(row[2] for row in rows), np.float16).reshape(-1, DIMENSIONS),
            counts=np.array([len(row[2]) // (2 * DIMENSIONS) for row in rows], np.int64),
            words=[np.frombuffer(row[3], np.uint32) for row in rows],
            stems=[row[4] for row in rows],
        )

    def dense_vectors(self, keys: Keys) -> Iterator[tuple[Keys, Vectors]]:
        """The dense vectors of passages, some at a time, as keys and shape (passages, dimensions)."""
        for start in range(0, len(keys), _AT_ONCE):
            some = [int(key) for key in keys[start : start + _AT_ONCE]]
            rows = self.database.rows(
                f"SELECT passage, dense FROM vectors WHERE passage IN ({_marks(some)}) ORDER BY passage", *some
            )
            if rows:
                vectors = np.frombuffer(b"".join(row[1] for row in rows), np.float32).reshape(len(rows), -1)
                yield np.array([row[0] for row in rows], np.int64), vectors

    def stems(self, keys: Keys) -> Iterator[tuple[int, str]]:
        """The stemmed words of passages."""
        for some in _parts([int(key) for key in keys]):
            yield from self.database.rows(
                f"SELECT passage, stems FROM vectors WHERE passage IN ({_marks(some)})", *some
            )


def now() -> str:
    """RFC 3339, UTC."""
    return datetime.now(UTC).isoformat()


def _parts(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _member(document_id: str, metadata: str) -> Member:
    return Member(document_id, _NOTHING if metadata == "{}" else json.loads(metadata))


def _of_this_feature(report: str) -> bool:
    """Whether a curve was fitted on the feature of today: else it says nothing."""
    return bool(json.loads(report).get(_FEATURE) == FEATURE)


def _document(row: tuple[Any, ...]) -> StoredDocument:
    names = StoredDocument.__dataclass_fields__
    values = dict(zip(names, row, strict=True))
    return StoredDocument(**{**values, "metadata": json.loads(values["metadata"])})


def _passage(row: tuple[Any, ...]) -> Passage:
    (
        key,
        collection,
        document_id,
        title,
        text,
        ordinal,
        start,
        end,
        section,
        page,
        header,
        sentences,
        uri,
        meta,
        document,
    ) = row
    return Passage(
        key=key,
        document=document,
        source_id=f"{collection}:{document_id}:{document}.{ordinal}",
        document_id=document_id,
        title=title,
        text=text,
        start=start,
        end=end,
        section=section,
        page=page,
        sentences=tuple((begin, stop) for begin, stop in json.loads(sentences)),
        header=header,
        uri=uri,
        metadata=json.loads(meta),
    )
