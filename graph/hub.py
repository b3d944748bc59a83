"""The hub owns the runs: it starts them, lets readers come and go, and ends those that nobody waits for.

hub = Hub(build_graph(), collaborators)
async for event in hub.ask(Query(query="What opens the gate?")):
    print(event.event_type, event.payload)
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

from callbacks.events import StreamEvent
from callbacks.log import DEFAULT_LIMIT, Entry, EventLog
from callbacks.spending import Allowance, Spending
from graph.branches import Research
from graph.build import RagGraph
from graph.context import Collaborators
from graph.desk import ReviewDesk
from graph.lanes import Lanes
from graph.permission import Permission
from graph.query import Query
from graph.readership import LEFT, Readership
from graph.released import reviewed_summary
from graph.run import Run
from graph.summaries import AmbiguousDocument, SummaryRequest, find_document
from graph.summary import build_summary_graph
from graph.threads import MOST_TURNS, Threads
from graph.work import Work, asked
from retrieval.records import StoredDocument
from retrieval.threads import Thread, UnknownThread


class Refusal(Exception):
    """A question that starts no run; `field` names what is wrong with it."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, *, field: str | None = None, more: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.more = more or {}


class UnknownThing(Refusal):
    """A collection, thread or run that does not exist."""

    status = 404
    code = "not_found"


class UnknownDocument(UnknownThing):
    """A document that does not exist, or is not searchable yet."""

    code = "unknown_document"


class PeopleAnswer(Refusal):
    """Where people answer every question, no summary may be streamed either."""

    status = 403
    code = "people_answer"


class ThreadBusy(Refusal):
    """A conversation goes on one question at a time; `more` names the run that answers one."""

    status = 409
    code = "thread_busy"


class NotDeep(Refusal):
    """Something only deep research can do."""

    status = 409
    code = "not_deep"


class TooManyRuns(Refusal):
    """The server has all the work it takes on at once."""

    status = 503
    code = "too_many_runs"


class ShuttingDown(Refusal):
    """The server takes no new work."""

    status = 503
    code = "shutting_down"


@dataclass(frozen=True, kw_only=True, slots=True)
class HubLimits:
    """How many runs there may be, and how long they stay (seconds)."""

    runs_at_once: int = 64
    runs_kept: int = 2000
    keep_seconds: float = 600.0
    reconnect_grace: float = 10.0
    slow_paths_at_once: int = 2
    log_bytes: int = DEFAULT_LIMIT
    allowance: Allowance = field(default_factory=Allowance)
    """What deep research may spend where a question does not say."""
    most: Allowance = field(
        default_factory=lambda: Allowance(seconds=600, model_calls=200, tokens=1_000_000, sources=300)
    )
    """What a question may ask for at most."""


