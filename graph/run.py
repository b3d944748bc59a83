"""One run: a task of its own that reports into a log, owned by the hub and never by a response."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Literal, TypeVar, cast

from langchain_core.runnables import RunnableConfig

from callbacks.answer import AnswerStream, apart_from_personal
from callbacks.blackout import blacked_out
from callbacks.events import (
    CitationAttached,
    Error,
    FinalAnswer,
    GateDecision,
    PartialAnswer,
    Payload,
    PipelineMetric,
    RefinementUpdate,
    Source,
    StatusUpdate,
    SummarySection,
    Thinking,
    Token,
    as_dict,
    timestamp_now,
)
from callbacks.handlers import AnswerHandler, ReportHandler, SourceHandler, StageHandler, ThinkingHandler
from callbacks.log import EventLog, LogFull
from callbacks.metrics import Meter
from callbacks.personal import Mask
from callbacks.sources import SourceBook
from callbacks.spending import SpendingHandler
from callbacks.thinking import ThinkingStream
from chains.followup import Exchange
from chains.verify import lexical_judge
from graph.branches import Research
from graph.checkpoints import ConversationsUnavailable
from graph.context import Collaborators, RagContext
from graph.conversation import Turn, turn_of
from graph.drafting import PendingDraft
from graph.failures import ModelFailure
from graph.following import condensed
from graph.lanes import Lanes
from graph.query import Query
from graph.rewriting import PendingRewrite
from graph.state import RagState
from graph.threads import Threads, TurnNotListed
from graph.work import Work, going_on

log = logging.getLogger(__name__)
T = TypeVar("T")

RunState = Literal["running", "waiting_review", "done", "failed", "cancelled"]
FIRST_STATUS = StatusUpdate(stage="understanding", message="Understanding your question")
SILENCE_SECONDS = 1.8
"""After this long without an event the reader is told that work goes on."""


def revisions(payloads: Iterable[Payload]) -> list[dict[str, Any]]:
    """Every text an answer has had, as `GET /runs/{id}` shows them: revision 0 is the draft."""
    draft, citations, later = "", list[dict[str, Any]](), list[dict[str, Any]]()
    for payload in payloads:
        match payload:
            case Token():
                draft += payload.token
            case CitationAttached():
                citations.append(as_dict(payload))
            case RefinementUpdate() if payload.action != "confirm":
                told = as_dict(payload)
                texts = {"answer": told.pop("refined_answer"), "citations": told.pop("additional_citations")}
                later.append({"revision": told.pop("revision"), **texts, **told})
    return [{"revision": 0, "answer": draft, "citations": citations}, *later]


class Children:
    """Tasks that end with a run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[None, None, T]) -> "asyncio.Task[T]":
        """Start one."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        return task

    async def end(self) -> None:
        """Stop them all, but for those that are being stopped: twice would break off what they close."""
        for task in self._tasks:
            if not task.cancelling():
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass(eq=False, kw_only=True)
class Run:
    """A question being answered. Reading its log neither drives nor delays it."""

    request_id: str
    query: Query
    collection: str
    work: Work
    log: EventLog
    threads: Threads | None = None
    """Where its conversation is; None for a question that belongs to none."""
    research: Research | None = None
    """What deep research spends, and whether it is to finish; None in fast mode."""
    asked_at: str = field(default_factory=timestamp_now)
    meter: Meter = field(default_factory=Meter)
    state: RunState = "running"
    final: FinalAnswer | None = None
    error: Error | None = None
    metric: PipelineMetric | None = None
    sentences: list[PartialAnswer] = field(default_factory=list)
    """Of the draft, each with the last verdict on it."""
    readers: int = 0
    cancel_reason: str | None = None
    cancel_code: str = "cancelled"
    task: asyncio.Task[None] | None = None
    _leave_fast_lane: Callable[[], None] | None = None
    _mask: Mask | None = None
    """Blacks out what of a document must not be shown."""
    _withheld: FinalAnswer | None = None
    """The answer of a turn, which is final as soon as its conversation holds it."""
    _opened: asyncio.Event = field(default_factory=asyncio.Event)
    _thinking: ThinkingStream | None = None
    _last_said: float = field(default_factory=monotonic)
    _status: StatusUpdate = field(default_factory=lambda: FIRST_STATUS)

    def publish(self, payload: Payload) -> None:
        """Append an event to the log and take note of it. Raises what the log raises."""
        if self._mask is not None:
            payload = blacked_out(payload, self._mask)
        if self.research is not None:
            payload = self.research.noted(payload)
        if isinstance(payload, Thinking) and not self.query.thinking:
            self.log.grammar.admit(payload)
            return
        if not self.query.include_sources:
            if isinstance(payload, Source):
                self.log.grammar.admit(payload)
                return
            if isinstance(payload, FinalAnswer):
                payload = payload.model_copy(update={"sources": [], "uncited_sources": []})
        if isinstance(payload, FinalAnswer) and self.threads is not None and self._withheld is None:
            self._withheld = payload
            return
        self.log.append(payload)
        self._last_said = monotonic()
        self.meter.observe(payload)
        useful = self.meter.first_token is not None or isinstance(payload, SummarySection)
        if self._leave_fast_lane is not None and (useful or self.log.grammar.refused):
            self._leave_fast_lane()
            self._leave_fast_lane = None
        match payload:
            case StatusUpdate():
                self._status = payload
            case GateDecision(verdict="open"):
                self._opened.set()
                if self._thinking is not None:
                    self._thinking.release()
            case FinalAnswer():
                self.final = payload
            case Error(fatal=True):
                self.error = payload
            case PipelineMetric():
                self.metric = payload

    def start(self, collaborators: Collaborators, lanes: Lanes) -> None:
        """Begin, in a context of its own, so that no callback of the caller's is inherited."""
        self._mask = collaborators.guarding.mask
        self.publish(StatusUpdate(stage="understanding", message=self.work.greeting))
        if self.research is None and self.work.answers:
            self._leave_fast_lane = lanes.enter()
        self.task = asyncio.get_running_loop().create_task(
            self._run(collaborators, lanes), name=f"run {self.request_id}", context=Context()
        )

    def cancel(self, reason: str, code: str = "cancelled") -> None:
        """Stop every branch at once; the stream ends with an `error` that says why.

        An answer that is being written into its conversation is not stopped: it is there, or it never was.
        """
        stoppable = self.task is not None and not self.task.done() and self._withheld is None
        if self.task is not None and stoppable and self.cancel_reason is None:
            self.cancel_reason, self.cancel_code = reason, code
            self.task.cancel()

    def summary(self) -> dict[str, Any]:
        """What `GET /runs/{id}` shows."""
        shown: dict[str, Any] = {"request_id": self.request_id, "state": self.state}
        if self.final is not None:
            shown["final_answer"] = as_dict(self.final)
        if self.error is not None:
            shown["error"] = as_dict(self.error)
        if self.metric is not None:
            shown["metrics"] = as_dict(self.metric)
        if self.log.grammar.tokens:
            shown["revisions"] = revisions(entry.event.payload for entry in self.log.entries)
        if self.sections:
            shown["sections"] = self.sections
        return shown

    @property
    def sections(self) -> list[dict[str, Any]]:
        """Those of a summary that were told; of any other run none."""
        payloads = (entry.event.payload for entry in self.log.entries)
        return [as_dict(payload) for payload in payloads if isinstance(payload, SummarySection)]

    @property
    def outcome(self) -> str:
        """How it ended, as the `end` frame says it."""
        if self.final is not None:
            return self.final.outcome
        return "cancelled" if self.state == "cancelled" else "error"

    async def _run(self, collaborators: Collaborators, lanes: Lanes) -> None:
        try:
            await self._answer(collaborators, lanes)
            self.state = "waiting_review" if self.outcome == "review" else "done"
        except asyncio.CancelledError:
            self._stopped()
        except LogFull:
            self.state = "failed"
            message = "The answer grew longer than the server keeps."
            self._fail(Error(code="answer_too_long", message=message, fatal=True, retryable=False))
        except ModelFailure as failure:
            log.warning("run %s: %s (%r)", self.request_id, failure.code, failure.__cause__)
            self.state = "failed"
            self._fail(failure.event(fatal=True))
        except ConversationsUnavailable as error:
            log.exception("run %s: what was said before cannot be read", self.request_id)
            self.state = "failed"
            self._fail(Error(code="conversations_unavailable", message=str(error), fatal=True, retryable=False))
        except Exception:
            log.exception("run %s failed", self.request_id)
            self.state = "failed"
            message = "Something went wrong on the server."
            self._fail(Error(code="internal", message=message, fatal=True, retryable=True))
        finally:
            self._close()

    def settle(self) -> None:
        """Make sure of an ending, even for a run that was cancelled before its first step."""
        if self._leave_fast_lane is not None:
            self._leave_fast_lane()
        if not self.log.closed:
            self._stopped()
            self._close()

    def _stopped(self) -> None:
        if self.final is not None:
            self.state = "done"
            return
        self.state = "cancelled" if self.cancel_code == "cancelled" else "failed"
        self._fail(self._cancelled())

    def _close(self) -> None:
        if self.log.grammar.ended and not self.log.grammar.measured:
            self.publish(self.meter.metric())
        self.log.close()

    def _fail(self, error: Error) -> None:
        if self.final is None:
            self.publish(error)

    def _cancelled(self) -> Error:
        reason = self.cancel_reason or "the server stopped it"
        shutdown = self.cancel_code == "server_shutdown"
        message = "The server is shutting down." if shutdown else "The run was cancelled."
        return Error(code=self.cancel_code, message=message, fatal=True, retryable=shutdown, reason=reason)

    def equip(
        self, collaborators: Collaborators, lanes: Lanes, children: Children
    ) -> tuple[RagContext, RunnableConfig]:
        """What the graph is called with: its context, and the handlers that publish what happens in it."""
        mask = self._mask = collaborators.guarding.mask
        book = SourceBook(mask)
        judge = apart_from_personal(lexical_judge(collaborators.library.idf(self.collection)))
        stream = AnswerStream(book, judge, guarding=collaborators.guarding)
        self.sentences = stream.sentences
        thinking = self._thinking = ThinkingStream(
            self.publish,
            self._opened,
            collaborators.guarding,
            manners=collaborators.manners,
            wanted=self.query.thinking,
        )
        context = RagContext(
            collaborators=collaborators,
            stream=stream,
            book=book,
            rewriting=PendingRewrite(children.spawn),
            draft=PendingDraft(children.spawn),
            opened=self._opened,
            lanes=lanes,
            meter=self.meter,
            thinking=thinking,
            request_id=self.request_id,
            include_sources=self.query.include_sources,
            thread_id=self.query.thread_id,
            research=self.research,
        )
        config: RunnableConfig = {
            "run_name": "groundswell",
            "callbacks": [
                SourceHandler(book, self.publish, self.meter),
                ThinkingHandler(thinking),
                AnswerHandler(stream, self.publish, self.meter, self._opened, thinking),
                ReportHandler(self.publish),
                StageHandler(self.meter),
                *([] if self.research is None else [SpendingHandler(self.research.spending)]),
            ],
        }
        return context, config

    async def _answer(self, collaborators: Collaborators, lanes: Lanes) -> None:
        children = Children()
        context, config = self.equip(collaborators, lanes, children)
        children.spawn(self._break_silence())
        try:
            if self.threads is None:
                await self.work.graph.ainvoke(self.work.given, config, context=context)
            else:
                await self._take_turn(self.threads, config, context)
        finally:
            await children.end()

    async def _take_turn(self, threads: Threads, config: RunnableConfig, context: RagContext) -> None:
        """Answer in a conversation, which holds the answer before anybody is told that it is final."""

        hide = self._mask or str
        understood = self.query.query

        async def answer(history: Sequence[Exchange]) -> Turn:
            nonlocal understood
            given = going_on(self.work.given, history)
            if given["question"] != self.query.query and not given["unsure"]:
                self.publish(self._status.model_copy(update={"standalone": hide(given["question"])}))
            answering = self.work.graph.ainvoke(given, config, context=context)
            # outside the context of the conversation's graph, whose checkpointer this one would inherit
            known = await asyncio.get_running_loop().create_task(answering, context=Context())
            assert self._withheld is not None
            late = await condensed(cast(RagState, known), context.rewriting, 0) if history else None
            understood = late or known["question"]
            return turn_of(
                self._withheld,
                request_id=self.request_id,
                created=self.asked_at,
                mode=self.query.mode,
                collection=self.collection,
                question=self.query.query,
                standalone=understood,
                mask=self._mask,
            )

        assert self.query.thread_id is not None
        try:
            await threads.converse(self.query.thread_id, self.request_id, answer)
        except TurnNotListed:
            log.exception("the turn of run %s is not in the list of conversations", self.request_id)
            message = "The answer is in the conversation; the list of conversations will say so after the next one."
            self.publish(Error(code="turn_not_listed", message=message, fatal=False, retryable=False))
        except Exception:
            if self._withheld is None:
                raise
            log.exception("the answer of run %s could not be added to its conversation", self.request_id)
            message = "The answer could not be added to the conversation; a later question cannot refer to it."
            self.publish(Error(code="turn_not_kept", message=message, fatal=False, retryable=False))
        assert self._withheld is not None
        if understood != self.query.query:
            self._withheld = self._withheld.model_copy(update={"standalone": hide(understood)})
        self.publish(self._withheld)

    async def _break_silence(self) -> None:
        """While anything works in silence, say so: the last status again."""
        while not self.log.grammar.ended:
            quiet = monotonic() - self._last_said
            if quiet >= SILENCE_SECONDS:
                self.publish(self._status.model_copy(update={"time_to_first_token_ms": None}))
            else:
                await asyncio.sleep(SILENCE_SECONDS - quiet)
