"""`rewrite`: the question as a search engine wants it, beside the search for the raw one."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from chains.rewrite import faithful
from graph.context import RagContext
from graph.state import RagState
from language.words import content_terms


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


def worth_searching(question: str, reformulated: str) -> bool:
    """Whether a reformulation can find anything else and has lost nothing."""
    return set(content_terms(question)) != set(content_terms(reformulated)) and faithful(question, reformulated)
