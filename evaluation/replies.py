"""Questions asked end to end, through the hub and the configured models."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from callbacks.answer import Judge
from callbacks.events import FinalAnswer, PipelineMetric
from evaluation.corpus import Track, unwatched
from evaluation.relevance import contained, holds
from evaluation.sets import Question, QuestionSet
from graph.hub import Hub
from graph.query import Query
from language.sentences import Span, sentence_spans

MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Reply:
    """How a run ended; without `final` it failed."""

    question: Question
    final: FinalAnswer | None
    metric: PipelineMetric | None

    @property
    def answered(self) -> FinalAnswer | None:
        """The answer, if it is one and not a refusal."""
        return self.final if self.final is not None and self.final.outcome == "answered" else None


async def ask(
    make_hub: Callable[[], Hub], collection: str, questions: Sequence[Question], track: Track = unwatched
) -> list[Reply]:
    """Ask one question after the other. Raises `Refusal`."""
    hub = make_hub()
    try:
        return [await _ask(hub, collection, question) for question in track(questions, "Answering")]
    finally:
        await hub.drain(0)


async def _ask(hub: Hub, collection: str, question: Question) -> Reply:
    final: FinalAnswer | None = None
    metric: PipelineMetric | None = None
    async for event in hub.ask(Query(query=question.question, collection=collection)):
        match event.payload:
            case FinalAnswer():
                final = event.payload
            case PipelineMetric():
                metric = event.payload
    return Reply(question, final, metric)


def sample(questions: Sequence[Question], limit: int, seed: int) -> list[Question]:
    """Up to `limit` questions, in their order."""
    chosen = np.random.default_rng(seed).permutation(len(questions))[:limit]
    return [questions[at] for at in sorted(chosen.tolist())]


def answers_contained(reply: Reply) -> list[bool]:
    """For each expected answer, whether it was said; empty if none is known or nothing was answered."""
    return contained(reply.question.answers, reply.answered.answer) if reply.answered else []


def citations_relevant(reply: Reply, questions: QuestionSet) -> list[bool]:
    """For each citation of an answer, whether its source holds something relevant; empty if nobody knows."""
    if reply.answered is None or not reply.question.documents:
        return []
    by_span = questions.by_span(reply.question)
    relevant = {
        source.index: bool(holds(reply.question, source.document_id, source.start, source.end, by_span=by_span))
        for source in reply.answered.sources
    }
    return [relevant[citation.index] for citation in reply.answered.citations if citation.index in relevant]


def citations_precise(reply: Reply, judge: Judge) -> list[bool]:
    """For each citation of an answer, whether its quote alone supports the sentence it stands at."""
    if reply.answered is None:
        return []
    answer = reply.answered.answer
    spans = sentence_spans(answer)
    return [
        judge(_cited(answer, spans, citation.start), [citation.quote]).support == "supported"
        for citation in reply.answered.citations
    ]


def _cited(answer: str, spans: Sequence[Span], at: int) -> str:
    """The sentence that a marker at `at` belongs to: the last one with a word before it, without markers."""
    said = (MARKER.sub("", answer[start:end]).strip() for start, end in reversed(spans) if start < at)
    return next((sentence for sentence in said if any(map(str.isalnum, sentence))), "")
