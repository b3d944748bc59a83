"""The call that writes a draft, asked again where that can be done without unsaying anything."""

import asyncio
from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from callbacks.grammar import GrammarError
from callbacks.handlers import ANSWER_TAG
from callbacks.log import LogFull
from chains.answer import AnswerInput
from graph.context import Limits, RagContext
from graph.failures import failure_of


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
