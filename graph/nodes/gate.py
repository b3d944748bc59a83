"""`gate`: whether anything may be said. Nothing is said before it, and nothing after it if it stays closed."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Verdict
from chains.answer import AnswerInput, answer_messages
from chains.prompts import fitting
from graph.context import RagContext
from graph.gate import Searched, judge, otherwise
from graph.nodes.generate import draft
from graph.report import report, show_sources
from graph.state import RagState, join_passages

log = logging.getLogger(__name__)


class Judged(TypedDict):
    """Written by `gate`."""

    verdict: Verdict
    decision: GateDecision
    candidates: list[Document]
    passages: list[Document]
    written_from: list[Document]
    prompt: list[BaseMessage]


async def gate(state: RagState, runtime: Runtime[RagContext]) -> Judged:
    """Judge the evidence found so far, what the rewrite found included, and publish the decision."""
    policy, context = state["policy"], runtime.context
    reworded = state.get("rewritten", []) if state["searched"] == "once" else []
    candidates = join_passages(state["candidates"], reworded)
    failed = state["searched"] == "verified" and state["slow_path_failed"]
    stage: Searched = "failed" if failed else state["searched"]
    decision = judge(state["question"], candidates, policy, domain=state["domain"], stage=stage)
    fresh = [document for document in reworded[: state["top_k"]] if document.metadata["score"] >= policy.floor]
    held_back = policy.precheck == "full_slow_path"
    if fresh and not held_back:
        await show_sources(fresh, 2)
    if held_back:
        fresh = state["evidence"][: state["top_k"]] if decision.verdict == "open" else []
    passages = fitting(join_passages(state["passages"], fresh), context.collaborators.limits.context_tokens)
    prompt: list[BaseMessage] = []
    if decision.verdict == "open":
        prompt = _assembled(state["question"], passages)
        refused = "no prompt could be made of the passages" if not prompt else None
        if refused is None and context.collaborators.sufficient is not None:
            if not held_back:  # else its tokens could come before the sources
                context.draft.begin(draft(state["question"], passages, prompt, context))
            decision, refused = await _suffices(decision, state["question"], passages, context)
        if refused is not None:
            decision = otherwise(decision, refused, stage)
    await report(decision)
    if decision.verdict == "open" and held_back:
        await show_sources(fresh, 1)
    written_from = passages if decision.verdict == "open" else []
    return {
        "verdict": decision.verdict,
        "decision": decision,
        "candidates": candidates,
        "passages": [] if held_back and decision.verdict != "open" else fresh,
        "written_from": written_from,
        "prompt": prompt,
    }


def _assembled(question: str, passages: Sequence[Document]) -> list[BaseMessage]:
    """The prompt; empty if there is nothing to write from, or if it cannot be assembled."""
    if not any(passage.page_content.strip() for passage in passages):
        return []
    try:
        return answer_messages(question, passages)
    except Exception:  # a passage no prompt can be made of, whatever is wrong with it: nothing may be said
        log.exception("the prompt could not be assembled")
        return []


async def _suffices(
    decision: GateDecision,
    question: str,
    passages: Sequence[Document],
    context: RagContext,
) -> tuple[GateDecision, str | None]:
    """The decision with what the model says of it, and why it must not stand, if so.

    The draft was begun beside the check and waits behind the gate, so that the check costs no time of its own.
    """
    check, limits = context.collaborators.sufficient, context.collaborators.limits
    assert check is not None
    given: AnswerInput = {"question": question, "passages": passages}
    sufficient: bool | None = None
    said = "the model did not say whether they suffice"
    try:
        async with asyncio.timeout(limits.sufficiency_seconds):
            sufficient = await check.ainvoke(given)
    except TimeoutError:
        said = f"the model did not say within {limits.sufficiency_seconds:g} s whether they suffice"
    except Exception as error:  # whatever a provider raises: the scores have opened the gate
        log.warning("the sufficiency check failed: %s", type(error).__name__)
        said = "the model could not be asked whether they suffice"
    if sufficient is False:
        await context.draft.drop()
        return decision, "the model finds no answer in the passages"
    reason = "the model finds them sufficient" if sufficient else said
    return decision.model_copy(update={"reasons": [*decision.reasons, reason]}), None
