"""The conversations of one data folder: made, listed, renamed, deleted, and gone on with."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from chains.followup import Exchange
from graph.checkpoints import CHECKPOINTS, checkpoints, keep_only, latest, thread_ids
from graph.conversation import ConversationContext, Turn, build_conversation
from retrieval.database import Database
from retrieval.threads import Thread, ThreadStore, UnknownThread

log = logging.getLogger(__name__)

OWN = "thread:"
"""Before a conversation's id in the checkpoints, which it shares with reviews."""
MOST_TURNS = 500
"""Of one conversation: all of them are written again with each."""
_LONGEST_TITLE = 80


class Threads:
    """The table says which conversations there are and whose; the checkpoints hold what was said in them."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        self._folder = database.path.parent
        self._store = ThreadStore(database)
        self._owner = owner
        self._leaving: set[str] = set()

    def known(self, thread_id: str) -> Thread:
        """One conversation, at once: a look at one row. Raises `UnknownThread`."""
        if thread_id in self._leaving:
            raise UnknownThread("There is no such conversation.")
        return self._store.find(self._owner, thread_id)

    async def create(self, title: str | None = None) -> Thread:
        """A new one. Raises `DiskFull`."""
        return await asyncio.to_thread(self._store.create, self._owner, title)

    async def listed(self, *, after: str, limit: int) -> list[Thread]:
        """A page of them, the one used last first."""
        return await asyncio.to_thread(self._store.listed, self._owner, after=after, limit=limit)

    async def rename(self, thread_id: str, title: str) -> Thread:
        """Raises `UnknownThread`."""
        return await asyncio.to_thread(self._store.rename, self._owner, thread_id, title)

    async def delete(self, thread_id: str) -> None:
        """Forget what was said. Raises `UnknownThread`."""
        self.known(thread_id)
        self._leaving.add(thread_id)
        try:
            await asyncio.to_thread(self._store.delete, self._owner, thread_id)
            async with checkpoints(self._folder) as saver:
                await saver.setup()
                await keep_only(saver, OWN + thread_id, None)
        finally:
            self._leaving.discard(thread_id)

    async def turns(self, thread_id: str) -> list[Turn]:
        """What was said, in order. Raises `UnknownThread`."""
        await asyncio.to_thread(self._store.find, self._owner, thread_id)
        async with checkpoints(self._folder) as saver:
            return await _turns(saver, thread_id)

    async def converse(
        self, thread_id: str, request_id: str, answer: Callable[[Sequence[Exchange]], Awaitable[Turn]]
    ) -> None:
        """Answer, given what was said before, and remember that. Raises what `answer` raises.

        One checkpoint is written, at the end: nothing waits for a disk before the first token, and what ends early
        leaves nothing behind.
        """
        config, key = _config(thread_id), OWN + thread_id
        async with checkpoints(self._folder) as saver:
            kept = await latest(saver, key)
            try:
                state = (
                    await build_conversation()
                    .compile(checkpointer=saver, name="conversation")
                    .ainvoke(
                        {"request_id": request_id},
                        config,
                        context=ConversationContext(answer=answer),
                        durability="exit",
                    )
                )
                kept = await latest(saver, key)
            finally:
                await keep_only(saver, key, kept)
        last = state["turns"][-1]
        await asyncio.to_thread(
            self._store.turned,
            thread_id,
            turns=len(state["turns"]),
            title=title_of(last["question"]),
            collection=last["collection"],
        )

    async def resume(self) -> None:
        """After a start: what a crash has left of conversations that were being deleted is removed."""
        known = await asyncio.to_thread(self._store.ids)
        try:
            async with checkpoints(self._folder) as saver:
                for key in await thread_ids(saver):
                    if key.startswith(OWN) and key.removeprefix(OWN) not in known:
                        await keep_only(saver, key, None)
        except sqlite3.DatabaseError:  # the server can answer questions that belong to no conversation
            log.exception("%s cannot be read: conversations cannot go on", CHECKPOINTS)


def title_of(question: str) -> str:
    """The first words of a question."""
    line = " ".join(question.split())
    if len(line) <= _LONGEST_TITLE:
        return line
    words = line[:_LONGEST_TITLE].rsplit(" ", 1)[0]
    return f"{words.rstrip(',;:–-')}…"


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": OWN + thread_id}, "run_name": "conversation"}


async def _turns(saver: AsyncSqliteSaver, thread_id: str) -> list[Turn]:
    found = await saver.aget_tuple(_config(thread_id))
    values: dict[str, Any] = {} if found is None else found.checkpoint["channel_values"]
    turns: list[Turn] = values.get("turns", [])
    return turns
