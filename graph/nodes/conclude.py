"""`conclude`: the one successful ending."""

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.events import CitationAttached, FinalAnswer, Source
from graph.context import RagContext
from graph.figures import coverage, mean, precision
from graph.report import report
from graph.safety import unsafe_links
from graph.screening import SERIOUS
from graph.state import RagState, join_passages


async def conclude(state: RagState, runtime: Runtime[RagContext]) -> dict[str, Any]:
    """Report the final answer, with figures about the revision that stands."""
    context, outcome = runtime.context, state["outcome"]
    citations = state.get("citations", [])
    passages = join_passages(state.get("passages", []), state.get("evidence", []))
    written_from = state.get("written_from") or state.get("passages", [])
    sources: list[Source] = []
    if outcome in ("answered", "fallback"):
        researched = state.get("ledger") and outcome == "answered"
        pick = _of_ledger if researched else _sources
        sources = pick(_with_best_scores(written_from, passages), citations, context, state["top_k"])
    cited = {citation.source_id for citation in citations}
    sentences = state.get("sentences", [])
    concerns = [*state.get("concerns", []), *context.stream.removed]
    final = FinalAnswer(
        complete=True,
        answer=state["answer"],
        revision=state.get("revision", 0),
        groundedness_score=mean([sentence.score for sentence in sentences]),
        safety_pass=SERIOUS.isdisjoint(concerns) and not unsafe_links(passages)(state["answer"]),
        citations=citations,
        sources=sources,
        outcome=outcome,
        safe_fallback=outcome != "answered",
        citation_coverage=coverage(citations, len(sentences)),
        uncited_sources=[source.source_id for source in sources if source.source_id not in cited],
        unknown_citations=context.stream.unknown_citations,
        domain=state["domain"],
        thread_id=context.thread_id,
        truncated=context.stream.truncated,
        citation_precision=precision(citations, sentences, context.stream.judge) if citations else None,
        citation_support=mean([s.support == "supported" for s in sentences]) if citations else None,
        safety_flags=list(dict.fromkeys(concerns)) or None,
        sentences=sentences or None,
    )
    await report(final)
    return {}


def _with_best_scores(passages: Sequence[Document], known: Sequence[Document]) -> list[Document]:
    best = {document.metadata["source_id"]: document for document in known}
    return [best.get(passage.metadata["source_id"], passage) for passage in passages]


def _of_ledger(
    passages: Sequence[Document], citations: list[CitationAttached], context: RagContext, top_k: int
) -> list[Source]:
    """The sources of a report: cited ones first in line for a place, then in the order of its ledger; best first.

    `passages` have their best scores, which may be for a part of the question rather than for all of it.
    """
    cited = {citation.source_id for citation in citations}
    scores = {passage.metadata["source_id"]: passage.metadata["score"] for passage in passages}
    shown = [
        context.book[source_id].event for source_id in dict.fromkeys([*scores, *cited]) if source_id in context.book
    ]
    chosen = sorted(shown, key=lambda source: source.source_id not in cited)[:top_k]
    scored = [
        source.model_copy(update={"score": max(source.score, scores.get(source.source_id, 0.0))}) for source in chosen
    ]
    return sorted(scored, key=lambda source: -source.score)


def _sources(
    passages: Sequence[Document], citations: list[CitationAttached], context: RagContext, top_k: int
) -> list[Source]:
    """The sources shown, cited ones first in line for a place, best first."""
    cited = {citation.source_id for citation in citations}
    used = dict.fromkeys([*(passage.metadata["source_id"] for passage in passages), *cited])
    shown = [context.book[source_id].event for source_id in used if source_id in context.book]
    chosen = sorted(shown, key=lambda source: (source.source_id not in cited, -source.score))[:top_k]
    return sorted(chosen, key=lambda source: -source.score)
