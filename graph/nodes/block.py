"""`block`: a rule of the policy answers the question. Nothing is searched, no model is asked."""

from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Verdict
from graph.context import RagContext
from graph.nodes.fallback import Refused
from graph.refusals import blocked_text
from graph.report import report
from graph.state import RagState


class Blocked(Refused):
    """Written by `block`."""

    verdict: Verdict


async def block(state: RagState, runtime: Runtime[RagContext]) -> Blocked:
    """Say what the rule says, and which one it is."""
    rule = state["rule"]
    assert rule is not None
    reasons = [f"the rule “{rule.name}” applies: {rule.action}"]
    await report(unjudged("blocked", state, reasons))
    return {"answer": blocked_text(rule), "outcome": "blocked", "verdict": "blocked"}


def unjudged(verdict: Verdict, state: RagState, reasons: list[str]) -> GateDecision:
    """A decision made before anything was searched."""
    policy, rule = state["policy"], state["rule"]
    return GateDecision(
        verdict=verdict,
        domain=state["domain"],
        chunks=0,
        top_score=0.0,
        min_chunks=policy.min_chunks,
        min_score=policy.min_score,
        reasons=reasons,
        rule=rule.name if rule else None,
    )
