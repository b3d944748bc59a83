"""`slow_path` and `verify_first`: the subgraph as one node, beside the draft or before it."""

import asyncio
import logging
from typing import Any, Protocol, TypedDict

from langchain_core.documents import Document
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from callbacks.events import Error
from graph.context import RagContext
from graph.gate import Searched
from graph.report import report, status
from graph.state import RagState

log = logging.getLogger(__name__)


class Node(Protocol):
    """A node that was made, rather than written."""

    async def __call__(self, state: RagState, *, runtime: Runtime[RagContext]) -> Any: ...


BESIDE = "The deeper check failed; the answer rests on the first search alone."
BEFORE = "The deeper check failed, and nothing in this domain is answered without it."


class Deeper(TypedDict):
    """Written by `slow_path`."""

    evidence: list[Document]
    slow_path_failed: bool


class Verified(Deeper):
    """Written by `verify_first`."""

    candidates: list[Document]
    searched: Searched


def slow_path(subgraph: Runnable[Any, Any]) -> Node:
    """The node that runs beside `generate`. Its failure is reported and costs the reader nothing."""

    async def slow_path(state: RagState, runtime: Runtime[RagContext]) -> Deeper:
        found = await _run(subgraph, state, runtime.context, BESIDE)
        return {"evidence": found or [], "slow_path_failed": found is None}

    return slow_path


def verify_first(subgraph: Runnable[Any, Any]) -> Node:
    """The node that runs before anything is said. If it fails, the gate closes for good."""

    async def verify_first(state: RagState, runtime: Runtime[RagContext]) -> Verified:
        await status("verifying", "Checking the evidence before answering")
        found = await _run(subgraph, state, runtime.context, BEFORE)
        evidence = found or []
        failed = found is None
        return {"evidence": evidence, "candidates": evidence, "searched": "verified", "slow_path_failed": failed}

    return verify_first


async def _run(
    subgraph: Runnable[Any, Any], state: RagState, context: RagContext, message: str
) -> list[Document] | None:
    # Only the keys it owns: the whole state of a subgraph would collide with what `generate` writes. And nothing
    # may escape: an exception in one branch cancels its sibling.
    try:
        async with asyncio.timeout(context.collaborators.limits.slow_path_seconds):
            found: list[Document] = (await subgraph.ainvoke(state, context=context))["evidence"]
            return found
    except Exception:
        log.exception("the slow path failed")
        failed = Error(code="slow_path_failed", message=message, fatal=False, retryable=True, stage="verifying")
        await report(failed)
        return None
