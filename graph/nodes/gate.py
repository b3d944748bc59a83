"""`gate`: whether anything may be said. Nothing is said before it, and nothing after it if it stays closed."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.events import Verdict
from graph.context import RagContext
from graph.gate import Searched, judge
from graph.report import report, show_sources
from graph.state import RagState, join_passages


class Judged(TypedDict):
    """Written by `gate`."""

    verdict: Verdict
    candidates: list[Document]
    passages: list[Document]


async def gate(state: RagState, runtime: Runtime[RagContext]) -> Judged:
    """Judge the evidence found so far, what the rewrite found included, and publish the decision."""
    policy = state["policy"]
    reworded = state.get("rewritten", []) if state["searched"] == "once" else []
    candidates = join_passages(state["candidates"], reworded)
    failed = state["searched"] == "verified" and state["slow_path_failed"]
    stage: Searched = "failed" if failed else state["searched"]
    decision = judge(state["question"], candidates, policy, domain=state["domain"], stage=stage)
    fresh = [document for document in reworded[: state["top_k"]] if document.metadata["score"] >= policy.floor]
    held_back = policy.precheck == "full_slow_path"
    if fresh and not held_back:
        await show_sources(fresh, 2)
    await report(decision)
    if decision.verdict == "open" and held_back:
        fresh = state["evidence"][: state["top_k"]]
        await show_sources(fresh, 1)
    return {"verdict": decision.verdict, "candidates": candidates, "passages": fresh}
