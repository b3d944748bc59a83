"""The call that writes a draft, asked again where that can be done without unsaying anything."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from callbacks.grammar import GrammarError
from callbacks.handlers import ANSWER_TAG
from callbacks.log import LogFull
from chains.answer import AnswerInput, answer_messages
from graph.context import Limits, RagContext
from graph.failures import failure_of
from graph.state import RagState

Writer = Runnable[AnswerInput, str]


def prompt_for(state: RagState, passages: Sequence[Document]) -> list[BaseMessage]:
    """The prompt for a draft; in a conversation with its last turns."""
    return answer_messages(state["question"], passages, state.get("history", ()), state.get("wording"))


async def write_draft(
    question: str,
    passages: Sequence[Document],
    prompt: Sequence[BaseMessage],
    context: RagContext,
    *,
    writer: Writer | None = None,
    headings: Sequence[str] = (),
) -> None:
    """Drive the model, or another `writer`; the handlers hear what it writes, once the gate is open.

    `headings` are those it may use. Raises `ModelFailure`.
    """
    rows = [passage.metadata["source_id"] for passage in passages]
    call: RunnableConfig = {"tags": [ANSWER_TAG], "metadata": {"rows": rows, "headings": list(headings)}}
    given: AnswerInput = {"question": question, "passages": passages, "messages": prompt}
    await _with_retries(writer or context.collaborators.answer, given, call, context)


async def _with_retries(writer: Writer, given: AnswerInput, call: RunnableConfig, context: RagContext) -> None:
    limits = context.collaborators.limits
    for attempt in range(1, limits.attempts + 1):
        try:
            return await _stream(writer, given, call, context, limits)
        except (GrammarError, LogFull):  # ours, and no fault of the model
            raise
        except Exception as error:
            failure = failure_of(error)
            last = attempt == limits.attempts or failure.code == "model_timeout"
            if context.stream.text or not failure.retryable or last:
                raise failure from error
            await asyncio.sleep(failure.wait_before(attempt))


async def _stream(
    writer: Writer, given: AnswerInput, call: RunnableConfig, context: RagContext, limits: Limits
) -> None:
    """Read what the writer says, which may fall silent only for so long; thoughts are no silence, and no answer."""
    loop = asyncio.get_running_loop()
    behind_the_gate = 0.0 if context.opened.is_set() else limits.sufficiency_seconds
    due = loop.time() + limits.first_token_seconds + behind_the_gate
    async with asyncio.timeout_at(due) as silence:
        async with aclosing(cast(AsyncGenerator[str], writer.astream(given, call))) as pieces:
            async for piece in pieces:
                soon = loop.time() + limits.stall_seconds
                if piece:
                    due = soon
                silence.reschedule(due if piece else min(max(due, soon), due + limits.thinking_seconds))
