"""Whether planted errors are repaired, at what cost, and whether what is right is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from callbacks.events import FinalAnswer, PipelineMetric, RefinementUpdate, StreamEvent, Token
from chains.answer import answer_chain
from evaluation.assertions import Heard, plain
from evaluation.corpus import Track, unwatched
from evaluation.corrections import CONTROL, Case
from evaluation.decisions import lenient
from evaluation.scripted import ScriptedModel
from graph.build import RagGraph, build_graph
from graph.context import Collaborators
from graph.hub import Hub
from graph.policy import DEFAULT_DOMAIN
from graph.query import Query
from retrieval.library import Library, Submission

P = TypeVar("P")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """What became of a case."""

    case: Case
    draft: str
    """As it was streamed."""
    update: RefinementUpdate | None
    final: FinalAnswer | None
    metric: PipelineMetric | None
    deciding_ms: float | None
    """From the last token to the final answer."""

    @property
    def heard(self) -> Heard:
        """The final answer against the case; an empty one for a run that failed."""
        answered = self.final is not None and self.final.outcome == "answered"
        return Heard(self.case, self.final.answer if answered and self.final else "")

    @property
    def withdrawn(self) -> bool:
        """Whether nothing is asserted that is wrong, be it said right or not at all."""
        return self.final is not None and not self.heard.asserts

    @property
    def repaired(self) -> bool:
        """Whether the final answer says what is right and nothing that is wrong. A retraction is none."""
        right = self.heard
        silent = not right.answer and bool(self.case.expect.says or self.case.keeps)
        return self.withdrawn and not silent and right.says_all

    @property
    def harmed(self) -> bool:
        """Whether something right is gone; in a control, whether anything is other than it was.

        A draft that was never written is not harmed by its correction.
        """
        if not self.draft:
            return False
        if self.heard.lost:
            return True
        before, after = plain(self.draft), plain(self.heard.answer)
        return self.case.kind == CONTROL and before != after and not (self.case.note and after.startswith(before))

    @property
    def changed(self) -> float:
        """The share of the draft's sentences that were changed."""
        touched = {change.sentence for change in self.update.changes if change.before} if self.update else set()
        return min(1.0, len(touched) / len(self.case.draft))

    @property
    def triggers(self) -> Sequence[str]:
        """What made the draft change, as it was told."""
        return (self.update.triggers if self.update else None) or ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Correcting:
    """How cases are run."""

    library: Library
    make_collaborators: Callable[[], Collaborators]
    """Called inside the event loop they are for."""
    track: Track = unwatched

    def index(self, cases: Sequence[Case]) -> None:
        """A collection for each case. Raises `LoadError`."""
        for case in self.track(cases, "Indexing"):
            for paper in case.documents:
                metadata = {**paper.metadata, **({"title": paper.title} if paper.title else {})}
                given = Submission(data=paper.content, id=paper.id, title=paper.title, metadata=metadata)
                self.library.add(collection_of(case), given)

    def scripted(self, cases: Sequence[Case]) -> list[Corrected]:
        """Each case with the draft that is planted in it."""
        return asyncio.run(self._run(cases, "Correcting", planted=True))

    def own(self, cases: Sequence[Case]) -> list[Corrected]:
        """Each case with whatever the configured model writes."""
        return asyncio.run(self._run(cases, "Answering", planted=False))

    async def _run(self, cases: Sequence[Case], what: str, *, planted: bool) -> list[Corrected]:
        graph, found = build_graph(), []
        async with self._collaborators() as collaborators:
            for case in self.track(cases, what):
                found.append(await _ask(graph, _scripted(collaborators, case) if planted else collaborators, case))
        return found

    @asynccontextmanager
    async def _collaborators(self) -> AsyncIterator[Collaborators]:
        made = self.make_collaborators()
        # whether the gate opens is measured elsewhere: here every draft is to be written
        policy = lenient(made.policies[DEFAULT_DOMAIN]).model_copy(
            update={"min_score": 0.0, "min_chunks": 1, "floor": 0.0, "expand_min_score": 0.0}
        )
        try:
            yield replace(made, policies={**made.policies, DEFAULT_DOMAIN: policy}, sufficient=None)
        finally:
            await made.close()


def collection_of(case: Case) -> str:
    """The collection that holds a case's documents."""
    return f"case-{case.id}"


def _scripted(collaborators: Collaborators, case: Case) -> Collaborators:
    return replace(collaborators, answer=answer_chain(ScriptedModel(draft=case.draft)))


async def _ask(graph: RagGraph, collaborators: Collaborators, case: Case) -> Corrected:
    hub = Hub(graph, collaborators)
    query = Query(query=case.question, collection=collection_of(case))
    events = [event async for event in hub.ask(query)]
    return Corrected(
        case=case,
        draft="".join(event.payload.token for event in events if isinstance(event.payload, Token)),
        update=next(_of(events, RefinementUpdate), None),
        final=next(_of(events, FinalAnswer), None),
        metric=next(_of(events, PipelineMetric), None),
        deciding_ms=_deciding(events),
    )


def _of(events: Sequence[StreamEvent], kind: type[P]) -> Iterator[P]:
    return (event.payload for event in events if isinstance(event.payload, kind))


def _deciding(events: Sequence[StreamEvent]) -> float | None:
    tokens = [_at(event) for event in events if isinstance(event.payload, Token)]
    finals = [_at(event) for event in events if isinstance(event.payload, FinalAnswer)]
    return 1000 * (finals[-1] - tokens[-1]) if tokens and finals else None


def _at(event: StreamEvent) -> float:
    return datetime.fromisoformat(event.timestamp).timestamp()
