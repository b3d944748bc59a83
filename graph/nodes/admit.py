"""`admit`: which policy applies to a question, and whether one of its rules answers it already."""

import asyncio
import logging
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
    collaborators, question, named = runtime.context.collaborators, state["question"], state["named_domain"]
    policies = collaborators.policies
    domain = named or DEFAULT_DOMAIN
    policy = policies[domain]
    rule = policy.rule_for(question)
    if rule is None and (collaborators.classify_always or policy.precheck == "classify"):
        domain, policy = applied(named, await _likely(question, runtime.context), policies)
        rule = policy.rule_for(question)
    return {"domain": domain, "policy": policy, "rule": rule}


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
