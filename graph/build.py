"""The state machine. Read this file first."""

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph import nodes
from graph.context import RagContext
from graph.slow_path import build_slow_path
from graph.state import RagInput, RagState

RagGraph = CompiledStateGraph[RagState, RagContext, RagInput, RagState]


def build_graph() -> RagGraph:
    """admit -> rewrite + retrieve -> gate -> (generate + slow_path -> verify -> refine | expand | ...).

    What a person or a rule answers goes from admit to review or block. Every path that succeeds ends in conclude.
    """
    deeper = build_slow_path()
    builder = StateGraph(RagState, context_schema=RagContext, input_schema=RagInput)
    builder.add_node("admit", nodes.admit)
    builder.add_node("rewrite", nodes.rewrite)
    builder.add_node("retrieve", nodes.retrieve)
    builder.add_node("gate", nodes.gate)
    builder.add_node("expand", nodes.expand)
    builder.add_node("verify_first", nodes.verify_first(deeper))
    builder.add_node("generate", nodes.generate)
    builder.add_node("slow_path", nodes.slow_path(deeper))
    builder.add_node("verify", nodes.verify)
    builder.add_node("refine", nodes.refine)
    builder.add_node("fallback", nodes.fallback)
    builder.add_node("review", nodes.review)
    builder.add_node("block", nodes.block)
    builder.add_node("conclude", nodes.conclude)

    builder.add_edge(START, "admit")
    builder.add_conditional_edges("admit", enter, ["rewrite", "retrieve", "review", "block"])
    builder.add_edge(["rewrite", "retrieve"], "gate")
    builder.add_conditional_edges("gate", route, ["generate", "slow_path", "expand", "verify_first", "fallback"])
    builder.add_edge("expand", "gate")
    builder.add_edge("verify_first", "gate")
    builder.add_edge("generate", "verify")
    builder.add_edge("slow_path", "verify")
    builder.add_edge("verify", "refine")
    builder.add_edge("refine", "conclude")
    builder.add_edge("fallback", "conclude")
    builder.add_edge("review", "conclude")
    builder.add_edge("block", "conclude")
    builder.add_edge("conclude", END)
    return builder.compile(name="groundswell")


def enter(state: RagState) -> list[str]:
    """Search at once, unless a rule or a person answers."""
    rule = state["rule"]
    if rule is not None:
        return ["review" if rule.action == "escalate" else "block"]
    return ["review"] if state["policy"].precheck == "human_review" else ["rewrite", "retrieve"]


def route(state: RagState) -> list[str]:
    """Where the verdict leads. What verify_first has checked needs no second slow path beside the draft."""
    if state["verdict"] != "open":
        return [state["verdict"]]
    return ["generate"] if state["searched"] == "verified" else ["generate", "slow_path"]
