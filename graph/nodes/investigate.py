"""`investigate`: one branch of the research, round after round, until it has its answer or nothing new turns up."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from callbacks.events import Error
from callbacks.handlers import THINKING_TAG
from chains.hops import (
    MOST_ROUNDS,
    FollowUpInput,
    brings_news,
    next_queries,
    queries_allowed,
    sufficient_without_model,
)
from graph.branches import Branch, Finding, Hop, Research
from graph.context import RagContext
from graph.interruption import unless_finished
from graph.report import report, show_sources, status, thought
from graph.state import RagState

log = logging.getLogger(__name__)

_QUERIES = 3
"""Follow-up queries of a model in one round."""
_INSTRUCTIONS, _CHARACTERS_A_TOKEN = 250, 4
"""Tokens of a prompt besides its evidence."""
_TITLES = 3
"""Named in a thought."""


class Investigation(RagState):
    """What one branch is given."""

    branch: Branch


class Investigated(TypedDict):
    """Written by `investigate`, once for each branch."""

    findings: list[Finding]


async def investigate(state: Investigation, runtime: Runtime[RagContext]) -> Investigated:
    """Search, look at what is missing, search for that. A branch that fails or is cut short keeps what it has."""
    context, research, finding = runtime.context, runtime.context.researching, Finding(branch=state["branch"])
    seconds = min(context.collaborators.limits.branch_seconds, research.spending.search_seconds_left)
    try:
        if research.finishing.is_set():
            research.cut_short = True
            return {"findings": [finding]}
        if not research.spending.may_search():
            return {"findings": [finding]}
        await unless_finished(_rounds(finding, state, context), seconds, research)
    except Exception as error:  # whatever a store or a provider raises: the other branches are worth something
        finding.failed = True
        if isinstance(error, TimeoutError) and not research.spending.search_seconds_left:
            research.spending.stop("seconds")
        log.warning("branch %s ended early: %s", finding.branch.name, type(error).__name__, exc_info=True)
        await _tell_failure(finding, error)
    if research.cut_short or research.spending.stopped_by:  # it might have had its answer yet
        finding.sufficient = finding.sufficient or None
    research.ended += 1
    return {"findings": [finding]}


async def _rounds(finding: Finding, state: Investigation, context: RagContext) -> None:
    research, queries = context.researching, [finding.branch.question]
    while queries and finding.rounds < MOST_ROUNDS and research.spending.may_search():
        finding.rounds += 1
        before, finding.sufficient = finding.sufficient, None  # what was said of less than there is now
        await status(
            "researching",
            _round_told(finding, queries),
            branch=finding.branch.name,
            progress=_progress(state, research),
        )
        await context.lanes.gap()
        known = {document.metadata["source_id"] for document in finding.documents}
        fresh = await _search(finding, queries, state, context)
        if finding.rounds > 1 and not brings_news(state["question"], known, fresh, state["policy"].floor):
            finding.sufficient = before
            return
        queries = research.claimed(await _next_queries(finding, state, context))


async def _search(
    finding: Finding, queries: Sequence[str], state: Investigation, context: RagContext
) -> list[Document]:
    """Search for all queries at once; what is new and counts is shown and returned."""
    if queries == [state["question"]]:  # which was searched for at once
        found = [state["candidates"]]
    else:
        retriever = context.retriever(state, context.judged(state))
        found = await asyncio.gather(*(retriever.ainvoke(query) for query in queries))
    fresh: dict[str, Document] = {}
    for query, documents in zip(queries, found, strict=True):
        for document in finding.fresh(documents):
            if document.metadata["score"] >= state["policy"].floor:
                fresh.setdefault(document.metadata["source_id"], document)
        finding.hops.append(Hop(query=query, documents=documents))
    new = list(fresh.values())
    await _show(new, finding, state, context)
    return new


async def _show(fresh: Sequence[Document], finding: Finding, state: Investigation, context: RagContext) -> None:
    if state["policy"].precheck == "full_slow_path":  # whose sources come after its decision
        return
    unseen = [document for document in fresh if document.metadata["source_id"] not in context.book]
    async with context.researching.showing:
        room = context.researching.spending.may_show(len(unseen))
        await show_sources(unseen[:room], context.book.waves + 1, finding.branch.name)
    if room:
        await thought(f"Part {finding.branch.name}: {_told(unseen[:room], context)}", branch=finding.branch.name)


def _told(shown: Sequence[Document], context: RagContext) -> str:
    found = "1 new passage" if len(shown) == 1 else f"{len(shown)} new passages"
    titles = list(dict.fromkeys(f"“{document.metadata['source']}”" for document in shown))[:_TITLES]
    return f"{found} in {', '.join(titles)}" if context.include_sources else found


async def _next_queries(finding: Finding, state: Investigation, context: RagContext) -> list[str]:
    """What to search for next; nothing if the branch has its answer."""
    collaborators, spending = context.collaborators, context.researching.spending
    if collaborators.follow_up is not None and not finding.failed and spending.may_ask(_cost(finding, context)):
        try:
            async with asyncio.timeout(collaborators.limits.follow_up_seconds):
                return await _asked_for(finding, context)
        except Exception as error:  # whatever a provider raises: the rules go on
            log.warning("no follow-up came for branch %s: %s", finding.branch.name, type(error).__name__)
            finding.failed = True
            await _tell_failure(finding, error)
    return await asyncio.to_thread(_by_rules, finding, state, context)


def _cost(finding: Finding, context: RagContext) -> int:
    """The tokens of the prompt that asks what is missing, about."""
    evidence = sum(len(document.page_content) for document in finding.documents) // _CHARACTERS_A_TOKEN
    return _INSTRUCTIONS + min(evidence, context.collaborators.limits.context_tokens)


async def _asked_for(finding: Finding, context: RagContext) -> list[str]:
    """The model's follow-up queries."""
    follow_up = context.collaborators.follow_up
    assert follow_up is not None
    given: FollowUpInput = {
        "question": finding.branch.question,
        "passages": finding.documents,
        "asked": [hop.query for hop in finding.hops],
    }
    tagged: RunnableConfig = {
        "tags": [THINKING_TAG],
        "metadata": {"branch": finding.branch.name, "step": finding.rounds},
    }
    queries = await follow_up.ainvoke(given, tagged)
    finding.sufficient = not queries
    return queries[:_QUERIES]


def _by_rules(finding: Finding, state: Investigation, context: RagContext) -> list[str]:
    idf = context.collaborators.library.idf(state["collection"])
    branch, found = finding.branch.question, finding.documents
    if finding.rounds == 1 and sufficient_without_model(branch, found, idf):
        return []
    most = queries_allowed(finding.rounds, len(state["branches"]))
    return next_queries(branch, finding.hops, frozenset(context.researching.asked), idf, most)


def _round_told(finding: Finding, queries: Sequence[str]) -> str:
    """What a branch is doing, without a word that a model wrote."""
    part = f"part {finding.branch.number}"
    if finding.rounds == 1:
        return f"Searching for {part}"
    return f"Looking further for {part}: {len(queries)} follow-up {'search' if len(queries) == 1 else 'searches'}"


def _progress(state: Investigation, research: Research) -> float:
    return round(0.1 + 0.6 * research.ended / max(1, len(state["branches"])), 2)


async def _tell_failure(finding: Finding, error: Exception) -> None:
    late = isinstance(error, TimeoutError)
    message = f"Part {finding.branch.number} {'took too long' if late else 'failed'}; what it had found is kept."
    code = "branch_timeout" if late else "branch_failed"
    await report(Error(code=code, message=message, fatal=False, retryable=True, stage="researching"))
