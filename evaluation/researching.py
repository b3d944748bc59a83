"""What research is worth: every question asked at once and in depth, by the graphs that the server runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from callbacks.events import FinalAnswer, PipelineMetric
from evaluation.corpus import Track, unwatched
from evaluation.sets import Question, QuestionSet
from graph.figures import mean
from graph.hub import Hub
from graph.query import Query

SOURCES = 10
"""Places of which all evidence must have one."""
Mode = Literal["fast", "deep"]
MODES: tuple[Mode, ...] = ("fast", "deep")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how it was answered."""

    question: Question
    final: FinalAnswer
    metric: PipelineMetric


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one mode; shares are 0..1."""

    questions: int
    all_evidence: float
    """Of questions whose relevant documents are all among the sources of the final answer."""
    answered: float
    searches: float
    """On average."""
    ms: float
    """On average, to the end of a run."""
    slowest_ms: int
    coverage: float
    """Of the sentences of an answer, those with a citation; on average over answers."""
    precision: float
    """Of its citations, those that speak for their sentence."""


async def research(
    hub: Hub, collection: str, questions: QuestionSet, most: int, track: Track = unwatched
) -> Mapping[Mode, list[Asked]]:
    """At most `most` questions that have evidence, at even distances, asked in both modes by turns, one at a time.

    Raises `RuntimeError` if a run ends without an answer.
    """
    wanted = [q for q in questions.questions if q.answerable is not False and q.documents]
    chosen = wanted[:: max(1, len(wanted) // most)][:most]
    asked: dict[Mode, list[Asked]] = {mode: [] for mode in MODES}
    if chosen:
        await _ask(hub, collection, chosen[0], "fast")  # the first one warms up
    for question in track(chosen, "Researching"):
        for mode in MODES:
            asked[mode].append(await _ask(hub, collection, question, mode))
    return asked


def figures(asked: Sequence[Asked]) -> Figures:
    """The figures of some questions; of none, zeros."""
    answers = [one.final for one in asked if one.final.outcome == "answered"]
    taken = [one.metric.total_pipeline_ms for one in asked]
    return Figures(
        questions=len(asked),
        all_evidence=mean([one.question.documents <= _documents(one.final) for one in asked]),
        answered=mean([one.final.outcome == "answered" for one in asked]),
        searches=mean([one.metric.searches or 0 for one in asked]),
        ms=mean(taken),
        slowest_ms=max(taken, default=0),
        coverage=mean([final.citation_coverage for final in answers]),
        precision=mean([final.citation_precision or 0.0 for final in answers]),
    )


async def _ask(hub: Hub, collection: str, question: Question, mode: Mode) -> Asked:
    run = hub.start(Query(query=question.question, collection=collection, mode=mode, top_k=SOURCES))
    await hub.finished(run)
    if run.final is None or run.metric is None:
        raise RuntimeError(f"{question.question}: {run.error}")
    return Asked(question, run.final, run.metric)


def _documents(final: FinalAnswer) -> frozenset[str]:
    return frozenset(source.document_id for source in final.sources)
