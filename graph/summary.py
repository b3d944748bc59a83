"""The state machine of a summary."""

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import RagContext
from graph.digest import SummaryInput, SummaryState
from graph.nodes.conclude import conclude
from graph.nodes.merge import merge
from graph.nodes.outline import decline, outline_document
from graph.nodes.summarise import summarise

SummaryGraph = CompiledStateGraph[SummaryState, RagContext, SummaryInput, SummaryState]


def build_summary_graph() -> SummaryGraph:
    """outline -> summarise (the sections side by side) -> merge -> conclude, or decline where nothing can be cited."""
    builder = StateGraph(SummaryState, context_schema=RagContext, input_schema=SummaryInput)
    builder.add_node("outline", outline_document)
    builder.add_node("summarise", summarise)
    builder.add_node("merge", merge)
    builder.add_node("decline", decline)
    builder.add_node("conclude", conclude)

    builder.add_edge(START, "outline")
    builder.add_conditional_edges("outline", told, ["summarise", "decline"])
    builder.add_edge("summarise", "merge")
    builder.add_edge("merge", "conclude")
    builder.add_edge("decline", "conclude")
    builder.add_edge("conclude", END)
    return builder.compile(name="summary")


def told(state: SummaryState) -> str:
    """Where the verdict leads."""
    return "summarise" if state["verdict"] == "open" else "decline"
