"""`slow_path` and `verify_first`: the subgraph as one node, beside the draft or before it."""

import asyncio
import logging
from typing import Any, Protocol, TypedDict

from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from callbacks.events import Error
from graph.context import RagContext
from graph.evidence import Opposition
from graph.gate import Searched
from graph.report import report, status
from graph.screening import UNCHECKED, UNSAFE_EVIDENCE
from graph.slow_path import NEEDED
from graph.state import RagState

log = logging.getLogger(__name__)


class Node(Protocol):
    """A node that was made, rather than written."""

    async def __call__(self, state: RagState, *, runtime: Runtime[RagContext]) -> Any: ...


_UNFINISHED = "The deeper check did not end in time; the answer rests on the first search alone."


class Deeper(TypedDict):
    """Written by `slow_path`."""

    evidence: list[Document]
    oppositions: list[Opposition]
    concerns: list[str]
    slow_path_failed: bool


class Verified(Deeper):
    """Written by `verify_first`."""

    candidates: list[Document]
    searched: Searched


def slow_path(subgraph: Runnable[Any, Any]) -> Node:
    """The node that runs beside `generate`, when others leave it a gap. Its failure costs the reader nothing."""

    async def slow_path(state: RagState, runtime: Runtime[RagContext]) -> Deeper:
        context = runtime.context
        # Nothing may escape: an exception in one branch cancels its sibling.
        try:
            async with asyncio.timeout(context.collaborators.limits.slow_path_seconds), context.lanes.slow():
                return _found(await subgraph.ainvoke(state, context=context), frozenset({"deepen"}))
        except Exception:
            return await _nothing()

    return slow_path


def verify_first(subgraph: Runnable[Any, Any]) -> Node:
    """The node that runs before anything is said. If a step fails that has to pass, the gate closes for good."""

    async def verify_first(state: RagState, runtime: Runtime[RagContext]) -> Verified:
        await status("verifying", "Checking the evidence before answering")
        found = await checked(subgraph, state, runtime.context)
        failed = found["slow_path_failed"] or UNSAFE_EVIDENCE in found["concerns"]
        return {**found, "candidates": found["evidence"], "searched": "verified", "slow_path_failed": failed}

    return verify_first


async def checked(subgraph: Runnable[Any, Any], state: RagState, context: RagContext) -> Deeper:
    """What steps find that all have to pass. Raises nothing: what fails is told, and marked as failed."""
    try:
        async with asyncio.timeout(context.within(context.collaborators.limits.slow_path_seconds)):
            return _found(await subgraph.ainvoke(state, context=context), NEEDED)
    except Exception:
        return await _nothing()


def _found(state: dict[str, Any], needed: frozenset[str]) -> Deeper:
    # Only the keys it owns: the whole state of a subgraph would collide with what `generate` writes.
    degraded = state.get("degraded", [])
    return {
        "evidence": state.get("evidence", []),
        "oppositions": state.get("oppositions", []),
        "concerns": [UNCHECKED] if "screen" in degraded else state.get("concerns", []),
        "slow_path_failed": not needed.isdisjoint(degraded),
    }


async def _nothing() -> Deeper:
    log.exception("the slow path failed")
    await report(Error(code="slow_path_failed", message=_UNFINISHED, fatal=False, retryable=True, stage="verifying"))
    return {"evidence": [], "oppositions": [], "concerns": [], "slow_path_failed": True}
