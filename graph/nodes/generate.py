"""`generate`: the draft, streamed. The callback handlers hear its tokens; this node only drives the model."""

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.failures import ModelFailure
from graph.report import report, status
from graph.state import RagState
from graph.writing import write_draft


async def generate(state: RagState, runtime: Runtime[RagContext]) -> None:
    """Stream a draft from the passages. Raises `ModelFailure` if the model fails before it has said anything.

    A failing model is asked again, but only before its first token: what was said cannot be unsaid. If it fails
    later, what it said stands, marked as truncated. The draft itself is in the run's `AnswerStream`.
    """
    context, passages = runtime.context, state["written_from"]
    context.meter.chunks_used = len(passages)
    if not context.draft.begun:
        await begin(state["question"], passages, state["prompt"], context)
    try:
        await context.draft.finish()
    except ModelFailure as failure:
        if not context.stream.text:
            raise
        await report(failure.event(fatal=False, stage="drafting"))
    if context.stream.truncated and not context.stream.text:
        raise ModelFailure("model_empty", "The model ended without an answer.", retryable=True)


async def begin(
    question: str, passages: Sequence[Document], prompt: Sequence[BaseMessage], context: RagContext
) -> None:
    """Say that a draft is written, and start the model."""
    sources = "1 source" if len(passages) == 1 else f"{len(passages)} sources"
    await status("drafting", f"Drafting an answer from {sources}")
    context.draft.begin(write_draft(question, passages, prompt, context))
