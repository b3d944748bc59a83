"""`outline`: what a document is made of, and whether anything of it can be told."""

import asyncio
from typing import TypedDict

from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Outcome, Verdict
from graph.context import RagContext
from graph.digest import SummaryState
from graph.policy import DEFAULT_DOMAIN
from graph.report import report, status
from language.prose import sayable, stands_alone
from retrieval.outline import Section, outline
from retrieval.passages import Passage


class Outlined(TypedDict):
    """Written by `outline`."""

    domain: str
    outline: list[Section]
    verdict: Verdict
    decision: GateDecision


class Declined(TypedDict):
    """Written by `decline`."""

    answer: str
    outcome: Outcome


async def outline_document(state: SummaryState, runtime: Runtime[RagContext]) -> Outlined:
    """Cut the document into sections; the gate opens if there is a sentence in it that can be cited."""
    context = runtime.context
    stored = context.collaborators.library.stored
    passages = await asyncio.to_thread(stored.passages_in, state["document"].key)
    extracts = context.collaborators.summarize is None
    citable = await asyncio.to_thread(_citable, passages, prose=extracts)
    sections = await asyncio.to_thread(outline, passages, state["max_sections"]) if citable else []
    kind = "a sentence that can stand in a summary" if extracts else "a sentence that can be cited"
    decision = GateDecision(
        verdict="open" if citable else "fallback",
        domain=DEFAULT_DOMAIN,
        chunks=citable,
        top_score=1.0 if citable else 0.0,
        min_chunks=1,
        min_score=0.0,
        reasons=[f"{citable} of {len(passages)} passages of the document have {kind}"],
    )
    await report(decision)
    if sections:
        await status("writing", f"Summarising {_counted(len(sections))}", progress=0.0)
    return {"domain": DEFAULT_DOMAIN, "outline": sections, "verdict": decision.verdict, "decision": decision}


async def decline(state: SummaryState, runtime: Runtime[RagContext]) -> Declined:
    """Say that there is nothing to summarise. No token, no citation."""
    title = state["document"].title
    if runtime.context.collaborators.summarize is None and state["document"].passages:
        text = f"“{title}” has no sentences that could stand in a summary: it is made of rows, headings or fragments."
        return {"answer": f"{text} Ask for one of its facts instead.", "outcome": "fallback"}
    return {"answer": f"“{title}” has no sentence that could be cited, so there is no summary.", "outcome": "fallback"}


def _counted(sections: int) -> str:
    return "1 section" if sections == 1 else f"{sections} sections"


def _citable(passages: list[Passage], *, prose: bool) -> int:
    """How many passages have a sentence that can be cited, or that reads well by itself."""
    fits = stands_alone if prose else sayable
    return sum(any(fits(passage.text[start:end]) for start, end in passage.sentences) for passage in passages)
