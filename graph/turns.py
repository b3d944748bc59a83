"""What was said in conversations: a table beside their checkpoints, a row per turn, so that a turn costs what one turn
costs. A row that was added is there when the next checkpoint is, in the same transaction.
"""

import json
from dataclasses import dataclass

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graph.checkpoints import keep_only, thread_ids
from graph.conversation import Turn

_TABLE = """
CREATE TABLE IF NOT EXISTS turns (
    thread_id TEXT NOT NULL, number INTEGER NOT NULL, turn TEXT NOT NULL, PRIMARY KEY (thread_id, number)
)
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """What a list says of a conversation, taken from its turns."""

    turns: int
    first_question: str
    collection: str
    """Of the last turn."""
    asked: str
    """When the last question was."""


async def prepare(saver: AsyncSqliteSaver) -> None:
    """Make what is not there yet of the tables. Raises `sqlite3.DatabaseError`."""
    await saver.setup()
    await saver.conn.execute(_TABLE)


async def add(saver: AsyncSqliteSaver, key: str, turn: Turn) -> None:
    """Add a turn, which the next checkpoint commits with itself."""
    async with saver.lock:
        await saver.conn.execute(
            "INSERT INTO turns (thread_id, number, turn)"
            " SELECT ?, coalesce(max(number), 0) + 1, ? FROM turns WHERE thread_id = ?",
            (key, json.dumps(turn, ensure_ascii=False), key),
        )


async def page(
    saver: AsyncSqliteSaver, key: str, *, before: int | None = None, limit: int | None = None
) -> list[tuple[int, Turn]]:
    """The last turns before the one of the number `before`, in their order, with their numbers."""
    query = "SELECT number, turn FROM turns WHERE thread_id = ? AND (? IS NULL OR number < ?)"
    values = (key, before, before, -1 if limit is None else limit)
    async with saver.conn.execute(f"{query} ORDER BY number DESC LIMIT ?", values) as found:
        return [(number, json.loads(turn)) for number, turn in reversed(list(await found.fetchall()))]


async def talk(saver: AsyncSqliteSaver, key: str) -> Talk | None:
    """What there is to say of a conversation; None of one without a turn."""
    query = (
        "SELECT number, turn FROM turns WHERE thread_id = ?"
        " AND number IN (1, (SELECT max(number) FROM turns WHERE thread_id = ?)) ORDER BY number"
    )
    async with saver.conn.execute(query, (key, key)) as found:
        rows = [(number, json.loads(turn)) for number, turn in await found.fetchall()]
    if not rows:
        return None
    (_, first), (turns, last) = rows[0], rows[-1]
    return Talk(turns=turns, first_question=first["question"], collection=last["collection"], asked=last["created"])


async def counts(saver: AsyncSqliteSaver) -> dict[str, int]:
    """The turns of every thread that there is anything of."""
    kept = dict.fromkeys(await thread_ids(saver), 0)
    async with saver.conn.execute("SELECT thread_id, max(number) FROM turns GROUP BY thread_id") as found:
        kept.update((key, number) for key, number in await found.fetchall())
    return kept


async def adopt(saver: AsyncSqliteSaver, key: str) -> int:
    """Make rows of the turns that an earlier version kept in the checkpoint itself; how many."""
    found = await saver.aget_tuple({"configurable": {"thread_id": key}})
    kept: list[Turn] = [] if found is None else found.checkpoint["channel_values"].get("turns", [])
    for turn in kept:
        await add(saver, key, turn)
    await saver.conn.commit()
    return len(kept)


async def forget(saver: AsyncSqliteSaver, key: str) -> None:
    """Remove all that was said, and every checkpoint of it."""
    async with saver.lock:
        await saver.conn.execute("DELETE FROM turns WHERE thread_id = ?", (key,))
    await keep_only(saver, key, None)
