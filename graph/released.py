"""The answers that come of a review: what a model drafted or a person wrote, cited and judged, and refusals."""

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.documents import Document

from callbacks.answer import AnswerStream
from callbacks.blackout import blacked_out
from callbacks.events import FinalAnswer, Outcome, as_dict
from callbacks.personal import Mask
from callbacks.sources import SourceBook
from graph.figures import coverage, mean, precision
from graph.safety import unsafe_links
from retrieval.reviews import Review

Saved = dict[str, Any]
"""A passage as plain data: `page_content` and `metadata`."""


def saved(passages: Iterable[Document]) -> list[Saved]:
    """Passages as plain data, for a checkpoint."""
    return [{"page_content": passage.page_content, "metadata": passage.metadata} for passage in passages]


def restored(passages: Iterable[Saved]) -> list[Document]:
    """Passages out of a checkpoint."""
    return [Document(passage["page_content"], metadata=passage["metadata"]) for passage in passages]


def book_of(passages: Sequence[Document], mask: Mask | None) -> SourceBook:
    """A book of its own, in which source n is passage n."""
    book = SourceBook(mask)
    book.announce(passages, wave=1)
    return book


def answer_of(stream: AnswerStream, passages: Sequence[Document], *, domain: str) -> FinalAnswer:
    """What an `AnswerStream` has made of a text; without a citation it counts as no answer."""
    citations, sentences = stream.citations, stream.sentences
    if not citations:
        return refusal(stream.text, domain=domain, outcome="review")
    cited = {citation.source_id for citation in citations}
    sources = sorted((stream.book[row].event for row in stream.rows), key=lambda source: -source.score)
    return FinalAnswer(
        complete=True,
        answer=stream.text,
        revision=0,
        groundedness_score=mean([sentence.score for sentence in sentences]),
        safety_pass=not unsafe_links(passages)(stream.text),
        citations=citations,
        sources=sources,
        outcome="answered",
        safe_fallback=False,
        citation_coverage=coverage(citations, len(sentences)),
        uncited_sources=[source.source_id for source in sources if source.source_id not in cited],
        unknown_citations=stream.unknown_citations,
        domain=domain,
        thread_id=None,
        truncated=stream.truncated,
        citation_precision=precision(citations, sentences, stream.judge),
        citation_support=mean([sentence.support == "supported" for sentence in sentences]),
        sentences=sentences,
    )


def refusal(text: str, *, domain: str, outcome: Outcome) -> FinalAnswer:
    """A text that cites nothing."""
    return FinalAnswer(
        complete=True,
        answer=text,
        revision=0,
        groundedness_score=0.0,
        safety_pass=not unsafe_links([])(text),
        citations=[],
        sources=[],
        outcome=outcome,
        safe_fallback=True,
        citation_coverage=0.0,
        uncited_sources=[],
        unknown_citations=0,
        domain=domain,
        thread_id=None,
        truncated=False,
    )


def masked(final: FinalAnswer, mask: Mask | None) -> FinalAnswer:
    """Without what of a document must not be shown, as a run publishes it."""
    shown = final if mask is None else blacked_out(final, mask)
    assert isinstance(shown, FinalAnswer)
    return shown


def shown_without_sources(final: FinalAnswer) -> dict[str, Any]:
    """The JSON of an answer whose asker wanted no sources."""
    return as_dict(final.model_copy(update={"sources": [], "uncited_sources": []}))


def reviewed_summary(review: Review) -> dict[str, Any]:
    """Where a question for a person stands, as `GET /runs/{id}` shows it."""
    shown = {"request_id": review.request_id}
    if review.final is None or review.decision is None:
        waiting = refusal(review.told, domain=review.item["domain"], outcome="review")
        return {**shown, "state": "waiting_review", "final_answer": as_dict(waiting)}
    decision = review.decision
    reviewed = {"decision": decision.decision, "note": decision.note, "at": decision.at}
    return {**shown, "state": "done", "final_answer": review.final, "reviewed": reviewed}
