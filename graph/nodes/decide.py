"""`decide`: the gate of deep research, over everything its branches have found."""

from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Verdict
from chains.prompts import fitting, informative
from graph.branches import Finding
from graph.context import RagContext
from graph.gate import Searched, judge
from graph.report import report, show_sources, thought
from graph.screening import UNSAFE_EVIDENCE
from graph.state import RagState


class Decided(TypedDict):
    """Written by `decide`."""

    verdict: Verdict
    decision: GateDecision
    searched: Searched
    answered: list[Finding]
    passages: list[Document]
    written_from: list[Document]


async def decide(state: RagState, runtime: Runtime[RagContext]) -> Decided:
    """Open if the evidence carries the question or any part of it, each judged in its own words.

    What a follow-up search found counts for the report and not here: a passage about something that an irrelevant one
    happened to name is no evidence for the question.
    """
    context, policy = runtime.context, state["policy"]
    strict = policy.precheck == "full_slow_path"
    stage: Searched = ("failed" if state["slow_path_failed"] else "verified") if strict else "wider"
    whole = judge(state["question"], state["candidates"], policy, domain=state["domain"], stage=stage)
    judged = [(finding, _of_branch(finding, state, stage)) for finding in state["findings"]]
    answered = [
        finding for finding, decision in judged if decision.verdict == "open" and finding.sufficient is not False
    ]
    decision = _together(whole, judged, answered)
    written_from = _written_from(state, context)
    reasons = list(decision.reasons)
    if not informative(written_from):
        reasons.append("nothing is left to write from")
    if UNSAFE_EVIDENCE in state["concerns"]:
        reasons.append("the safety check did not pass the evidence")
    if len(reasons) > len(decision.reasons):
        refused = not informative(written_from) or strict
        verdict: Verdict = "fallback" if refused else decision.verdict
        decision = decision.model_copy(update={"verdict": verdict, "reasons": reasons})
    await report(decision)
    is_open = decision.verdict == "open"
    if is_open:
        if strict:
            await show_sources(written_from, 1)
        await _tell_the_plan(state)
    return {
        "verdict": decision.verdict,
        "decision": decision,
        "searched": stage,
        "answered": answered,
        "passages": written_from if is_open else [],
        "written_from": written_from if is_open else [],
    }


def _of_branch(finding: Finding, state: RagState, stage: Searched) -> GateDecision:
    """What the gate would say of a branch as a question of its own, by what its own words have found."""
    found = finding.hops[0].documents if finding.hops else []
    return judge(finding.branch.question, found, state["policy"], domain=state["domain"], stage=stage)


def _together(
    whole: GateDecision, judged: Sequence[tuple[Finding, GateDecision]], answered: Sequence[Finding]
) -> GateDecision:
    """One decision of them all: the whole question's, unless a part of it does better."""
    refuted = bool(judged) and all(finding.sufficient is False for finding, _ in judged)
    best = whole
    if whole.verdict != "open" or refuted:
        best = max((d for f, d in judged if f in answered), key=lambda decision: decision.top_score, default=whole)
    is_open = bool(answered) or (whole.verdict == "open" and not refuted)
    verdict: Verdict = "open" if is_open else "fallback"
    parts = [
        f"part {finding.branch.number}: {_told(finding, decision)}"
        for finding, decision in judged
        if len(judged) > 1 or finding.sufficient is False
    ]
    return best.model_copy(update={"verdict": verdict, "reasons": [*best.reasons, *parts]})


def _told(finding: Finding, decision: GateDecision) -> str:
    if finding.sufficient is False:
        return "the model finds no answer in what was found"
    if not finding.hops:
        return "not searched"
    return f"best evidence {decision.top_score:.2f}"


def _written_from(state: RagState, context: RagContext) -> list[Document]:
    """The ledger, as far as a prompt may hold it and the budget lasts."""
    spending = context.researching.spending
    left = max(0, spending.allowance.tokens - spending.tokens) // 2
    return fitting(state["ledger"], min(context.collaborators.limits.context_tokens, left), state["policy"].floor)


async def _tell_the_plan(state: RagState) -> None:
    """What a model made of the question, now that its words may be shown."""
    for branch in state["branches"]:
        if not branch.own_words:
            await thought(f"Part {branch.number}: {branch.question}", branch=branch.name)
