"""`rewrite`: the question as a search engine wants it, beside the search for the raw one."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from chains.rewrite import RewriteInput
from graph.context import RagContext
from graph.rewriting import worth_searching
from graph.state import RagState


class Rewritten(TypedDict):
    """Written by `rewrite`."""

    rewritten: list[Document]


async def rewrite(state: RagState, runtime: Runtime[RagContext]) -> Rewritten:
    """Ask for a reformulation and, if it comes in time and is needed, search with it."""
    context, history = runtime.context, state.get("history")
    limits = context.collaborators.limits
    given: RewriteInput = {"question": state["question"]}
    if history:
        given = {"question": state.get("wording", state["question"]), "history": history}
    context.rewriting.start(context.collaborators.rewrite.ainvoke(given))
    reformulated = await context.rewriting.unless_enough(limits.rewrite_seconds)
    if reformulated is None or not worth_searching(state, reformulated):
        return {"rewritten": []}
    return {"rewritten": await context.retriever(state, context.judged(state)).ainvoke(reformulated)}
