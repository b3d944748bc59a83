"""The slow path, beside the tokens: a compiled subgraph, so that its steps run freely while they stream.

Every step may fail, stall or be fed nonsense without costing the reader anything: what it would have added is missing,
and that is told.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from operator import add
from typing import Annotated, Any, TypedDict

from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.documents import Document
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from callbacks.events import Error
from chains.foreign import Foreign
from graph.context import RagContext
from graph.evidence import Opposition, foremost, oppositions, pieces_of
from graph.report import report, show_sources, status
from graph.rewriting import worth_searching
from graph.screening import screened
from graph.state import RagState, join_passages

log = logging.getLogger(__name__)

_SHARE = 0.5
"""Of the time of the slow path, for any one step of it."""
_COMPARED, _COMPARED_WITH = 12, 40
"""Sentences of what the draft is written from, and of the evidence: those that match the question most."""
NEEDED = frozenset({"deepen", "screen", "compare"})
"""Steps without which nothing is said where the slow path has to pass first; an order more or less is no such thing."""


class SlowState(RagState, total=False):
    """What the slow path knows besides: its own findings."""

    degraded: Annotated[list[str], add]
    """The steps that failed."""


class Findings(TypedDict, total=False):
    """Written by the steps."""

    evidence: list[Document]
    oppositions: list[Opposition]
    concerns: list[str]
    degraded: list[str]


Step = Callable[[SlowState, RagContext], Awaitable[Findings]]
SlowPath = CompiledStateGraph[SlowState, RagContext, SlowState, SlowState]


async def deepen(state: SlowState, context: RagContext) -> Findings:
    """Search deeper and wider for the raw question and, when it is there by now, for the rewrite; show what is new."""
    limits, policy = context.collaborators.limits, state["policy"]
    retriever = context.retriever(state, max(limits.deep_k, state["top_k"]), wide=True)
    found = await retriever.ainvoke(state["question"])
    reformulated = await context.rewriting.within(limits.slow_path_seconds / 4)
    if reformulated is not None and worth_searching(state, reformulated):
        found = join_passages(found, await retriever.ainvoke(reformulated))
    if policy.precheck != "full_slow_path":  # whose sources come after its decision
        telling = [document for document in found if document.metadata["score"] >= policy.floor]
        await show_sources(telling, context.book.waves + 1)
    return {"evidence": found}


async def rerank(state: SlowState, context: RagContext) -> Findings:
    """Everything found so far in one order, best first, each passage with its best score."""
    found = join_passages(state["candidates"], state.get("evidence", []))
    ranked = sorted(found, key=lambda document: -document.metadata["score"])
    await status("verifying", f"Checking the answer against {len(ranked)} passages")
    reranker = context.collaborators.reranker
    if reranker is None:
        return {"evidence": ranked}
    try:
        async with asyncio.timeout(context.collaborators.limits.slow_path_seconds * _SHARE / 2):
            return {"evidence": await reranked(reranker, state["question"], ranked, context.lanes.foreign)}
    except Exception:  # somebody else's model; the order of the search is as good as there is
        return {"evidence": ranked, **await _failed("rerank", state)}


async def screen(state: SlowState, context: RagContext) -> Findings:
    """Whether the question and what was found for it are safe to answer from."""
    return {"concerns": await screened(state["question"], state.get("evidence", []), context)}


async def compare(state: SlowState, context: RagContext) -> Findings:
    """Which sentences of what the draft is written from are opposed by another document."""
    evidence = state.get("evidence", [])
    written_from = state.get("written_from") or evidence[: state["top_k"]]
    idf = context.collaborators.library.idf(state["collection"])
    ones, others = pieces_of(written_from), pieces_of(evidence)
    nearest = foremost(ones, _COMPARED), foremost(others, _COMPARED_WITH)
    found = await asyncio.to_thread(oppositions, *nearest, idf)
    return {"oppositions": found}


async def reranked(
    reranker: BaseCrossEncoder, question: str, ranked: list[Document], foreign: Foreign
) -> list[Document]:
    """In the order of a cross-encoder. Raises `ValueError` if what it says is no order, and whatever it raises."""
    pairs = [(question, document.page_content) for document in ranked]
    scores = [float(score) for score in await foreign.call(reranker.score, pairs)]
    if len(scores) != len(ranked) or not all(map(math.isfinite, scores)):
        raise ValueError("the reranker gave no number for each passage")
    order = sorted(range(len(ranked)), key=lambda at: -scores[at])
    return [ranked[at] for at in order]


_FAILURES = {
    "deepen": ("slow_path_failed", "The deeper search failed; the answer rests on the first search alone."),
    "rerank": ("reranker_failed", "The reranker failed; the order of the search is kept."),
    "screen": ("safety_check_failed", "The safety check of the evidence failed; it is flagged as unchecked."),
    "compare": ("comparison_failed", "The sources could not be compared with each other."),
}


def build_slow_path() -> SlowPath:
    """deepen -> rerank -> screen -> compare."""
    return _in_line("slow_path", {"deepen": deepen, "rerank": rerank, "screen": screen, "compare": compare})


def build_checks() -> SlowPath:
    """screen -> compare: of the slow path what deep research needs, which has searched deeper already."""
    return _in_line("checks", {"screen": screen, "compare": compare})


def _in_line(graph: str, steps: Mapping[str, Step]) -> SlowPath:
    builder = StateGraph(SlowState, context_schema=RagContext)
    before = START
    for name, step in steps.items():
        builder.add_node(name, _degrading(name, step))
        builder.add_edge(before, name)
        before = name
    builder.add_edge(before, END)
    return builder.compile(name=graph)


def _degrading(name: str, step: Step) -> Any:
    """A node of a step that tells its failure instead of raising it, and takes no more than its share of time."""

    async def node(state: SlowState, runtime: Runtime[RagContext]) -> Findings:
        context = runtime.context
        if state["policy"].precheck != "full_slow_path":  # where somebody waits for every step of it
            await context.lanes.gap()
        try:
            async with asyncio.timeout(context.collaborators.limits.slow_path_seconds * _SHARE):
                return await step(state, context)
        except Exception:  # a store, a model, whatever it is: the draft does not depend on it
            return await _failed(name, state)

    return node


async def _failed(name: str, state: SlowState) -> Findings:
    """Tell that a step failed. To be called where its exception is handled."""
    log.warning("the slow path could not %s", name, exc_info=True)
    code, message = _FAILURES[name]
    if state["policy"].precheck == "full_slow_path" and name in NEEDED:
        message = "The deeper check failed, and nothing in this domain is answered without it."
    await report(Error(code=code, message=message, fatal=False, retryable=True, stage="verifying"))
    return {"degraded": [name]}
