"""`verify`: tier 2, when the draft is complete: another search for what is doubtful, and a slower judge."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.answer import AnswerStream
from callbacks.events import Error, PartialAnswer, Support
from chains.entail import Doubt, Settlement
from graph.context import RagContext
from graph.lines import ACCEPTABLE, without_markers
from graph.report import report, status
from graph.screening import answer_concerns
from graph.state import RagState, join_passages
from language.words import content_terms, terms

log = logging.getLogger(__name__)

_SEARCHED_AGAIN = 6
"""Sentences, at most."""
_FOUND_AGAIN = 5
"""Passages for each of them."""
_PIECES = 4
"""Of evidence for each doubtful sentence."""

Place = tuple[str, int]
"""A source id and a sentence of it, counted from 1."""


class Grounded(TypedDict):
    """What speaks for the sentences of a draft."""

    evidence: list[Document]
    supporting: dict[int, Place]


class Checked(Grounded):
    """Written by `verify`."""

    concerns: list[str]


async def verify(state: RagState, runtime: Runtime[RagContext]) -> Checked:
    """Look again for what no source supports, let the slower judge settle what is in doubt, check what may be shown."""
    context = runtime.context
    checked, concerns = await asyncio.gather(
        _grounded(state, context), answer_concerns(state["question"], context.stream.text, context)
    )
    return {**checked, "concerns": [*state.get("concerns", []), *concerns]}


async def _grounded(state: RagState, context: RagContext) -> Grounded:
    stream = context.stream
    evidence = state.get("evidence", [])
    sentences = [sentence for sentence in stream.sentences if sentence.sentence != stream.half]
    doubtful = [s for s in sentences if s.support != "supported" or s.unknown_citations]
    if not doubtful:
        return {"evidence": evidence, "supporting": {}}
    lost = [s for s in doubtful if s.support not in ACCEPTABLE or s.unknown_citations][:_SEARCHED_AGAIN]
    if lost:
        evidence = join_passages(evidence, await _search_again(state, context, lost))
    doubtful = [sentence for sentence in doubtful if sentence.support != "supported"]
    if context.collaborators.settle is None or not doubtful:
        return {"evidence": evidence, "supporting": {}}
    supporting = await _settle(doubtful, join_passages(state["passages"], evidence), context)
    return {"evidence": evidence, "supporting": supporting}


async def _search_again(state: RagState, context: RagContext, lost: Sequence[PartialAnswer]) -> list[Document]:
    """Passages that may support sentences which no passage so far does; none if the search fails."""
    await status("verifying", f"Searching again for {len(lost)} {'sentence' if len(lost) == 1 else 'sentences'}")
    retriever = context.retriever(state, _FOUND_AGAIN)
    try:
        found = await asyncio.gather(*(retriever.ainvoke(without_markers(sentence.text)) for sentence in lost))
    except Exception:  # whatever a store raises: the draft is judged by what was found before
        log.exception("the search for doubtful sentences failed")
        await _degraded("search_again_failed", "The second search for doubtful sentences failed.")
        return []
    return [document for documents in found for document in documents]


async def _settle(
    doubtful: Sequence[PartialAnswer], evidence: Sequence[Document], context: RagContext
) -> dict[int, Place]:
    """Publish what the slower judge says, sentence by sentence; which place supports those that cite nothing.

    A judge that fails leaves the verdicts as they are.
    """
    collaborators = context.collaborators
    assert collaborators.settle is not None
    chosen = await asyncio.to_thread(lambda: [_nearest(sentence, evidence, context.stream) for sentence in doubtful])
    doubts = [Doubt(without_markers(s.text), list(places.values())) for s, places in zip(doubtful, chosen, strict=True)]
    await status("verifying", f"Checking {len(doubts)} doubtful {'sentence' if len(doubts) == 1 else 'sentences'}")
    try:
        async with asyncio.timeout(context.within(collaborators.limits.verify_seconds)):
            settled = await collaborators.settle.ainvoke(doubts)
    except Exception as error:  # whatever a provider raises: the verdicts of tier 1 stand
        log.warning("the slower check failed: %s", type(error).__name__)
        await _degraded("verification_failed", "The slower check failed; the verdicts of the first one stand.")
        return {}
    supporting: dict[int, Place] = {}
    for sentence, settlement, places in zip(doubtful, settled, chosen, strict=True):
        if settlement is None:
            continue
        if sentence.support == "uncited" and settlement.support == "supported":
            place = list(places)[settlement.best or 0]
            alone = context.stream.judge(without_markers(sentence.text), [places[place]])
            if settlement.best is not None or alone.support in ACCEPTABLE:  # the reader will see it quoted
                supporting[sentence.sentence] = place
        restated = _restated(sentence, settlement)
        context.stream.sentences[sentence.sentence] = restated
        await report(restated)
    return supporting


def _restated(sentence: PartialAnswer, settlement: Settlement) -> PartialAnswer:
    """The verdict of both.

    A sentence that cites nothing stays uncited until a revision cites something, and what a source says otherwise is
    partly supported at best, whatever a model makes of it.
    """
    support: Support = settlement.support
    score = settlement.score
    if sentence.support == "uncited":
        support = "uncited"
    elif sentence.support == "contradicted" and support == "supported":
        support, score = "partial", min(score, 0.5)
    method = f"{sentence.method}+{settlement.method}"
    return sentence.model_copy(update={"support": support, "score": score, "method": method})


def _nearest(sentence: PartialAnswer, evidence: Sequence[Document], stream: AnswerStream) -> dict[Place, str]:
    """Where the evidence may speak for a sentence: what it cites, then what comes closest to it."""
    plain = without_markers(sentence.text)
    pieces: dict[Place, str] = {}
    for document in evidence:
        for number, (start, end) in enumerate(document.metadata["sentences"], start=1):
            pieces[document.metadata["source_id"], number] = document.page_content[start:end]
    cited = {citation.quote for citation in stream.citations if citation.sentence == sentence.sentence}
    wanted = set(content_terms(plain))
    shared = {place: len(wanted & set(terms(piece))) for place, piece in pieces.items()}
    best = sorted(pieces, key=lambda place: (pieces[place] not in cited, -shared[place]))
    return {place: pieces[place] for place in best[:_PIECES]}


async def _degraded(code: str, message: str) -> None:
    await report(Error(code=code, message=message, fatal=False, retryable=True, stage="verifying"))
