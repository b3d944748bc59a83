"""What the safety checks have to say of the evidence of an answer, and of the answer itself."""

import asyncio
import logging
from collections.abc import Sequence

from langchain_core.documents import Document

from callbacks.events import Error
from callbacks.sources import instructs
from chains.safety import SafetyInput
from graph.context import RagContext
from graph.report import report, status

log = logging.getLogger(__name__)

INSTRUCTIONS_IN_SOURCE = "instructions_in_source"
UNCHECKED = "unchecked"
"""A check is configured, and could not be made."""
UNSAFE_EVIDENCE, UNSAFE_ANSWER = "unsafe_evidence", "unsafe_answer"
SERIOUS = frozenset({UNCHECKED, UNSAFE_EVIDENCE, UNSAFE_ANSWER})
"""With one of these an answer does not pass for safe."""
_AT_ONCE = 16
"""Passages of the evidence in one question to the model."""


class Unclear(RuntimeError):
    """The model that was asked said neither."""


async def screened(question: str, evidence: Sequence[Document], context: RagContext) -> list[str]:
    """Concerns about the evidence, by kind: empty if all is well. Raises what a configured model raises."""
    concerns = [INSTRUCTIONS_IN_SOURCE] if any(map(instructs, evidence)) else []
    if context.collaborators.safety is None or not evidence:
        return concerns
    parts = [evidence[at : at + _AT_ONCE] for at in range(0, len(evidence), _AT_ONCE)]
    texts = ["\n\n".join(document.page_content for document in part) for part in parts]
    async with asyncio.timeout(context.collaborators.limits.safety_seconds):
        safe = await asyncio.gather(*(_safe(question, text, context) for text in texts))
    return concerns if all(safe) else [*concerns, UNSAFE_EVIDENCE]


async def answer_concerns(question: str, answer: str, context: RagContext) -> list[str]:
    """What the model that is asked for it finds wrong with an answer; that it could not be asked is a concern, too."""
    if context.collaborators.safety is None or not answer:
        return []
    await status("verifying", "Checking whether the answer may be shown")
    try:
        async with asyncio.timeout(context.collaborators.limits.safety_seconds):
            return [] if await _safe(question, answer, context) else [UNSAFE_ANSWER]
    except Exception as error:  # whatever a provider raises: it is flagged, and fatal only where the policy says so
        log.warning("the safety check of the answer failed: %s", type(error).__name__)
        message = "The safety check of the answer failed."
        await report(Error(code="safety_check_failed", message=message, fatal=False, retryable=True, stage="verifying"))
        return [UNCHECKED]


async def _safe(question: str, text: str, context: RagContext) -> bool:
    check = context.collaborators.safety
    assert check is not None
    given: SafetyInput = {"question": question, "text": text}
    verdict = await check.ainvoke(given)
    if verdict is None:
        raise Unclear
    return verdict.safe
