"""`review`: the question is answered by a person."""

from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.desk import ReviewDesk
from graph.nodes.block import Blocked, unjudged
from graph.refusals import review_text
from graph.report import report, status
from graph.state import RagState


async def review(state: RagState, runtime: Runtime[RagContext]) -> Blocked:
    """Say that a person has to answer, and put the question into the queue, with a draft that only they see."""
    context, rule = runtime.context, state["rule"]
    reason = f"the domain {state['domain']} is answered by a person"
    if rule is not None:
        reason = f"the rule “{rule.name}” hands the question to a person"
    await report(unjudged("review", state, [reason]))
    await status("reviewing", "Preparing this question for the person who answers it")
    text = review_text(state["domain"], rule, context.request_id)
    await ReviewDesk(context.collaborators).hand_over(state, context, text)
    return {"answer": text, "outcome": "review", "verdict": "review"}
