"""`fallback`: the honest refusal."""

from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.events import Outcome
from graph.context import RagContext
from graph.gate import missing
from graph.nodes.expand import searched_collections
from graph.refusals import fallback_text
from graph.state import RagState
from language.words import sounds_english


class Refused(TypedDict):
    """Written by `fallback`."""

    answer: str
    outcome: Outcome


async def fallback(state: RagState, runtime: Runtime[RagContext]) -> Refused:
    """Say what was searched, what is missing and what comes nearest. No token, no citation."""
    return {"answer": refusal(state, runtime.context), "outcome": "fallback"}


def refusal(state: RagState, context: RagContext) -> str:
    """The text of the fallback for what this run found."""
    library, filters = context.collaborators.library, state["filters"]
    collections = searched_collections(state, context) if state["searched"] == "wider" else [state["collection"]]
    return fallback_text(
        question=state["question"],
        sizes={collection: library.count(collection, filters) for collection in collections},
        missing=missing(state["question"], state["candidates"]),
        nearest=shown(state, context),
        policy=state["policy"],
        english=sounds_english(state["question"]),
    )


def shown(state: RagState, context: RagContext) -> list[Document]:
    """The passages the reader has been told about."""
    return [document for document in state["passages"] if document.metadata["source_id"] in context.book]
