"""`rewrite`: the question as a search engine wants it, beside the search for the raw one."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.rewriting import worth_searching
from graph.state import RagState


class Rewritten(TypedDict):
    """Written by `rewrite`."""

    rewritten: list[Document]


async def rewrite(state: RagState, runtime: Runtime[RagContext]) -> Rewritten:
    """Ask for a reformulation and, if it comes in time and is needed, search with it."""
    context, question = runtime.context, state["question"]
    limits = context.collaborators.limits
    context.rewriting.start(context.collaborators.rewrite.ainvoke({"question": question}))
    reformulated = await context.rewriting.unless_enough(limits.rewrite_seconds)
    if reformulated is None or not worth_searching(question, reformulated):
        return {"rewritten": []}
    return {"rewritten": await context.retriever(state, context.judged(state)).ainvoke(reformulated)}
