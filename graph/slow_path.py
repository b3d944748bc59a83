"""The slow path, beside the tokens: a compiled subgraph, so that its steps run freely while they stream."""

import asyncio
import logging
from typing import TypedDict

from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.documents import Document
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from callbacks.events import Error
from graph.context import RagContext
from graph.nodes.rewrite import worth_searching
from graph.report import report, status
from graph.state import RagState, join_passages

log = logging.getLogger(__name__)


class Deepened(TypedDict):
    """Written by `deepen`."""

    evidence: list[Document]


async def deepen(state: RagState, runtime: Runtime[RagContext]) -> Deepened:
    """Search deeper for the raw question and, when it is there by now, for the rewrite."""
    context = runtime.context
    limits = context.collaborators.limits
    retriever = context.retriever(state, max(limits.deep_k, state["top_k"]))
    found = await retriever.ainvoke(state["question"])
    reformulated = await context.rewriting.within(limits.slow_path_seconds / 2)
    if reformulated is not None and worth_searching(state["question"], reformulated):
        found = join_passages(found, await retriever.ainvoke(reformulated))
    return {"evidence": found}


async def rerank(state: RagState, runtime: Runtime[RagContext]) -> Deepened:
    """Everything found so far in one order, best first, each passage with its best score."""
    found = join_passages(state["candidates"], state["evidence"])
    ranked = sorted(found, key=lambda document: -document.metadata["score"])
    reranker = runtime.context.collaborators.reranker
    if reranker is not None:
        ranked = await reranked(reranker, state["question"], ranked)
    await status("verifying", f"Checking the answer against {len(ranked)} passages")
    return {"evidence": ranked}


async def reranked(reranker: BaseCrossEncoder, question: str, ranked: list[Document]) -> list[Document]:
    """In the order of a cross-encoder; if it fails, as they are, and it is told."""
    pairs = [(question, document.page_content) for document in ranked]
    try:
        scores = await asyncio.to_thread(reranker.score, pairs)
    except Exception:  # somebody else's model; the answer does not depend on it
        log.warning("the reranker failed", exc_info=True)
        message = "The reranker failed; the order of the search is kept."
        await report(Error(code="reranker_failed", message=message, fatal=False, retryable=True, stage="verifying"))
        return ranked
    order = sorted(range(len(ranked)), key=lambda at: -float(scores[at]))
    return [ranked[at] for at in order]


def build_slow_path() -> CompiledStateGraph[RagState, RagContext, RagState, RagState]:
    """deepen -> rerank."""
    builder = StateGraph(RagState, context_schema=RagContext)
    builder.add_node(deepen)
    builder.add_node(rerank)
    builder.add_edge(START, "deepen")
    builder.add_edge("deepen", "rerank")
    builder.add_edge("rerank", END)
    return builder.compile(name="slow_path")
