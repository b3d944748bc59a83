"""`admit`: which policy applies to a question, and whether one of its rules answers it already."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

from langgraph.runtime import Runtime

from chains.followup import in_context
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
    asked = _readings(state)
    policies = collaborators.policies
    domain = named or DEFAULT_DOMAIN
    policy = policies[domain]
    rule = _rule_for(asked, policy)
    if rule is None and (collaborators.classify_always or policy.precheck == "classify"):
        meant = dict.fromkeys([state.get("wording", state["question"]), state["question"]])
        likely = await asyncio.gather(*(_likely(text, runtime.context) for text in meant))
        domain, policy = applied(named, [name for names in likely for name in names], policies)
        rule = _rule_for(asked, policy)
    return {"domain": domain, "policy": policy, "rule": rule}


class _Reading(NamedTuple):
    """What a question may be taken for."""

    text: str
    before: str = ""
    """A question before that is part of it, if the question does not lean on that: its own rules are not this one's."""


def _readings(state: RagState) -> list[_Reading]:
    """A question as it was written and as it stands alone; in a conversation also with what was asked before.

    A word that a rule looks for may have been said a turn earlier.
    """
    wording, question = state.get("wording", state["question"]), state["question"]
    leans = wording != question and question.rstrip("?!.").endswith(")")
    within = in_context(wording, state.get("history", ()))
    others = (_Reading(text, "" if leans else before) for text, before in within)
    return list(dict.fromkeys([_Reading(wording), _Reading(question), *others]))


def _rule_for(asked: Sequence[_Reading], policy: Policy) -> Rule | None:
    """The rule that applies to any of the readings; of several, one that says no."""
    rules = [rule for reading in asked if (rule := _first(reading, policy)) is not None]
    return next((rule for rule in rules if rule.action != "escalate"), rules[0] if rules else None)


def _first(reading: _Reading, policy: Policy) -> Rule | None:
    matching = (rule for rule in policy.rules if rule.matches(reading.text))
    return next((rule for rule in matching if not (reading.before and rule.matches(reading.before))), None)


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
