"""`retrieve`: the first wave of passages, for the raw question, from t=0."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.gate import Searched
from graph.report import status, thought
from graph.state import RagState


class Retrieved(TypedDict):
    """Written by `retrieve`."""

    candidates: list[Document]
    passages: list[Document]
    searched: Searched


async def retrieve(state: RagState, runtime: Runtime[RagContext]) -> Retrieved:
    """Search the collection. The retriever's callback announces the sources, unless the policy holds them back."""
    context, policy = runtime.context, state["policy"]
    size = context.collaborators.library.count(state["collection"], state["filters"])
    await status("searching", f"Searching {size} passage{'s' * (size != 1)}")
    held_back = policy.precheck == "full_slow_path"
    most = state["top_k"] if context.research is None else context.research.spending.may_show(state["top_k"])
    wave = {} if held_back else {"wave": 1, "announce": most}
    retriever = context.retriever(state, context.judged(state))
    found = await retriever.ainvoke(state["question"], {"metadata": wave})
    documents = len({passage.metadata["document_id"] for passage in found})
    await thought(
        f"Searched {size} passage{'s' * (size != 1)} for the question as it was asked: "
        f"looking at the {len(found)} nearest, from {documents} document{'s' * (documents != 1)}."
        if found
        else f"Searched {size} passage{'s' * (size != 1)} for the question as it was asked, and found nothing."
    )
    if found and found[0].metadata["evidence"] >= policy.min_score:
        context.rewriting.not_needed()
    return {"candidates": found, "passages": [] if held_back else found[: state["top_k"]], "searched": "once"}
