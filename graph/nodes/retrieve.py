"""`retrieve`: the first wave of passages, for the raw question, from t=0."""

import asyncio
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from chains.followup import with_history
from graph.context import RagContext
from graph.following import condensed, goes_on, seated
from graph.gate import Searched
from graph.report import show_sources, status, thought
from graph.state import RagState
from retrieval.sharing import shared_out


class Retrieved(TypedDict):
    """Written by `retrieve`."""

    question: str
    candidates: list[Document]
    passages: list[Document]
    searched: Searched


async def retrieve(state: RagState, runtime: Runtime[RagContext]) -> Retrieved:
    """Search the collection. The retriever's callback announces the sources, unless the policy holds them back."""
    context, policy = runtime.context, state["policy"]
    size = context.collaborators.library.count(state["collection"], state["filters"])
    await status("searching", f"Searching {size} passage{'s' * (size != 1)}")
    held_back = policy.precheck == "full_slow_path"
    most = state["top_k"] if context.research is None else context.research.spending.may_show_first(state["top_k"])
    wave = {} if held_back else {"wave": 1, "announce": most}
    question = state["question"]
    if state.get("history"):
        question, found, shown = await _conversing(state, context)
        if not held_back:
            await show_sources(shown[:most], 1)
    else:
        found = shown = await context.retriever(state, context.judged(state)).ainvoke(question, {"metadata": wave})
    if not held_back:
        await _tell(size, found)
    if found and found[0].metadata["evidence"] >= policy.min_score:
        context.rewriting.not_needed()
    if state.get("history"):  # the gate waits as long for what the rewrite finds
        question = await condensed(state, context.rewriting, context.collaborators.limits.rewrite_seconds) or question
    return {
        "question": question,
        "candidates": found,
        "passages": [] if held_back else shown[:most],
        "searched": "once",
    }


async def _tell(size: int, found: list[Document]) -> None:
    searched = f"Searched {size} passage{'s' * (size != 1)} for the question as it was asked"
    documents = len({passage.metadata["document_id"] for passage in found})
    looking = f"looking at the {len(found)} nearest, from {documents} document{'s' * (documents != 1)}."
    await thought(f"{searched}: {looking}" if found else f"{searched}, and found nothing.")


async def _conversing(state: RagState, context: RagContext) -> tuple[str, list[Document], list[Document]]:
    """The question as it is meant, what was found for it, and what is shown: of all searches of the conversation.

    What the words of the turns before find alone is shown and never judged: old topics are evidence of themselves.
    """
    k, written, meant = context.judged(state), state.get("wording", state["question"]), state["question"]
    recalling = None if context.research is not None else with_history(written, state["history"])
    alone, together, recalled = await asyncio.gather(
        context.retriever(state, k).ainvoke(written),
        _nothing() if meant == written else context.retriever(state, k, also=(written,)).ainvoke(meant),
        _nothing() if recalling is None else context.retriever(state, k).ainvoke(recalling),
    )
    policy, idf = state["policy"], context.collaborators.library.idf(state["collection"])
    follows = meant != written and (not state.get("unsure") or goes_on(written, alone, together, idf, policy.min_score))
    question, found = (meant, together) if follows else (written, alone)
    if context.research is not None:  # whose ledger has its own order
        return question, found, found
    complete = not follows and bool(alone) and alone[0].metadata["evidence"] >= policy.min_score
    others = [recalled] if complete else [recalled, alone if follows else together]
    shown = seated(found, others, state["top_k"], policy.floor, complete=complete)
    return question, found, shared_out(shown, state["top_k"], policy.floor)


async def _nothing() -> list[Document]:
    return []
