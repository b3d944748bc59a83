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
        pick = _in_order if state.get("ledger") and outcome == "answered" else _sources
        sources = pick(written_from, citations, context, state["top_k"])
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
    )
    await report(final)
    return {}


def _in_order(
    passages: Sequence[Document], citations: list[CitationAttached], context: RagContext, top_k: int
) -> list[Source]:
    """The sources of a report, cited ones first in line for a place, in the order of its ledger: branch by branch."""
    cited = {citation.source_id for citation in citations}
    used = dict.fromkeys([*(passage.metadata["source_id"] for passage in passages), *cited])
    shown = [source_id for source_id in used if source_id in context.book]
    chosen = set(sorted(shown, key=lambda source_id: source_id not in cited)[:top_k])
    return [context.book[source_id].event for source_id in shown if source_id in chosen]


def _sources(
    passages: Sequence[Document], citations: list[CitationAttached], context: RagContext, top_k: int
) -> list[Source]:
    """The sources shown, cited ones first in line for a place, best first."""
    cited = {citation.source_id for citation in citations}
    used = dict.fromkeys([*(passage.metadata["source_id"] for passage in passages), *cited])
    shown = [context.book[source_id].event for source_id in used if source_id in context.book]
    chosen = sorted(shown, key=lambda source: (source.source_id not in cited, -source.score))[:top_k]
    return sorted(chosen, key=lambda source: -source.score)
