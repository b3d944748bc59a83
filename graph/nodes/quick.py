"""`quick`: a question that needs no research is answered as any other."""

from typing import Any

from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.nodes.slow_path import Node
from graph.state import RagInput, RagState


def quick(graph: Runnable[Any, Any]) -> Node:
    """The node that hands the question to the graph of fast answers, to its very end."""

    async def quick(state: RagState, runtime: Runtime[RagContext]) -> dict[str, Any]:
        given = {key: state[key] for key in RagInput.__annotations__ if key in state}  # type: ignore[literal-required]
        await graph.ainvoke(given, context=runtime.context)
        return {}

    return quick
