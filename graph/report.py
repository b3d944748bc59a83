"""How nodes report: through LangChain's callbacks, in order, before the next step begins."""

from collections.abc import Sequence

from langchain_core.callbacks import adispatch_custom_event
from langchain_core.documents import Document

from callbacks.events import Payload, Stage, StatusUpdate
from callbacks.handlers import SOURCES_EVENT


async def report(payload: Payload) -> None:
    """Publish an event."""
    await adispatch_custom_event(type(payload).__name__, payload)


async def status(stage: Stage, message: str) -> None:
    """Say what is being worked on."""
    await report(StatusUpdate(stage=stage, message=message))


async def show_sources(documents: Sequence[Document], wave: int) -> None:
    """Announce passages that a retriever's callback has not announced."""
    await adispatch_custom_event(SOURCES_EVENT, {"documents": documents, "wave": wave})
