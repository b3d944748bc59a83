"""The desk where questions wait for people: hands them over, takes decisions, picks up what a crash interrupted."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import asdict, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from callbacks.answer import AnswerStream
from callbacks.events import Payload
from callbacks.handlers import AnswerHandler, SourceHandler
from callbacks.sources import SourceBook
from graph.checkpoints import CHECKPOINTS, checkpoints, thread_ids
from graph.context import Collaborators, RagContext
from graph.review import Asked, Failpoint, ReviewContext, ReviewState, build_review
from graph.state import RagState
from graph.threads import OWN
from graph.unheard import Asking
from retrieval.reviews import Decision, Review, ReviewStore, UnknownReview

log = logging.getLogger(__name__)

ReviewGraph = CompiledStateGraph[ReviewState, ReviewContext, Asked, ReviewState]


class ReviewDesk:
    """Reviews of one data folder.

    The table says what waits and what was decided; the checkpoints hold what a decision is carried out on. They are
    a file of their own, beside the database with its one writer, opened for as long as a step takes: questions for
    people are few, and so any event loop can serve them.
    """

    def __init__(self, collaborators: Collaborators, failpoint: Failpoint = lambda _: None) -> None:
        self._collaborators = collaborators
        self._database = collaborators.library.stored.database
        self._store = ReviewStore(self._database)
        self._failpoint = failpoint

    async def hand_over(self, state: RagState, context: RagContext, told: str) -> None:
        """Search, draft, and put the question into the queue; cancelled before that, nothing is left of it.

        Nothing of it is heard by the run: the context variables that carry its callbacks stay outside.
        """
        work = self._hand_over(state, context, told)
        await asyncio.get_running_loop().create_task(work, context=Context())

    async def find(self, request_id: str) -> Review | None:
        """One review."""
        return await asyncio.to_thread(self._store.find, request_id)

    async def listed(self, *, decided: bool, after: str, limit: int) -> list[Review]:
        """A page of what waits, the oldest first, or of what was decided, the newest first."""
        page = self._store.decided if decided else self._store.waiting
        return await asyncio.to_thread(page, after=after, limit=limit)

    async def count_waiting(self) -> int:
        """How many wait."""
        return await asyncio.to_thread(self._store.count_waiting)

    async def decide(self, request_id: str, decision: Decision) -> Review:
        """Decide, and release the answer. Raises what `ReviewStore.decide` raises."""
        await asyncio.to_thread(self._store.decide, request_id, decision)
        self._failpoint("decided")
        await self._release(request_id, decision)
        review = await self.find(request_id)
        if review is None:  # so many were released since that this one is forgotten
            raise UnknownReview("There is no such review.")
        return review

    async def resume(self) -> None:
        """After a start: queue what was drafted, release what was decided, forget what nobody was told about."""
        known = await asyncio.to_thread(self._store.unreleased)
        try:
            await self._adopt(set(known))
        except sqlite3.DatabaseError:  # questions for people are not worth a server that does not start
            log.exception("%s cannot be read: reviews cannot be released", CHECKPOINTS)
            return
        for request_id in [request_id for request_id, state in known.items() if state == "decided"]:
            review = await self.find(request_id)
            assert review is not None
            assert review.decision is not None
            try:
                await self._release(request_id, review.decision)
            except Exception:  # the others are to be released all the same, and the server to start
                log.exception("review %s was decided and could not be released", request_id)

    async def _adopt(self, known: set[str]) -> None:
        """Queue what was drafted and is not in the queue; forget other threads without a review."""
        async with self._graph() as (graph, saver):
            for request_id in await thread_ids(saver) - known:
                if request_id.startswith(OWN):  # a conversation
                    continue
                if (await graph.aget_state(_config(request_id))).next == ("queue",):
                    await graph.ainvoke(None, _config(request_id), context=self._context(), durability="sync")
                else:
                    await saver.adelete_thread(request_id)

    async def _hand_over(self, state: RagState, context: RagContext, told: str) -> None:
        asked: Asked = {
            "request_id": context.request_id,
            "question": state["question"],
            "wording": state.get("wording", state["question"]),
            "collection": state["collection"],
            "thread_id": context.thread_id,
            "domain": state["domain"],
            "rule": state["rule"].name if state["rule"] is not None else None,
            "include_sources": context.include_sources,
            "told": told,
        }
        own, handlers = _private(context)
        config = _config(context.request_id) | {"run_name": "review", "callbacks": handlers}
        reviewing = self._context(Asking(state=state, context=own))
        async with self._graph() as (graph, saver):
            try:
                await graph.ainvoke(asked, config, context=reviewing, durability="sync")
            except BaseException:
                if await self.find(context.request_id) is None:
                    await saver.adelete_thread(context.request_id)
                raise

    async def _release(self, request_id: str, decision: Decision) -> None:
        config = _config(request_id)
        async with self._graph() as (graph, saver):
            while (waiting := (await graph.aget_state(config)).next) not in (("wait",), ("release",)):
                if not waiting:
                    raise LookupError(f"review {request_id} has no checkpoint")
                await graph.ainvoke(None, config, context=self._context(), durability="sync")
            resumed: Command[Any] | None = Command(resume=asdict(decision)) if waiting == ("wait",) else None
            await graph.ainvoke(resumed, config, context=self._context(), durability="sync")
            self._failpoint("released")
            await saver.adelete_thread(request_id)

    def _context(self, asking: Asking | None = None) -> ReviewContext:
        return ReviewContext(
            library=self._collaborators.library,
            guarding=self._collaborators.guarding,
            store=self._store,
            asking=asking,
            failpoint=self._failpoint,
        )

    @asynccontextmanager
    async def _graph(self) -> AsyncIterator[tuple[ReviewGraph, AsyncSqliteSaver]]:
        async with checkpoints(self._database.path.parent) as saver:
            yield build_review().compile(checkpointer=saver, name="review"), saver


def _config(request_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": request_id}}


def _private(context: RagContext) -> tuple[RagContext, list[Any]]:
    """The context of a run with a stream and a book of its own, and handlers that tell nobody but the meter."""
    guarding = context.collaborators.guarding
    book, opened = SourceBook(guarding.mask), asyncio.Event()
    opened.set()
    stream = AnswerStream(book, context.stream.judge, guarding=guarding)
    own = replace(context, book=book, stream=stream, opened=opened)

    def unheard(payload: Payload) -> None:
        """What the draft would say stays in its stream."""

    meter = context.meter
    return own, [SourceHandler(book, unheard, meter), AnswerHandler(stream, unheard, meter, opened)]
