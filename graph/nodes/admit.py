"""`admit`: which policy applies to a question, and whether one of its rules answers it already."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.domains import applied
from graph.policy import DEFAULT_DOMAIN, Policy, Rule
from graph.state import RagState

log = logging.getLogger(__name__)


class Admitted(TypedDict):
    """Written by `admit`."""

    domain: str
    policy: Policy
    rule: Rule | None


async def admit(state: RagState, runtime: Runtime[RagContext]) -> Admitted:
    """Find the policy, before anything is searched: under some of them nothing may be."""
    collaborators, named = runtime.context.collaborators, state["named_domain"]
    questions = list(dict.fromkeys([state.get("wording", state["question"]), state["question"]]))
    policies = collaborators.policies
    domain = named or DEFAULT_DOMAIN
    policy = policies[domain]
    rule = _rule_for(questions, policy)
    if rule is None and (collaborators.classify_always or policy.precheck == "classify"):
        likely = await asyncio.gather(*(_likely(question, runtime.context) for question in questions))
        domain, policy = applied(named, [name for names in likely for name in names], policies)
        rule = _rule_for(questions, policy)
    return {"domain": domain, "policy": policy, "rule": rule}


def _rule_for(questions: Sequence[str], policy: Policy) -> Rule | None:
    """The rule that applies to a question as it was written or as it stands alone; of two, the one that says no."""
    rules = [rule for question in questions if (rule := policy.rule_for(question)) is not None]
    return next((rule for rule in rules if rule.action != "escalate"), rules[0] if rules else None)


async def _likely(question: str, context: RagContext) -> list[str]:
    """What the descriptions say and what the model says: a question can talk a model out of what it is about."""
    collaborators = context.collaborators
    near = await asyncio.to_thread(collaborators.descriptions.nearest, question, collaborators.policies)
    if collaborators.classify is None:
        return near
    about = {name: policy.description for name, policy in collaborators.policies.items()}
    try:
        async with asyncio.timeout(collaborators.limits.classify_seconds):
            named = await collaborators.classify.ainvoke({"question": question, "domains": about})
    except Exception as error:  # whatever a provider raises: the descriptions are still there
        log.warning("the classification failed: %s", type(error).__name__)
        return near
    return [*named, *(name for name in near if name != DEFAULT_DOMAIN)] or near
