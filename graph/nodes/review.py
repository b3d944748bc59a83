"""`review`: the domain's questions are answered by a person."""

from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Verdict
from graph.context import RagContext
from graph.nodes.fallback import Refused
from graph.refusals import review_text
from graph.report import report
from graph.state import RagState


class Waiting(Refused):
    """Written by `review`."""

    verdict: Verdict


async def review(state: RagState, runtime: Runtime[RagContext]) -> Waiting:
    """Say that a person has to answer. Nothing is retrieved, no model is asked."""
    policy = runtime.context.policy(state)
    decision = GateDecision(
        verdict="review",
        domain=state["domain"],
        chunks=0,
        top_score=0.0,
        min_chunks=policy.min_chunks,
        min_score=policy.min_score,
        reasons=[f"the domain {state['domain']} is answered by a person"],
    )
    await report(decision)
    text = review_text(state["domain"], runtime.context.request_id)
    return {"answer": text, "outcome": "review", "verdict": "review"}
