"""`generate`: the draft, streamed. The callback handlers hear its tokens; this node only drives the model."""

import asyncio
from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from callbacks.grammar import GrammarError
from callbacks.handlers import ANSWER_TAG
from callbacks.log import LogFull
from chains.answer import AnswerInput
from graph.context import Limits, RagContext
from graph.failures import ModelFailure, failure_of
from graph.report import report, status
from graph.state import RagState


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


async def write_draft(
    question: str, passages: Sequence[Document], prompt: Sequence[BaseMessage], context: RagContext
) -> None:
    """Drive the model; the handlers hear what it writes, once the gate is open. Raises `ModelFailure`."""
    rows = [passage.metadata["source_id"] for passage in passages]
    call: RunnableConfig = {"tags": [ANSWER_TAG], "metadata": {"rows": rows}}
    given: AnswerInput = {"question": question, "passages": passages, "messages": prompt}
    await _with_retries(given, call, context)


async def _with_retries(given: AnswerInput, call: RunnableConfig, context: RagContext) -> None:
    limits = context.collaborators.limits
    for attempt in range(1, limits.attempts + 1):
        try:
            return await _stream(given, call, context, limits)
        except (GrammarError, LogFull):  # ours, and no fault of the model
            raise
        except Exception as error:
            failure = failure_of(error)
            last = attempt == limits.attempts or failure.code == "model_timeout"
            if context.stream.text or not failure.retryable or last:
                raise failure from error
            await asyncio.sleep(failure.wait_before(attempt))


async def _stream(given: AnswerInput, call: RunnableConfig, context: RagContext, limits: Limits) -> None:
    loop = asyncio.get_running_loop()
    behind_the_gate = 0.0 if context.opened.is_set() else limits.sufficiency_seconds
    async with asyncio.timeout(limits.first_token_seconds + behind_the_gate) as silence:
        async for piece in context.collaborators.answer.astream(given, call):
            if piece:
                silence.reschedule(loop.time() + limits.stall_seconds)
