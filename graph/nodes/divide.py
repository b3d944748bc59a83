"""`divide`: the branches of the research, once the plan and the first search are there."""

import asyncio
from typing import TypedDict

from langgraph.runtime import Runtime

from chains.hops import sufficient_without_model
from graph.branches import Branch
from graph.context import RagContext
from graph.report import status, thought
from graph.state import RagState


class Divided(TypedDict):
    """Written by `divide`."""

    branches: list[Branch]


async def divide(state: RagState, runtime: Runtime[RagContext]) -> Divided:
    """A branch for each part; a simple question that the first search has answered needs none at all."""
    context, question, parts = runtime.context, state["question"], state["plan"]
    if not parts and context.researching.spending.roomy and await _answered(state, context):
        await thought("One search is enough for this question.")
        return {"branches": []}
    own = not state["planned_by_model"]
    branches = [
        Branch(number=number, question=part[0].upper() + part[1:], own_words=own or part == question)
        for number, part in enumerate(parts or [question], start=1)
    ]
    context.researching.asked.add(question)
    await status("planning", _announced(branches), progress=0.1)
    for branch in branches:
        if branch.own_words and len(branches) > 1 and state["policy"].precheck != "full_slow_path":
            await thought(f"Part {branch.number}: {branch.question}", branch=branch.name)
    return {"branches": branches}


async def _answered(state: RagState, context: RagContext) -> bool:
    """Whether what the first search found is enough; a model that plans nothing has said so."""
    if state["planned_by_model"]:
        return True
    idf = context.collaborators.library.idf(state["collection"])
    return await asyncio.to_thread(sufficient_without_model, state["question"], state["candidates"], idf)


def _announced(branches: list[Branch]) -> str:
    return "Looking into the question" if len(branches) == 1 else f"Looking into {len(branches)} parts of the question"
