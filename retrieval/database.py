"""One SQLite file: one writing connection, a pool of reading ones, a schema that knows its version."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retrieval.schema import MIGRATIONS

Rows = list[tuple[Any, ...]]

_PAGE_BYTES = 4096
_BUSY_SECONDS = 30
_ROOM_TO_END = 1024 * 1024
"""Beyond `max_bytes`, for what is written when there is no room for documents any more: failures, removals."""


class DataFolderTooNew(RuntimeError):
    """The data folder was written by a later version."""


class DataFolderDamaged(RuntimeError):
    """The database in the data folder cannot be read."""


class DiskFull(OSError):
    """There is no room to write; what was written before can still be read."""


class Database:
    """Readers never wait for the writer (write-ahead log); writers wait for each other."""

    def __init__(self, path: Path, *, max_bytes: int | None = None) -> None:
        """Open or make the file, brought to today's schema.

        Raises `DataFolderTooNew` and `DataFolderDamaged`; beyond `max_bytes`, `require_room` raises `DiskFull`.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._writing = threading.RLock()
        self._depth = 0
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._max_bytes = max_bytes
        self._writer = self._connect()
        try:
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("PRAGMA secure_delete = ON")  # what is removed does not linger in free pages
            self._migrate()
            self._writer.execute("PRAGMA foreign_keys = ON")
            if max_bytes is not None:
                self._writer.execute(f"PRAGMA max_page_count = {(max_bytes + _ROOM_TO_END) // _PAGE_BYTES}")
        except sqlite3.DatabaseError as error:
            self._writer.close()
            raise DataFolderDamaged(f"{path} cannot be read: {error}") from error
        except BaseException:
            self._writer.close()
            raise

    def close(self) -> None:
        """Wait for a write under way, then close the file; reads under way close their own connections."""
        with self._writing:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside, or nothing; one inside another joins it. Raises `DiskFull`."""
        with self._writing:
            if self._depth:
                yield self._writer
                return
            self._depth = 1
            try:
                yield from self._transaction()
            finally:
                self._depth = 0

    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise DiskFull(f"{self.path}: {error}") from error
            raise

    def require_room(self) -> None:
        """Called in a transaction that takes something in, at its end. Raises `DiskFull`."""
        if self._max_bytes is None:
            return
        pages, free = (
            self._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")
        )
        if (pages - free) * _PAGE_BYTES > self._max_bytes:
            raise DiskFull(f"{self.path}: more than {self._max_bytes} bytes")

    def truncate_log(self) -> None:
        """Move what the write-ahead log holds into the file, and empty it."""
        with self._writing:
            if not self._closed:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def rows(self, query: str, *values: object) -> Rows:
        """What a query finds, read beside whatever is being written."""
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with, for one thread at a time."""
        try:
            connection = self._idle.pop()
        except IndexError:  # asking first whether there is one would be a race
            connection = self._connect(read_only=True)
        try:
            yield connection
        finally:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def _connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _migrate(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise DataFolderTooNew(f"The data folder has schema {version}; this version knows {len(MIGRATIONS)}.")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._writer.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
