"""`generate`: the draft, streamed. The callback handlers hear its tokens; this node only drives the model."""

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langgraph.runtime import Runtime

from graph.context import RagContext
from graph.failures import ModelFailure
from graph.paying import finish_draft, tell
from graph.remarks import cut_short
from graph.report import report, status, thought
from graph.state import RagState
from graph.writing import write_draft

_QUIET_SECONDS = 1.0
"""Of a model that says nothing, not even what it thinks."""


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
        await _tell_what_is_read(passages, context)
        await finish_draft(context)
    except ModelFailure as failure:
        if not context.stream.text:
            raise
        await report(failure.event(fatal=False, stage="drafting"))
    if context.stream.truncated and not context.stream.text:
        raise ModelFailure("model_empty", "The model ended without an answer.", retryable=True)
    for text in [] if context.research is None else cut_short(context.research):
        await tell(context.stream.remark(f"*{text}*"))


async def _tell_what_is_read(passages: Sequence[Document], context: RagContext) -> None:
    """While the model works in silence, say what it works on; what shows its thoughts or answers at once needs none."""
    thinking = context.thinking
    if thinking is None or not thinking.wanted or await context.draft.ended(within=_QUIET_SECONDS):
        return
    if not thinking.heard and not context.stream.text:
        await thought(_reading(passages, named=context.include_sources))


def _reading(passages: Sequence[Document], *, named: bool) -> str:
    titles = list(dict.fromkeys(passage.metadata["source"] for passage in passages))
    count = f"{len(passages)} passage{'s' * (len(passages) != 1)}"
    documents = f"{len(titles)} document{'s' * (len(titles) != 1)}"
    return f"Reading {count} of {documents}" + (f": {', '.join(titles)}." if named else ".")


async def begin(
    question: str, passages: Sequence[Document], prompt: Sequence[BaseMessage], context: RagContext
) -> None:
    """Say that a draft is written, and start the model."""
    sources = "1 source" if len(passages) == 1 else f"{len(passages)} sources"
    await status("drafting", f"Drafting an answer from {sources}")
    context.draft.begin(write_draft(question, passages, prompt, context))
