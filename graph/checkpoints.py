"""The checkpoints of a data folder: a file of their own, beside the database with its one writer.

Opened for as long as something is done with it, so that any event loop can use it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from retrieval.database import DiskFull

CHECKPOINTS = "checkpoints.sqlite3"
_BUSY_SECONDS = 30


class ConversationsUnavailable(RuntimeError):
    """What was said in conversations cannot be read; the message is safe to show."""

    def __init__(self) -> None:
        super().__init__(
            "What was said in conversations cannot be read: the server's file of them is damaged or out of reach. "
            "Questions that belong to no conversation are answered as ever."
        )


def failure_of(error: Exception) -> Exception:
    """What it means that the file could not be used: `DiskFull` or `ConversationsUnavailable`."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return DiskFull(f"{CHECKPOINTS}: {error}")
    return ConversationsUnavailable()


@asynccontextmanager
async def checkpoints(folder: Path) -> AsyncIterator[AsyncSqliteSaver]:
    """The checkpointer of a data folder. Raises `sqlite3.DatabaseError`.

    The serializer knows no classes: nothing but plain data comes out of a checkpoint.
    """
    connection = await _opened(folder / CHECKPOINTS)
    try:
        await connection.execute("PRAGMA secure_delete = ON")  # what is removed does not linger in free pages
        await connection.execute("PRAGMA synchronous = FULL")
        yield AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    finally:
        await connection.close()


async def _opened(path: Path) -> aiosqlite.Connection:
    """A connection; whoever is cancelled meanwhile leaves none behind."""

    async def connect() -> aiosqlite.Connection:
        return await aiosqlite.connect(path, timeout=_BUSY_SECONDS)

    opening = asyncio.ensure_future(connect())
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await (await opening).close()
        raise


async def thread_ids(saver: AsyncSqliteSaver) -> set[str]:
    """Of everything there is a checkpoint of."""
    await saver.setup()
    async with saver.conn.execute("SELECT DISTINCT thread_id FROM checkpoints") as found:
        return {thread_id for (thread_id,) in await found.fetchall()}


async def latest(saver: AsyncSqliteSaver, thread_id: str) -> str | None:
    """The id of the last checkpoint of a thread: ids grow with time."""
    await saver.setup()
    newest = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
    async with saver.conn.execute(newest, (thread_id,)) as found:
        row = await found.fetchone()
    return None if row is None else row[0]


async def keep_only(saver: AsyncSqliteSaver, thread_id: str, checkpoint_id: str | None) -> None:
    """Remove all other checkpoints of a thread, also from the write-ahead log."""
    async with saver.lock:
        for table in ("checkpoints", "writes"):
            await saver.conn.execute(
                f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id IS NOT ?", (thread_id, checkpoint_id)
            )
        await saver.conn.commit()
        async with saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)") as moved:
            await moved.fetchall()
