"""`fallback`: the honest refusal."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.events import Outcome
from graph.context import RagContext
from graph.gate import judge, missing
from graph.nodes.expand import searched_collections
from graph.refusals import fallback_text, reformulation
from graph.remarks import cut_short, left_out
from graph.state import RagState
from language.words import sounds_english
from retrieval.retriever import documents_of


class Refused(TypedDict):
    """Written by `fallback`."""

    answer: str
    outcome: Outcome


async def fallback(state: RagState, runtime: Runtime[RagContext]) -> Refused:
    """Say what was searched, what is missing, what comes nearest and what could be asked. No token, no citation."""
    context, library, filters = runtime.context, runtime.context.collaborators.library, state["filters"]
    collections = searched_collections(state, context) if state["searched"] == "wider" else [state["collection"]]
    decision = state["decision"]
    unsearched = [finding.branch for finding in state.get("findings", []) if not finding.hops]
    too_few = decision.top_score >= decision.min_score and decision.chunks < decision.min_chunks
    text = fallback_text(
        sizes={collection: library.count(collection, filters) for collection in collections},
        missing=missing(state["question"], state["candidates"]),
        too_few=decision if too_few else None,
        nearest=shown(state, context),
        policy=state["policy"],
        suggestion=await _suggestion(state, context),
        english=sounds_english(state["question"]),
        partly=bool(unsearched),
    )
    if context.research is not None:
        text = " ".join([text, *left_out(unsearched), *cut_short(context.research)])
    return {"answer": text, "outcome": "fallback"}


async def _suggestion(state: RagState, context: RagContext) -> str | None:
    """A question close to this one that the gate would open for: it has been tried."""
    question = reformulation(state["question"], missing(state["question"], state["candidates"]), shown(state, context))
    if question is None:
        return None
    library, collection, filters = context.collaborators.library, state["collection"], state["filters"]
    found = documents_of(await library.search(collection, question, context.judged(state), filters))
    decision = judge(question, found, state["policy"], domain=state["domain"], stage="once")
    return question if decision.verdict == "open" else None


def shown(state: RagState, context: RagContext) -> list[Document]:
    """The passages the reader has been told about."""
    return [document for document in state["passages"] if document.metadata["source_id"] in context.book]
