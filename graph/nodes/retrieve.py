"""`retrieve`: the first wave of passages, for the raw question, from t=0."""

import asyncio
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.following import goes_on
from graph.gate import Searched
from graph.report import show_sources, status, thought
from graph.state import RagState


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
    if state.get("unsure"):
        question, found = await _either(state, context)
        if not held_back:
            await show_sources(found[:most], 1)
    else:
        retriever = context.retriever(state, context.judged(state), also=_also(state))
        found = await retriever.ainvoke(question, {"metadata": wave})
    if not held_back:
        await _tell(size, found)
    if found and found[0].metadata["evidence"] >= policy.min_score:
        context.rewriting.not_needed()
    return {
        "question": question,
        "candidates": found,
        "passages": [] if held_back else found[:most],
        "searched": "once",
    }


async def _tell(size: int, found: list[Document]) -> None:
    searched = f"Searched {size} passage{'s' * (size != 1)} for the question as it was asked"
    documents = len({passage.metadata["document_id"] for passage in found})
    looking = f"looking at the {len(found)} nearest, from {documents} document{'s' * (documents != 1)}."
    await thought(f"{searched}: {looking}" if found else f"{searched}, and found nothing.")


def _also(state: RagState) -> tuple[str, ...]:
    """What the user wrote, where the question is put together from it and from the turns before."""
    wording = state.get("wording", state["question"])
    return () if wording == state["question"] else (wording,)


async def _either(state: RagState, context: RagContext) -> tuple[str, list[Document]]:
    """The question as it is meant, with what was found for it: as it was written, or within its conversation."""
    k, written = context.judged(state), state["wording"]
    alone, together = await asyncio.gather(
        context.retriever(state, k).ainvoke(written),
        context.retriever(state, k, also=_also(state)).ainvoke(state["question"]),
    )
    idf, enough = context.collaborators.library.idf(state["collection"]), state["policy"].min_score
    return (state["question"], together) if goes_on(written, alone, together, idf, enough) else (written, alone)
