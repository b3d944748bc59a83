"""Deep research: the graph for questions that take several searches. It shares its nodes with that of fast answers."""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from graph import nodes
from graph.build import RagGraph, build_graph
from graph.context import RagContext
from graph.slow_path import build_checks
from graph.state import RagInput, RagState


def build_research() -> RagGraph:
    """admit -> plan + retrieve -> divide -> (investigate, ... -> weigh -> decide -> write -> verify -> refine | quick).

    Each branch is one `investigate`, and they run side by side. A question that divides into nothing and is answered
    by the first search goes to `quick`.
    """
    builder = StateGraph(RagState, context_schema=RagContext, input_schema=RagInput)
    builder.add_node("admit", nodes.admit)
    builder.add_node("retrieve", nodes.retrieve)
    builder.add_node("plan", nodes.plan)
    builder.add_node("divide", nodes.divide)
    builder.add_node("quick", nodes.quick(build_graph()))
    builder.add_node("investigate", nodes.investigate)
    builder.add_node("weigh", nodes.weigh(build_checks()))
    builder.add_node("decide", nodes.decide)
    builder.add_node("write", nodes.write)
    builder.add_node("verify", nodes.verify)
    builder.add_node("refine", nodes.refine)
    builder.add_node("fallback", nodes.fallback)
    builder.add_node("review", nodes.review)
    builder.add_node("block", nodes.block)
    builder.add_node("conclude", nodes.conclude)

    builder.add_edge(START, "admit")
    builder.add_conditional_edges("admit", enter, ["retrieve", "plan", "review", "block"])
    builder.add_edge(["retrieve", "plan"], "divide")
    builder.add_conditional_edges("divide", branch_out, ["quick", "investigate"])
    builder.add_edge("investigate", "weigh")
    builder.add_edge("weigh", "decide")
    builder.add_conditional_edges("decide", route, ["write", "fallback"])
    builder.add_edge("write", "verify")
    builder.add_edge("verify", "refine")
    builder.add_edge("refine", "conclude")
    builder.add_edge("fallback", "conclude")
    builder.add_edge("review", "conclude")
    builder.add_edge("block", "conclude")
    builder.add_edge("conclude", END)
    builder.add_edge("quick", END)
    return builder.compile(name="groundswell_deep")


def enter(state: RagState) -> list[str]:
    """Plan and search at once, unless a rule or a person answers."""
    rule = state["rule"]
    if rule is not None:
        return ["review" if rule.action == "escalate" else "block"]
    return ["review"] if state["policy"].precheck == "human_review" else ["plan", "retrieve"]


def branch_out(state: RagState) -> str | list[Send]:
    """One investigation for each branch, all at once."""
    shared: dict[str, Any] = {key: value for key, value in state.items() if key != "findings"}
    return [Send("investigate", {**shared, "branch": branch}) for branch in state["branches"]] or "quick"


def route(state: RagState) -> str:
    """A report, or the honest refusal."""
    return "write" if state["verdict"] == "open" else "fallback"
