"""The searches of an evaluation: questions as they are, and with their evidence taken away."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal, get_args

from evaluation.corpus import Track, unwatched
from evaluation.decisions import Gate, Seen
from evaluation.relevance import holds
from evaluation.sets import Question, QuestionSet
from retrieval.library import Library

DEPTH = 10
"""Hits that are scored."""

Difficulty = Literal["topic absent", "passage absent", "near miss"]
"""What is wrong with a question that should be refused: nothing on its topic is there, what it is about is there but
not the documents with the answer, or it was written so as to have no answer."""
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)
"""Easiest first."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a search found of what was wanted."""

    question: Question
    held: list[frozenset[Hashable]]
    ms: float


def rank(library: Library, collection: str, questions: QuestionSet, track: Track = unwatched) -> list[Ranking]:
    """Search for every question that has an answer and says where, the first one twice: it warms up."""
    wanted = [q for q in questions.questions if q.answerable is not False and q.documents]
    for question in wanted[:1]:
        library.search_now(collection, question.question, DEPTH)
    return [_rank(library, collection, questions, question) for question in track(wanted, "Searching")]


def _rank(library: Library, collection: str, questions: QuestionSet, question: Question) -> Ranking:
    began = perf_counter()
    evidence = library.search_now(collection, question.question, DEPTH)
    ms = 1000 * (perf_counter() - began)
    by_span = questions.by_span(question)
    passages = [hit.passage for hit in evidence.hits]
    held = [holds(question, p.document_id, p.start, p.end, by_span=by_span) for p in passages]
    return Ranking(question, held, ms)


@dataclass(frozen=True, slots=True)
class Probed:
    """What the gate makes of each question."""

    present: list[Seen]
    """Answerable questions, asked as they are."""
    absent: dict[Difficulty, list[Seen]]
    """Questions to be refused; only the difficulties that the set has."""


def probe(gate: Gate, questions: QuestionSet, track: Track = unwatched) -> Probed:
    """Show the gate each question, with everything there and with the answer taken away."""
    probed = Probed([], {})
    for question in track(questions.questions, "Asking the gate"):
        for difficulty, filters in _probes(questions, question):
            seen = gate.see(question.question, filters)
            (probed.present if difficulty is None else probed.absent.setdefault(difficulty, [])).append(seen)
    return probed


def _probes(
    questions: QuestionSet, question: Question
) -> Iterator[tuple[Difficulty | None, dict[str, list[Any]] | None]]:
    """The ways to ask a question, with the filters that take evidence away before anything is ranked."""
    if question.answerable is False:
        yield "near miss", None
    if question.answerable is not True:
        return
    yield None, None
    corpus = questions.corpus or {}
    topic = {key for key, entry in corpus.items() if question.group and entry.group == question.group}
    others = {entry.group or "" for entry in corpus.values()} - {question.group}
    rest = [key for key in corpus if key not in question.documents]
    if topic and others:
        elsewhere = {"set_id": rest} if question.documents - topic else {}
        yield "topic absent", {"group": sorted(others), **elsewhere}
    if rest and question.documents and topic != question.documents:
        yield "passage absent", {"set_id": rest}
