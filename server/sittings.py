"""What questions under LangGraph's development server use, kept while a developer looks at them at a breakpoint."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast
from uuid import uuid4

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.pregel import Pregel
from langgraph.types import StateSnapshot

from callbacks.events import Payload, StreamEvent, as_dict
from callbacks.log import EventLog
from callbacks.spending import Allowance, Spending
from graph.branches import Research
from graph.context import Collaborators, RagContext
from graph.lanes import Lanes
from graph.query import Query
from graph.run import FIRST_STATUS, Children, Run
from graph.state import RagInput
from graph.work import Work, asked
from server.lock import DataLock

log = logging.getLogger(__name__)

INPUT = {
    "question": "query",
    "collection": "collection",
    "named_domain": "domain",
    "top_k": "top_k",
    "filters": "filters",
}
"""What a graph is given, and how a `Query` calls it."""
_MOST_KEPT = 100
"""Sittings. Older ones are made again from their checkpoints."""
_AFTER_THE_DRAFT = frozenset({"verify", "refine", "conclude"})


class Lost(RuntimeError):
    """A question that cannot go on from where it stands, because its draft is in no checkpoint."""


class Told(EventLog):
    """The log of a run whose events can be followed in the stream `custom` of its graph."""

    def append(self, payload: Payload, timestamp: str | None = None) -> StreamEvent:
        """Publish an event, as in any log."""
        event = super().append(payload, timestamp)
        log.debug("%s", self.entries[-1].encoded.decode())
        try:
            write = get_stream_writer()
        except (RuntimeError, AttributeError):  # published outside of the graph: no config, or one of the server's
            return event
        write(as_dict(event))
        return event


class Stopwatch:
    """A clock that stands still at a breakpoint, so that deep research spends no time there."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def __call__(self) -> float:
        """Seconds of work so far."""
        return self._before + (0.0 if self._since is None else monotonic() - self._since)

    def start(self) -> None:
        """Go on."""
        self._since = monotonic()

    def stop(self) -> None:
        """Stand still."""
        self._before, self._since = self(), None


@dataclass(kw_only=True, slots=True)
class Sitting:
    """A question and everything it uses."""

    run: Run
    context: RagContext
    config: RunnableConfig
    """Its handlers."""
    children: Children
    watch: Stopwatch
    checkpoint: str | None = None
    """Where it stands."""

    async def end(self) -> None:
        """Stop what still works for it."""
        await self.children.end()
        self.run.settle()


@dataclass(kw_only=True)
class Sittings:
    """Those of one process: the last question of each thread."""

    collaborators: Collaborators
    allowance: Allowance = field(default_factory=Allowance)
    """What deep research may spend."""
    lock: DataLock | None = None
    """Of the data folder, held as long as this is there."""
    _kept: dict[str, Sitting] = field(default_factory=dict)
    """By thread, the one used last at the end."""

    def given(self, values: Mapping[str, Any]) -> RagInput:
        """What a graph starts with: a question at least, the rest has defaults. Raises what validation raises."""
        query = _query(values, deep=False)
        more = {key: values[key] for key in ("wording", "unsure", "history") if key in values}
        start = asked(query, self.collaborators.library.resolve(query.collection))
        return cast(RagInput, {**start, **more})

    async def begin(
        self, thread: str | None, given: RagInput, graph: Pregel[Any, Any, Any, Any], *, deep: bool
    ) -> Sitting:
        """Everything for a new question, in place of what the thread was asked before."""
        await self.forget(thread)
        children, watch, request_id = Children(), Stopwatch(), str(uuid4())
        run = Run(
            request_id=request_id,
            query=_query(given, deep=deep),
            collection=given["collection"],
            work=Work(graph=graph, given=given),
            log=Told(request_id),
            research=Research(spending=Spending(self.allowance, clock=watch)) if deep else None,
        )
        context, config = run.equip(self.collaborators, Lanes(), children)
        run.publish(FIRST_STATUS)
        sitting = Sitting(run=run, context=context, config=config, children=children, watch=watch)
        if thread is not None:
            self._kept[thread] = sitting
        if len(self._kept) > _MOST_KEPT:
            await self.forget(next(iter(self._kept)))
        return sitting

    async def go_on(self, thread: str, at: StateSnapshot, graph: Pregel[Any, Any, Any, Any], *, deep: bool) -> Sitting:
        """Everything for a question that stands at a checkpoint. Raises `Lost`.

        What another process began, or what is forked from an earlier checkpoint, is made again from the state.
        """
        known = self._kept.get(thread)
        if known is not None and known.checkpoint in (checkpoint_of(at.config), checkpoint_of(at.parent_config)):
            self._kept[thread] = self._kept.pop(thread)
            return known
        if at.values.get("verdict") == "open" and not _AFTER_THE_DRAFT.isdisjoint(at.next):
            raise Lost(
                "The draft of this thread is not in its checkpoint, and the process that wrote it has ended or gone "
                "on: fork the thread at or before the node that writes, or ask the question again."
            )
        sitting = await self.begin(thread, self.given(at.values), graph, deep=deep)
        book, publish = sitting.context.book, sitting.run.publish
        for documents, branch in _shown(at.values):
            for source in book.announce(documents, book.waves + 1, branch):
                publish(source)
        if "decision" in at.values:
            publish(at.values["decision"])
        return sitting

    async def forget(self, thread: str | None) -> None:
        """End what a thread was asked last."""
        sitting = None if thread is None else self._kept.pop(thread, None)
        if sitting is not None:
            await sitting.end()


def checkpoint_of(config: RunnableConfig | None) -> str | None:
    """The id of the checkpoint a config leads to."""
    return None if config is None else config.get("configurable", {}).get("checkpoint_id")


def _query(values: Mapping[str, Any], *, deep: bool) -> Query:
    said = {INPUT[name]: value for name, value in values.items() if name in INPUT and value not in (None, "")}
    return Query.model_validate({**said, "mode": "deep" if deep else "fast"})


def _shown(values: Mapping[str, Any]) -> list[tuple[Sequence[Document], str | None]]:
    """What a reader was shown up to a checkpoint, wave by wave, with the branch of each."""
    policy = values.get("policy")
    if policy is None or (policy.precheck == "full_slow_path" and values.get("verdict") != "open"):
        return []
    waves: list[tuple[Sequence[Document], str | None]] = [(values.get("passages", []), None)]
    for finding in values.get("findings", []):
        telling = [document for document in finding.documents if document.metadata["score"] >= policy.floor]
        waves.append((telling, finding.branch.name))
    return [*waves, (values.get("written_from", []), None)]
