"""`outline`: what a document is made of, and whether anything of it can be told."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from langgraph.runtime import Runtime

from callbacks.events import GateDecision, Outcome, Verdict
from graph.condensing import heed
from graph.context import RagContext
from graph.digest import SummaryState
from graph.lanes import sliced
from graph.permission import Permission
from graph.policy import DEFAULT_DOMAIN
from graph.report import report, status
from language.prose import sayable, stands_alone
from retrieval.outline import Section, outline
from retrieval.passages import Passage

_LOOKED_AT = 50
"""Passages that are looked at for why nothing can be told."""


class Outlined(TypedDict):
    """Written by `outline`."""

    domain: str
    outline: list[Section]
    kept_back: bool
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
    permission = Permission(context.collaborators)
    extracts = context.collaborators.summarize is None
    async with context.lanes.bulky() as bulk:
        every = await bulk.slice(stored.passages_in, state["document"].key)
        for some in sliced(every):
            await bulk.slice(heed, some)
        passages = await bulk.slice(permission.lawful, every)
        citable = await bulk.slice(_citable, passages, permission, prose=extracts)
        sections = await bulk.slice(outline, passages, state["max_sections"]) if citable else []
    kind = "a sentence that can stand in a summary" if extracts else "a sentence that can be cited"
    decision = GateDecision(
        verdict="open" if citable else "fallback",
        domain=DEFAULT_DOMAIN,
        chunks=citable,
        top_score=1.0 if citable else 0.0,
        min_chunks=1,
        min_score=0.0,
        reasons=[f"{citable} of {len(every)} passages of the document have {kind}"],
    )
    await report(decision)
    if sections:
        await status("writing", f"Summarising {_counted(len(sections))}", progress=0.0)
    return {
        "domain": DEFAULT_DOMAIN,
        "outline": sections,
        "kept_back": len(passages) < len(every) or any(map(permission.ruled_out, _said(passages[:_LOOKED_AT]))),
        "verdict": decision.verdict,
        "decision": decision,
    }


async def decline(state: SummaryState, runtime: Runtime[RagContext]) -> Declined:
    """Say that there is nothing to summarise. No token, no citation."""
    title = state["document"].title
    if state["kept_back"]:
        return {"answer": "What this document says is not told in a summary on this server.", "outcome": "fallback"}
    if runtime.context.collaborators.summarize is None and state["document"].passages:
        text = f"“{title}” has no sentences that could stand in a summary: it is made of rows, headings or fragments."
        return {"answer": f"{text} Ask for one of its facts instead.", "outcome": "fallback"}
    return {"answer": f"“{title}” has no sentence that could be cited, so there is no summary.", "outcome": "fallback"}


def _said(passages: Sequence[Passage]) -> Iterator[str]:
    return (passage.text[start:end] for passage in passages for start, end in passage.sentences)


def _counted(sections: int) -> str:
    return "1 section" if sections == 1 else f"{sections} sections"


def _citable(passages: list[Passage], permission: Permission, *, prose: bool) -> int:
    """How many passages have a sentence that can be cited, or that reads well by itself."""
    fits = stands_alone if prose else sayable
    return sum(any(fits(text) and not permission.ruled_out(text) for text in _said([one])) for one in passages)
