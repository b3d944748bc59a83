"""`plan`: what a question asks for, part by part, beside the first search."""

import asyncio
import logging
from typing import TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from callbacks.events import Error
from callbacks.handlers import THINKING_TAG
from chains.plan import decompose
from graph.context import RagContext
from graph.interruption import unless_finished
from graph.planning import vetted
from graph.report import report, status
from graph.state import RagState

log = logging.getLogger(__name__)


_SHARE = 0.35
"""Of the time there is to search."""
_THOUGHTS: RunnableConfig = {"tags": [THINKING_TAG]}


class Planned(TypedDict):
    """Written by `plan`."""

    plan: list[str]
    planned_by_model: bool


async def plan(state: RagState, runtime: Runtime[RagContext]) -> Planned:
    """Have the planner model, or the rules, divide the question. Nothing to divide means an empty plan."""
    context, question = runtime.context, state["question"]
    await status("planning", "Planning the research")
    by_rules = await asyncio.to_thread(decompose, question)
    planner, research = context.collaborators.planner, context.researching
    if planner is None or not research.spending.may_ask():
        return {"plan": by_rules, "planned_by_model": False}
    seconds = min(context.collaborators.limits.plan_seconds, _SHARE * research.spending.search_seconds_left)
    try:
        parts = await unless_finished(planner.ainvoke({"question": question}, _THOUGHTS), seconds, research)
    except Exception as error:  # whatever a provider raises, and whatever cannot be read: the rules still stand
        log.warning("the planner failed: %s", type(error).__name__)
        message = "The planner failed; the question is divided by rules."
        await report(Error(code="planner_failed", message=message, fatal=False, retryable=True, stage="planning"))
        return {"plan": by_rules, "planned_by_model": False}
    parts = parts if parts is None else await vetted(parts, state, context)
    # a model that sees one question where the rules see several has broken off, or was lazy
    by_model = parts is not None and (bool(parts) or not by_rules)
    return {"plan": parts if by_model and parts is not None else by_rules, "planned_by_model": by_model}
