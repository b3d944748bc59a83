"""`expand`: a wider search when the evidence is thin; the gate judges once more."""

import asyncio
import logging
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from chains.expand import Expansion
from graph.context import RagContext
from graph.gate import Searched
from graph.report import show_sources, status, thought
from graph.state import RagState, join_passages
from language.words import STOPWORDS
from retrieval.sharing import shared_out

log = logging.getLogger(__name__)


class Expanded(TypedDict):
    """Written by `expand`."""

    candidates: list[Document]
    passages: list[Document]
    searched: Searched


async def expand(state: RagState, runtime: Runtime[RagContext]) -> Expanded:
    """Search wider, in more words and, where the policy names one, in another collection; show what counts.

    The question stays what everything found is scored by, but for wordings of it that have lost nothing.
    """
    context, policy, question = runtime.context, state["policy"], state["question"]
    collections = searched_collections(state, context)
    await status("expanding", "Searching wider" if len(collections) == 1 else "Searching wider, and in other places")
    expansion = await _expansion(question, context)
    also = (expansion.hypothesis,) if expansion.hypothesis else ()
    k = max(policy.expand_k, state["top_k"])
    wide = [context.retriever(state, k, collection, wide=True, also=also) for collection in collections]
    plain = [context.retriever(state, k, collection) for collection in collections]
    wordings = dict.fromkeys([_keywords(question), *expansion.wordings])
    found = await asyncio.gather(
        *(retriever.ainvoke(question) for retriever in wide),
        *(retriever.ainvoke(wording) for retriever in plain for wording in wordings if wording not in ("", question)),
    )
    joined: list[Document] = []
    for documents in found:
        joined = join_passages(joined, documents)
    joined.sort(key=lambda document: -document.metadata["score"])
    counted = [document for document in joined if document.metadata["score"] >= policy.floor]
    await thought(f"The wider search looked at {len(joined)} passages; {len(counted)} of them score enough to count.")
    fresh = shared_out(counted, state["top_k"], policy.floor)[: state["top_k"]]
    if policy.precheck == "full_slow_path":
        fresh = []
    else:
        await show_sources(fresh, 2)
    return {"candidates": joined, "passages": fresh, "searched": "wider"}


def searched_collections(state: RagState, context: RagContext) -> list[str]:
    """Where the wider search looks: the run's collection, and the one of the policy if it is there."""
    other = state["policy"].fallback_collection
    known = other is not None and other in context.collaborators.library.sizes()
    return list(dict.fromkeys([state["collection"], *([other] if known and other is not None else [])]))


async def _expansion(question: str, context: RagContext) -> Expansion:
    """What the model makes of the question, if there is one and it answers in time."""
    collaborators = context.collaborators
    if collaborators.expand is None:
        return Expansion([], None)
    try:
        async with asyncio.timeout(collaborators.limits.expand_seconds):
            return await collaborators.expand.ainvoke(question)
    except Exception as error:  # whatever a provider raises: the question itself still stands
        log.warning("the expansion failed: %s", type(error).__name__)
        return Expansion([], None)


def _keywords(question: str) -> str:
    return " ".join(word for word in question.split() if word.lower().strip("?,.!") not in STOPWORDS)
