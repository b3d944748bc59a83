"""`expand`: a wider search when the evidence is thin; the gate judges once more."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.gate import Searched
from graph.report import show_sources, status
from graph.state import RagState, join_passages
from language.words import STOPWORDS


class Expanded(TypedDict):
    """Written by `expand`."""

    candidates: list[Document]
    passages: list[Document]
    searched: Searched


async def expand(state: RagState, runtime: Runtime[RagContext]) -> Expanded:
    """Search deeper, with the question as it is and with its keywords alone; show what counts as a passage."""
    context, policy = runtime.context, state["policy"]
    await status("expanding", "Searching wider")
    retriever = context.retriever(state, max(policy.expand_k, state["top_k"]))
    found = await retriever.ainvoke(state["question"])
    keywords = " ".join(word for word in state["question"].split() if word.lower().strip("?,.!") not in STOPWORDS)
    if keywords and keywords != state["question"]:
        found = join_passages(found, await retriever.ainvoke(keywords))
    found.sort(key=lambda document: -document.metadata["score"])
    fresh = [document for document in found if document.metadata["score"] >= policy.floor][: state["top_k"]]
    if policy.precheck == "full_slow_path":
        fresh = []
    else:
        await show_sources(fresh, 2)
    return {"candidates": found, "passages": fresh, "searched": "wider"}
