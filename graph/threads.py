"""The conversations of one data folder: made, listed, renamed, deleted, and gone on with."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from chains.followup import Exchange
from graph import turns as rows
from graph.checkpoints import CHECKPOINTS, ConversationsUnavailable, checkpoints, failure_of, keep_only, latest
from graph.conversation import ConversationContext, Turn, build_conversation
from retrieval.database import Database, DiskFull
from retrieval.threads import Place, Thread, ThreadStore, UnknownThread

log = logging.getLogger(__name__)

OWN = "thread:"
"""Before a conversation's id in the checkpoints, which it shares with reviews."""
MOST_TURNS = 500
"""Of one conversation."""
_LONGEST_TITLE = 80


class TurnNotListed(RuntimeError):
    """A turn is in its conversation, and the list of conversations does not say so yet."""


class Threads:
    """The table says which conversations there are and whose; beside the checkpoints is what was said in them."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        self._folder = database.path.parent
        self._store = ThreadStore(database)
        self._owner = owner
        self._leaving: set[str] = set()
        self._lost = 0
        self._unreadable = False
        self._conversation = build_conversation().compile(name="conversation")

    def known(self, thread_id: str) -> Thread:
        """One conversation, at once: a look at one row. Raises `UnknownThread`."""
        if thread_id in self._leaving:
            raise UnknownThread("There is no such conversation.")
        return self._store.find(self._owner, thread_id)

    async def create(self, title: str | None = None) -> Thread:
        """A new one. Raises `DiskFull`."""
        return await asyncio.to_thread(self._store.create, self._owner, title)

    async def listed(self, *, after: Place | None = None, limit: int) -> list[Thread]:
        """A page of them, the one used last first."""
        return await asyncio.to_thread(self._store.listed, self._owner, after=after, limit=limit)

    async def rename(self, thread_id: str, title: str) -> Thread:
        """Raises `UnknownThread`."""
        return await asyncio.to_thread(self._store.rename, self._owner, thread_id, title)

    async def delete(self, thread_id: str) -> None:
        """Forget what was said, then that there was anything. Raises `UnknownThread` and what `_opened` raises.

        Where the second fails, or the server is stopped before it, an empty conversation is left to be deleted again.
        """
        self.known(thread_id)
        self._leaving.add(thread_id)
        try:
            async with self._opened() as saver:
                await rows.forget(saver, OWN + thread_id)
            await asyncio.to_thread(self._store.delete, self._owner, thread_id)
        finally:
            self._leaving.discard(thread_id)

    async def turns(self, thread_id: str) -> list[Turn]:
        """What was said, in order. Raises `UnknownThread` and what `_opened` raises."""
        return [turn for _, turn in await self.page(thread_id)]

    async def page(
        self, thread_id: str, *, before: int | None = None, limit: int | None = None
    ) -> list[tuple[int, Turn]]:
        """The last turns before the one of the number `before`, each with its number. Raises what `turns` raises."""
        await asyncio.to_thread(self._store.find, self._owner, thread_id)
        async with self._opened() as saver:
            return await rows.page(saver, OWN + thread_id, before=before, limit=limit)

    async def converse(
        self, thread_id: str, request_id: str, answer: Callable[[Sequence[Exchange]], Awaitable[Turn]]
    ) -> None:
        """Answer, given what was said before, and remember that.

        Where the disk is too full to look at what was said, `answer` is called all the same, with no history. Raises
        what `answer` raises; `ConversationsUnavailable`, without an answer if what was said cannot be read; `DiskFull`
        after an answer that could not be kept; and `TurnNotListed` after one that is kept.
        """
        doing: Literal["reading", "answering", "keeping"] = "reading"

        async def answering(history: Sequence[Exchange]) -> Turn:
            nonlocal doing
            doing = "answering"
            turn = await answer(history)
            doing = "keeping"
            return turn

        try:
            talk = await self._take_turn(thread_id, request_id, answering)
        except (sqlite3.Error, ValueError) as error:
            if doing == "answering":
                raise
            failure = self._failure(error)
            if doing == "reading" and isinstance(failure, DiskFull):
                await answer(())
            raise failure from error
        try:
            await asyncio.to_thread(self._note, thread_id, talk)
        except Exception as error:
            raise TurnNotListed("The list of conversations could not be brought up to date.") from error

    async def _take_turn(
        self, thread_id: str, request_id: str, answer: Callable[[Sequence[Exchange]], Awaitable[Turn]]
    ) -> rows.Talk:
        """One checkpoint is written, at the end and with the row of the turn: nothing waits for a disk before the first
        token, and what ends early leaves nothing behind.
        """
        config: RunnableConfig = {"configurable": {"thread_id": OWN + thread_id}, "run_name": "conversation"}
        key = OWN + thread_id
        async with checkpoints(self._folder) as saver:
            await rows.prepare(saver)
            kept = await latest(saver, key)

            async def keep(turn: Turn) -> None:
                await rows.add(saver, key, turn)

            try:
                await self._conversation.copy({"checkpointer": saver}).ainvoke(
                    {"request_id": request_id},
                    config,
                    context=ConversationContext(answer=answer, keep=keep),
                    durability="exit",
                )
            except BaseException:
                with suppress(sqlite3.Error):  # what stopped the turn is what is told
                    await saver.conn.rollback()
                    await keep_only(saver, key, kept)
                raise
            try:
                await keep_only(saver, key, await latest(saver, key))
            except sqlite3.Error:
                log.exception("earlier checkpoints of a conversation are left until its next turn")
            try:
                talk = await rows.talk(saver, key)
                assert talk is not None
                return talk
            except sqlite3.Error as error:
                raise TurnNotListed("The turns of the conversation could not be counted.") from error

    def _note(self, thread_id: str, talk: rows.Talk | None, at: str | None = None) -> None:
        self._store.turned(
            thread_id,
            turns=0 if talk is None else talk.turns,
            title=None if talk is None else title_of(talk.first_question),
            collection=None if talk is None else talk.collection,
            at=at,
        )

    async def resume(self) -> None:
        """After a start: what a crash has left of deleted conversations is removed, and the list says what there is."""
        listed = await asyncio.to_thread(self._store.turns)
        try:
            async with checkpoints(self._folder) as saver:
                await rows.prepare(saver)
                kept = {
                    key.removeprefix(OWN): turns
                    for key, turns in (await rows.counts(saver)).items()
                    if key.startswith(OWN)
                }
                for thread_id in kept.keys() - listed.keys():
                    await rows.forget(saver, OWN + thread_id)
                for thread_id, turns in listed.items():
                    if kept.get(thread_id) == 0:
                        kept[thread_id] = await rows.adopt(saver, OWN + thread_id)
                    if kept.get(thread_id, 0) != turns:
                        self._lost += kept.get(thread_id, 0) < turns
                        talk = await rows.talk(saver, OWN + thread_id)
                        at = "" if talk is None else talk.asked.replace("Z", "+00:00")
                        await asyncio.to_thread(self._note, thread_id, talk, at)
        except DiskFull:
            log.exception("the list of conversations cannot be brought up to date")
        except (sqlite3.Error, ValueError) as error:  # questions that belong to no conversation can be answered
            self._failure(error)
        if self._lost:
            log.warning("%s holds less than the list of %d conversations said", CHECKPOINTS, self._lost)

    async def notes(self) -> list[str]:
        """What an operator should know, found out now."""
        told = []
        if self._lost:
            told.append(f"{CHECKPOINTS} held less than the list said: turns are lost of conversations: {self._lost}")
        try:
            async with self._opened():
                pass
        except DiskFull:
            told.append(f"there is no room to open {CHECKPOINTS}: answers are not added to conversations")
        except ConversationsUnavailable:
            pass  # as it was at any time since the start
        if self._unreadable:
            told.append(f"{CHECKPOINTS} cannot be read: conversations cannot go on; see `groundswell doctor`")
        return told

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AsyncSqliteSaver]:
        """The file of what was said. Raises `ConversationsUnavailable` and `DiskFull`."""
        try:
            async with checkpoints(self._folder) as saver:
                await rows.prepare(saver)
                yield saver
        except (sqlite3.Error, ValueError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> Exception:
        log.error("%s: %r", CHECKPOINTS, error)
        failure = failure_of(error)
        passing = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        self._unreadable |= isinstance(failure, ConversationsUnavailable) and not passing
        return failure


def title_of(question: str) -> str:
    """The first words of a question."""
    line = " ".join(question.split())
    if len(line) <= _LONGEST_TITLE:
        return line
    words = line[:_LONGEST_TITLE].rsplit(" ", 1)[0]
    return f"{words.rstrip(',;:–-')}…"
