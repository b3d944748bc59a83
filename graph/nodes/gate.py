"""`gate`: whether anything may be said. Nothing is said before it, and nothing after it if it stays closed."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Verdict
from chains.answer import AnswerInput
from chains.prompts import fitting, informative
from graph.context import RagContext
from graph.gate import Searched, judge
from graph.nodes.generate import begin
from graph.report import report, show_sources, thought
from graph.screening import UNSAFE_EVIDENCE
from graph.state import RagState, join_passages
from graph.writing import prompt_for
from retrieval.sharing import shared_out

log = logging.getLogger(__name__)


class Judged(TypedDict):
    """Written by `gate`."""

    verdict: Verdict
    decision: GateDecision
    candidates: list[Document]
    passages: list[Document]
    written_from: list[Document]
    prompt: list[BaseMessage]
    insufficient: list[str]


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
        shared = shared_out(state["evidence"], state["top_k"], policy.floor) if decision.verdict == "open" else []
        fresh = shared[: state["top_k"]]
    limit = context.collaborators.limits.context_tokens
    passages = fitting(join_passages(state["passages"], fresh), limit, policy.floor)
    prompt: list[BaseMessage] = []
    reason: str | None = None
    if decision.verdict == "open":
        prompt = _assembled(state, passages)
        reason = None if prompt else "no prompt could be made of the passages"
    sufficient: bool | None = None
    if prompt and context.collaborators.sufficient is not None:
        sufficient, reason = await _suffices(state, passages, prompt, context)
    if UNSAFE_EVIDENCE in state.get("concerns", []):
        reason = "the safety check did not pass the evidence"
    if reason is not None:
        decision = decision.model_copy(update={"reasons": [*decision.reasons, reason]})
    if reason is not None and (sufficient is False or not prompt):
        decision = decision.model_copy(update={"verdict": "expand" if stage == "once" else "fallback"})
    await report(decision)
    await thought(_in_words(decision))
    is_open = decision.verdict == "open"
    if is_open and held_back:
        await show_sources(fresh, 1)
    return {
        "verdict": decision.verdict,
        "decision": decision,
        "candidates": candidates,
        "passages": fresh if is_open or not held_back else [],
        "written_from": passages if is_open else [],
        "prompt": prompt,
        "insufficient": _ids(passages) if sufficient is False else [],
    }


_THEREFORE: dict[Verdict, str] = {
    "open": "the answer can be written",
    "expand": "the search goes wider",
    "verify_first": "the deeper check comes before anything is said",
    "fallback": "nothing can be answered from this",
}


def _in_words(decision: GateDecision) -> str:
    """What was weighed and what follows, for readers who want to see it think."""
    weighed = "; ".join(decision.reasons)
    return f"Weighed the evidence: {weighed}. So {_THEREFORE.get(decision.verdict, 'nothing is said')}."


def _ids(passages: Sequence[Document]) -> list[str]:
    return [passage.metadata["source_id"] for passage in passages]


def _assembled(state: RagState, passages: Sequence[Document]) -> list[BaseMessage]:
    """The prompt; empty if there is nothing to write from, or if it cannot be assembled."""
    try:
        return prompt_for(state, passages) if informative(passages) else []
    except Exception:  # a passage no prompt can be made of, whatever is wrong with it: nothing may be said
        log.exception("the prompt could not be assembled")
        return []


async def _suffices(
    state: RagState, passages: Sequence[Document], prompt: Sequence[BaseMessage], context: RagContext
) -> tuple[bool | None, str]:
    """Whether the model finds the answer in the passages (None if it does not say), and that in words.

    The draft begins beside the check and waits behind the gate, so that the check costs no time of its own; but not
    under `full_slow_path`, where the sources have to be shown between the decision and the first token.
    """
    check, limits, question = context.collaborators.sufficient, context.collaborators.limits, state["question"]
    assert check is not None
    if _ids(passages) == state.get("insufficient"):
        return False, "the model finds no answer in the passages, and there are no others"
    if state["policy"].precheck != "full_slow_path":
        await begin(question, passages, prompt, context)
    given: AnswerInput = {"question": question, "passages": passages}
    try:
        async with asyncio.timeout(limits.sufficiency_seconds):
            sufficient = await check.ainvoke(given)
    except TimeoutError:
        return None, f"the model did not say within {limits.sufficiency_seconds:g} s whether they suffice"
    except Exception as error:  # whatever a provider raises: the scores have opened the gate
        log.warning("the sufficiency check failed: %s", type(error).__name__)
        return None, "the model could not be asked whether they suffice"
    if sufficient is False:
        await context.draft.drop()
        return False, "the model finds no answer in the passages"
    return sufficient, "the model finds them sufficient" if sufficient else "the model did not say whether they suffice"
