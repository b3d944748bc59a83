"""`review`: the question is answered by a person."""

from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.nodes.block import Blocked, unjudged
from graph.refusals import review_text
from graph.report import report
from graph.state import RagState


async def review(state: RagState, runtime: Runtime[RagContext]) -> Blocked:
    """Say that a person has to answer. Nothing is retrieved, no model is asked."""
    rule = state["rule"]
    reason = f"the domain {state['domain']} is answered by a person"
    if rule is not None:
        reason = f"the rule “{rule.name}” hands the question to a person"
    await report(unjudged("review", state, [reason]))
    text = review_text(state["domain"], rule, runtime.context.request_id)
    return {"answer": text, "outcome": "review", "verdict": "review"}
