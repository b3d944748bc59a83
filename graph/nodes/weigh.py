"""`weigh`: the evidence of all branches in one order, screened and held against itself, before anything is written."""

from collections.abc import Sequence
from typing import Any, TypedDict

from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from chains.ledger import arranged
from graph.branches import Finding
from graph.context import RagContext
from graph.evidence import Opposition
from graph.nodes.slow_path import Node, checked
from graph.report import status
from graph.state import RagState, join_passages

_LEAST, _PER_BRANCH = 10, 3
"""Passages a report is written from, at most: so many, or so many for each branch."""


class Weighed(TypedDict):
    """Written by `weigh`."""

    evidence: list[Document]
    ledger: list[Document]
    oppositions: list[Opposition]
    concerns: list[str]
    slow_path_failed: bool


def weigh(subgraph: Runnable[Any, Any]) -> Node:
    """The node that brings together what the branches have found."""

    async def weigh(state: RagState, runtime: Runtime[RagContext]) -> Weighed:
        context, findings = runtime.context, sorted(state["findings"], key=lambda finding: finding.branch.number)
        most = max(state["top_k"], _LEAST, _PER_BRANCH * len(findings))
        ledger = arranged(_searches(state, findings, context), most)
        found = state["candidates"]
        for finding in findings:
            found = join_passages(found, finding.documents)
        evidence = sorted(found, key=lambda document: -document.metadata["score"])
        await status("verifying", f"Comparing {len(evidence)} passages", progress=0.7)
        given: RagState = {**state, "evidence": evidence, "written_from": ledger}
        checks = await checked(subgraph, given, context)
        return {**checks, "evidence": evidence, "ledger": ledger}

    return weigh


def _searches(state: RagState, findings: Sequence[Finding], context: RagContext) -> list[list[Document]]:
    """What each search found that counts and may be shown: that for the question itself, then branch by branch."""
    floor = state["policy"].floor
    held_back = state["policy"].precheck == "full_slow_path"
    searches = [state["candidates"], *(hop.documents for finding in findings for hop in finding.hops)]
    return [
        [d for d in found if d.metadata["score"] >= floor and (held_back or d.metadata["source_id"] in context.book)]
        for found in searches
    ]
