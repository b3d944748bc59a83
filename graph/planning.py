"""What of a model's plan may be followed: its parts are searched for, shown, and written under as headings."""

import asyncio
from collections.abc import Sequence

from chains.parts import keeps
from graph.context import RagContext
from graph.domains import applied
from graph.policy import Policy
from graph.state import RagState
from language.words import content_terms, names, numbers

_OF_THE_QUESTION = 0.5
"""Of the words of a part, in the question."""
_ASKS = ("?", "？", "؟")


async def vetted(parts: Sequence[str], state: RagState, context: RagContext) -> list[str]:
    """The parts that ask for a part of the question, hold nothing that must not leave and are nobody else's to answer.

    None of them if together they lose a name, a number or a denial of the question.
    """
    question = state["question"]
    fitting = [part for part in parts if part.endswith(_ASKS) and _belongs(part, question) and _harmless(part, context)]
    allowed = [part for part in fitting if await _allowed(part, state, context)]
    return allowed if len(allowed) > 1 and keeps(question, allowed) else []


def _belongs(part: str, question: str) -> bool:
    """Whether a part is one of the question: a plan about something else would open the gate for that."""
    words, wanted = set(content_terms(part)), set(content_terms(question))
    particular = [*(name.lower() for name in names(question)), *numbers(question)]
    named = not particular or any(piece in part.lower() for piece in particular)
    return named and len(words & wanted) >= _OF_THE_QUESTION * len(words)


def _harmless(part: str, context: RagContext) -> bool:
    guard = context.collaborators.guarding.guard()
    return guard.feed(part) + guard.flush() == part


async def _allowed(part: str, state: RagState, context: RagContext) -> bool:
    """Whether the policy of the question answers a part, too: it may be of a domain that people answer."""
    collaborators, policy = context.collaborators, state["policy"]
    if policy.rule_for(part) is not None:
        return False
    if not (collaborators.classify_always or policy.precheck == "classify"):
        return True
    near = await asyncio.to_thread(collaborators.descriptions.nearest, part, collaborators.policies)
    _, found = applied(state["named_domain"], near, collaborators.policies)
    return found.rule_for(part) is None and _as_free(found, policy)


def _as_free(found: Policy, policy: Policy) -> bool:
    """Whether a domain asks for no check that the domain of the question does not ask for."""
    return found.precheck in ("none", "classify") or found.precheck == policy.precheck
