"""`conclude`: the one successful ending."""

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.answer import Judge
from callbacks.events import CitationAttached, FinalAnswer, PartialAnswer, Source
from graph.context import RagContext
from graph.report import report
from graph.revision import ACCEPTABLE, without_markers
from graph.safety import unsafe_links
from graph.state import RagState, join_passages


async def conclude(state: RagState, runtime: Runtime[RagContext]) -> dict[str, Any]:
    """Report the final answer, with figures about the revision that stands."""
    context, outcome = runtime.context, state["outcome"]
    citations = state.get("citations", [])
    passages = join_passages(state.get("passages", []), state.get("evidence", []))
    written_from = state.get("written_from") or state.get("passages", [])
    sources = _sources(written_from, citations, context, state["top_k"]) if outcome in ("answered", "fallback") else []
    cited = {citation.source_id for citation in citations}
    sentences = state.get("sentences", [])
    final = FinalAnswer(
        complete=True,
        answer=state["answer"],
        revision=state.get("revision", 0),
        groundedness_score=_mean([sentence.score for sentence in sentences]),
        safety_pass=not unsafe_links(passages)(state["answer"]),
        citations=citations,
        sources=sources,
        outcome=outcome,
        safe_fallback=outcome != "answered",
        citation_coverage=_coverage(citations, len(sentences)),
        uncited_sources=[source.source_id for source in sources if source.source_id not in cited],
        unknown_citations=context.stream.unknown_citations,
        domain=state["domain"],
        thread_id=None,
        truncated=context.stream.truncated,
        citation_precision=_precision(citations, sentences, context.stream.judge) if citations else None,
        citation_support=_mean([s.support == "supported" for s in sentences]) if citations else None,
    )
    await report(final)
    return {}


def _sources(
    passages: Sequence[Document], citations: list[CitationAttached], context: RagContext, top_k: int
) -> list[Source]:
    """The sources shown, cited ones first in line for a place, best first."""
    cited = {citation.source_id for citation in citations}
    used = dict.fromkeys([*(passage.metadata["source_id"] for passage in passages), *cited])
    shown = [context.book[source_id].event for source_id in used if source_id in context.book]
    chosen = sorted(shown, key=lambda source: (source.source_id not in cited, -source.score))[:top_k]
    return sorted(chosen, key=lambda source: -source.score)


def _coverage(citations: list[CitationAttached], sentences: int) -> float:
    return min(1.0, round(len({citation.sentence for citation in citations}) / sentences, 4)) if sentences else 0.0


def _precision(citations: Sequence[CitationAttached], sentences: Sequence[PartialAnswer], judge: Judge) -> float:
    """The share of citations whose own words speak for their sentence, if only for a part of it (Gao et al., 2023)."""
    speak = [
        judge(without_markers(sentences[citation.sentence].text), [citation.quote]).support in ACCEPTABLE
        for citation in citations
    ]
    return _mean(speak)


def _mean(scores: Sequence[float]) -> float:
    return round(sum(scores) / len(scores), 4) if scores else 0.0
