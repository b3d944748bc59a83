"""How nodes report: through LangChain's callbacks, in order, before the next step begins."""

from collections.abc import Sequence

from langchain_core.callbacks import adispatch_custom_event
from langchain_core.documents import Document

from callbacks.events import Payload, Stage, StatusUpdate, Thinking
from callbacks.handlers import SOURCES_EVENT


async def report(payload: Payload) -> None:
    """Publish an event."""
    await adispatch_custom_event(type(payload).__name__, payload)


async def status(stage: Stage, message: str, *, branch: str | None = None, progress: float | None = None) -> None:
    """Say what is being worked on; `progress` of all that there is to do, 0..1."""
    await report(StatusUpdate(stage=stage, message=message, branch=branch, progress=progress))


async def show_sources(documents: Sequence[Document], wave: int, branch: str | None = None) -> None:
    """Announce passages that a retriever's callback has not announced."""
    await adispatch_custom_event(SOURCES_EVENT, {"documents": documents, "wave": wave, "branch": branch})


async def thought(text: str, *, step: int | None = None, branch: str | None = None) -> None:
    """Say what the work has come to, in words of our own; shown to those who want to see it think."""
    await report(Thinking(text=text, kind="derived", step=step, branch=branch))