class Hub:
    """All runs of one event loop."""

    def __init__(
        self,
        graph: RagGraph,
        collaborators: Collaborators,
        limits: HubLimits | None = None,
        *,
        research: RagGraph | None = None,
    ) -> None:
        self.collaborators = collaborators
        self.reviews = ReviewDesk(collaborators)
        self.threads = Threads(collaborators.library.stored.database)
        self.draining = False
        self._graph = graph
        self._research = research
        self._summary_graph = build_summary_graph()
        self._limits = limits or HubLimits()
        self.readership = Readership(self._limits.reconnect_grace)
        self._lanes = Lanes(self._limits.slow_paths_at_once)
        self._runs: dict[str, Run] = {}
        self._keys: dict[str, tuple[str, str]] = {}
        self._grace: dict[str, asyncio.TimerHandle] = {}
        self._expiry: dict[str, asyncio.TimerHandle] = {}
        self._watchers: list[Callable[[Run], None]] = []

    def watch(self, watcher: Callable[[Run], None]) -> None:
        """Have every run told to `watcher` when it has ended."""
        self._watchers.append(watcher)

    def start(self, query: Query, *, idempotency_key: str | None = None) -> Run:
        """Start a run, or join the one this key started. Raises `Refusal`."""
        joined = self._joined(_fingerprint(query), idempotency_key)
        if joined is not None:
            return joined
        collection = self.check(query)
        graph = self._graph if query.mode == "fast" else self._research
        assert graph is not None
        run = self._begin(query, collection, Work(graph=graph, given=asked(query, collection)))
        if idempotency_key is not None:
            self._keys[idempotency_key] = (_fingerprint(query), run.request_id)
        return run

    async def summarise(
        self, document_id: str, request: SummaryRequest | None = None, *, idempotency_key: str | None = None
    ) -> Run:
        """Start a summary of a document, or join the one this key started. Raises `Refusal`."""
        request = request or SummaryRequest()
        document = await asyncio.to_thread(self._document, document_id, request.collection)
        permission = Permission(self.collaborators)
        for_people = document is not None and await asyncio.to_thread(permission.for_people, document)
        fingerprint = request.fingerprint(document_id)
        joined = self._joined(fingerprint, idempotency_key)
        if joined is not None:
            return joined
        if document is None:
            raise UnknownDocument("There is no such document.", field="id")
        query = request.as_query(document)
        self.check(query)
        if for_people:
            message = "People answer questions about this document: no summary of it may be streamed."
            raise PeopleAnswer(message, field="id")
        given, greeting = request.given(document), "Reading the document"
        work = Work(graph=self._summary_graph, given=given, greeting=greeting, answers=False)
        run = self._begin(query, document.collection, work)
        if idempotency_key is not None:
            self._keys[idempotency_key] = (fingerprint, run.request_id)
        return run

    def _document(self, document_id: str, collection: str | None) -> StoredDocument | None:
        try:
            return find_document(self.collaborators.library, document_id, collection)
        except AmbiguousDocument as error:
            message = f"Several collections have a document of this id; name one of these: {error}."
            raise Refusal(message, field="collection") from error

    def _begin(self, query: Query, collection: str, work: Work) -> Run:
        request_id = str(uuid4())
        log = EventLog(request_id, limit=self._limits.log_bytes)
        run = Run(
            request_id=request_id,
            query=query,
            collection=collection,
            work=work,
            log=log,
            research=self._researching(query),
            threads=None if query.thread_id is None else self.threads,
        )
        self._runs[run.request_id] = run
        self.readership.began(run)
        run.start(self.collaborators, self._lanes)
        assert run.task is not None
        run.task.add_done_callback(lambda _: self._finished(run))
        self._await_readers(run)
        return run

    def get(self, request_id: str) -> Run:
        """A run that is under way or not yet forgotten. Raises `UnknownThing`."""
        try:
            return self._runs[request_id]
        except KeyError:
            raise UnknownThing("There is no such run, or it has expired.", field="request_id") from None

    def finish(self, request_id: str) -> Run:
        """Have a deep run write its report now, from what is there. Raises `UnknownThing` and `NotDeep`."""
        run = self.get(request_id)
        if run.research is None:
            raise NotDeep("Only deep research can be told to finish: this run answers at once.", field="request_id")
        if run.state == "running":
            run.research.finishing.set()
        return run

    async def summary(self, request_id: str) -> dict[str, Any]:
        """What `GET /runs/{id}` shows; of a question for a person, also when the run itself is forgotten.

        Raises `UnknownThing`.
        """
        run = self._runs.get(request_id)
        if run is not None and run.state != "running":
            self.readership.handed_whole(run)
            self.readership.changed(run)
        if run is not None and (run.state == "running" or run.outcome in ("answered", "fallback", "blocked")):
            return run.summary()
        review = await self.reviews.find(request_id)
        if review is None:
            return self.get(request_id).summary()
        told = run.summary() if run is not None else {}
        told.pop("error", None)  # of a run that was stopped when its question was in the queue already
        return told | reviewed_summary(review)

    async def ask(self, query: Query) -> AsyncIterator[StreamEvent]:
        """Start a run and follow its events to the end. Raises `Refusal`.

        Whoever stops reading early leaves the run to its reconnect grace.
        """
        run = self.start(query)
        async for batch in self.follow(run):
            for entry in batch:
                yield entry.event

    async def follow(self, run: Run, after: int = 0, *, idle: float | None = None) -> AsyncIterator[Sequence[Entry]]:
        """Batches of a run's events after `after`; while somebody follows, the run is wanted.

        An empty batch comes after each `idle` seconds of silence.
        """
        with self.reading(run):
            async for batch in run.log.follow(after, idle=idle):
                self.readership.handed(run, batch)
                yield batch

    async def finished(self, run: Run) -> None:
        """Wait for the end of a run."""
        with self.reading(run):
            assert run.task is not None
            await asyncio.wait({run.task})
            self.readership.handed_whole(run)

    @contextmanager
    def reading(self, run: Run) -> Iterator[None]:
        """Somebody waits for this run."""
        run.readers += 1
        _stop(self._grace, run)
        self.readership.changed(run)
        try:
            yield
        finally:
            run.readers -= 1
            self._await_readers(run)
            self.readership.changed(run)

    def active(self) -> list[Run]:
        """The runs under way."""
        return [run for run in self._runs.values() if run.state == "running"]

    async def drain(self, grace: float) -> None:
        """Take no new runs, let those under way finish within `grace` seconds, stop the rest, let go of everything."""
        self.draining = True
        tasks = [run.task for run in self.active() if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=grace)
        for run in self.active():
            run.cancel("the server is shutting down", code="server_shutdown")
        if tasks:
            await asyncio.wait(tasks)
        for timer in [*self._grace.values(), *self._expiry.values()]:
            timer.cancel()
        self.readership.close()
        await self.collaborators.close()

    def check(self, query: Query) -> str:
        """The collection a question would be answered from. Raises `Refusal` if it could start no run."""
        if self.draining:
            raise ShuttingDown("The server is shutting down.")
        if query.mode == "deep" and self._research is None:
            raise Refusal("Deep research is not available on this server.", field="mode")
        if query.mode != "deep" and query.budget is not None and query.budget.given:
            raise Refusal("A budget belongs to deep research: it needs mode deep.", field="budget")
        for name, wanted in (query.budget.given if query.budget is not None else {}).items():
            most = getattr(self._limits.most, name)
            if wanted > most:
                raise Refusal(f"budget.{name}: this server gives at most {most:g}", field=f"budget.{name}")
        thread = None if query.thread_id is None else self._free(query.thread_id)
        if thread is not None and thread.turns >= MOST_TURNS:
            message = f"This conversation has {MOST_TURNS} turns and takes no more: begin another one."
            raise Refusal(message, field="thread_id")
        if query.domain not in self.collaborators.policies:
            known = ", ".join(sorted(self.collaborators.policies))
            raise Refusal(f"There is no such domain; these are: {known}.", field="domain")
        if query.collection is not None and query.collection not in self.collaborators.library.sizes():
            known = ", ".join(sorted(self.collaborators.library.sizes()))
            raise UnknownThing(f"There is no such collection; these are: {known}.", field="collection")
        if len(self.active()) >= self._limits.runs_at_once:
            raise TooManyRuns("The server is answering as many questions as it can; try again soon.")
        named = query.collection
        if named is None and thread is not None and thread.collection is not None:
            named = thread.collection
            if named not in self.collaborators.library.sizes():
                message = f"This conversation was answered from {named}, which is there no more: name a collection."
                raise UnknownThing(message, field="collection")
        return self.collaborators.library.resolve(named)

    async def forget(self, thread_id: str) -> None:
        """Delete a conversation. Raises `UnknownThing`, `ThreadBusy` while a question of it is being answered, and what
        `Threads.delete` raises.
        """
        self._free(thread_id)
        try:
            await self.threads.delete(thread_id)
        except UnknownThread as error:
            raise UnknownThing(str(error), field="thread_id") from error
        for run in [run for run in self._runs.values() if run.query.thread_id == thread_id]:
            self._forget(run)

    def _researching(self, query: Query) -> Research | None:
        if query.mode == "fast":
            return None
        wanted = {} if query.budget is None else query.budget.given
        return Research(spending=Spending(replace(self._limits.allowance, **wanted)))

    def _free(self, thread_id: str) -> Thread:
        """A conversation that nobody is answering in. Raises `UnknownThing` and `ThreadBusy`.

        An answer that is told as final is in its conversation: whoever has read it may go on at once.
        """
        try:
            thread = self.threads.known(thread_id)
        except UnknownThread as error:
            raise UnknownThing(str(error), field="thread_id") from error
        busy = next((run for run in self.active() if run.query.thread_id == thread_id and run.final is None), None)
        if busy is not None:
            message = f"This conversation is answering another question, as run {busy.request_id}: wait, or cancel it."
            raise ThreadBusy(message, field="thread_id", more={"running": busy.request_id})
        return thread

    def _joined(self, asked: str, key: str | None) -> Run | None:
        if key is None or key not in self._keys:
            return None
        fingerprint, request_id = self._keys[key]
        if request_id not in self._runs:
            return None
        if fingerprint != asked:
            raise Refusal("This Idempotency-Key was used with another body.", field="Idempotency-Key")
        return self._runs[request_id]

    def _await_readers(self, run: Run) -> None:
        if run.readers or run.state != "running" or run.query.on_disconnect == "continue":
            return
        _stop(self._grace, run)
        loop = asyncio.get_running_loop()
        left = partial(run.cancel, LEFT)
        self._grace[run.request_id] = loop.call_later(self._limits.reconnect_grace, left)

    def _finished(self, run: Run) -> None:
        run.settle()
        _stop(self._grace, run)
        for watcher in self._watchers:
            watcher(run)
        self.readership.changed(run)
        if not self.draining:
            loop = asyncio.get_running_loop()
            self._expiry[run.request_id] = loop.call_later(self._limits.keep_seconds, self._forget, run)
        while len(self._runs) > self._limits.runs_kept:
            oldest = next((run for run in self._runs.values() if run.state != "running"), None)
            if oldest is None:
                break
            self._forget(oldest)

    def _forget(self, run: Run) -> None:
        _stop(self._expiry, run)
        self._runs.pop(run.request_id, None)
        self._keys = {key: value for key, value in self._keys.items() if value[1] != run.request_id}


def _stop(timers: dict[str, asyncio.TimerHandle], run: Run) -> None:
    timer = timers.pop(run.request_id, None)
    if timer is not None:
        timer.cancel()


def _fingerprint(query: Query) -> str:
    return hashlib.sha256(query.model_dump_json().encode()).hexdigest()
