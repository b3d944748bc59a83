"""`merge`: the abstract of the whole document, said a sentence at a time, each after its verdict."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.answer import AnswerStream
from callbacks.events import CitationAttached, Outcome, PartialAnswer, StatusUpdate
from callbacks.grammar import GrammarError
from callbacks.log import LogFull
from chains.extraction import abridge
from chains.prompts import fitting
from chains.summarize import MOST_READ, abstract_messages, writing
from graph.condensing import cut_short, holds, marks_in, quotes, trimmed, unheard, unled
from graph.context import RagContext
from graph.digest import Digest, SummaryState
from graph.failures import ModelFailure, failure_of
from graph.lines import Line, lines_of, without_markers
from graph.permission import Permission
from graph.report import report, status
from graph.screening import UNSAFE_ANSWER, answer_concerns
from graph.speaking import say

log = logging.getLogger(__name__)

_SHORTEST, _LONGEST = 3, 6
"""Sentences of an abstract that is extracted."""


class Merged(TypedDict):
    """Written by `merge`."""

    answer: str
    revision: int
    citations: list[CitationAttached]
    sentences: list[PartialAnswer]
    outcome: Outcome
    passages: list[Document]
    written_from: list[Document]
    top_k: int
    concerns: list[str]


async def merge(state: SummaryState, runtime: Runtime[RagContext]) -> Merged:
    """Say what the document comes to, from the sentences its sections rest on; nothing that they do not carry."""
    context, digests = runtime.context, state["digests"]
    pieces = [piece for digest in digests for piece in digest.pieces]
    context.meter.chunks_used = len({piece.place[0] for piece in pieces})
    done = len(digests) / (len(digests) + 1)
    await status("writing", "Writing the abstract", progress=done)
    speaker = _Speaker(context)
    if pieces and context.collaborators.summarize is not None and not state["model_lost"]:
        await _write(trimmed(pieces), speaker, context)
    if pieces and not speaker.lines:
        async with context.lanes.bulky() as bulk:
            lines = await bulk.slice(_extracted, digests, context)
        for line in lines:
            await speaker.hear(line)
    concerns = await speaker.finish()
    stream = context.stream
    documents = list({piece.place[0]: piece.document for piece in pieces}.values())
    return {
        "answer": stream.text or "Nothing of this document may be summarised.",
        "revision": 0,
        "citations": stream.citations,
        "sentences": stream.sentences,
        "outcome": "answered" if stream.text else "fallback",
        "passages": documents,
        "written_from": documents,
        "top_k": max(1, len(context.book)),
        "concerns": [*state.get("concerns", []), *concerns],
    }


class _Speaker:
    """Says the lines of an abstract that hold: at once, or where a safety check has to read it all, at the end."""

    def __init__(self, context: RagContext) -> None:
        self.lines: list[Line] = []
        self._context = context
        self._permission = Permission(context.collaborators)
        self._waits = context.collaborators.safety is not None

    async def hear(self, line: Line) -> None:
        """Say a line, if it holds."""
        line = unled(line)
        if holds(line) and not await asyncio.to_thread(self._permission.refuses, without_markers(line.text)):
            self.lines.append(line)
            if not self._waits:
                await self._say(line)

    async def finish(self) -> list[str]:
        """Say what waited, if it may be said; what is to be known of the whole."""
        concerns = list(await answer_concerns("Summarise this document.", self.text, self._context))
        if self._waits and UNSAFE_ANSWER not in concerns:
            for line in self.lines:
                await self._say(line)
        return concerns

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(line.text for line in self.lines)

    async def _say(self, line: Line) -> None:
        stream, meter = self._context.stream, self._context.meter
        silent = meter.first_token is None
        for payload in say(line, stream):
            await report(payload)
            if silent and meter.first_token is not None:
                silent = False
                first = meter.first_token
                await report(
                    StatusUpdate(stage="writing", message="Writing the abstract", time_to_first_token_ms=first)
                )


async def _write(rows: Sequence[Document], speaker: _Speaker, context: RagContext) -> None:
    """Have the model write it. Where it fails before a sentence holds, nothing is said; later, what was said stands."""
    limits = context.collaborators.limits
    rows = fitting(rows, limits.context_tokens)
    for attempt in range(1, limits.attempts + 1):
        try:
            return await _stream(rows, speaker, context)
        except ModelFailure as failure:
            log.warning("the abstract of run %s: %s (%r)", context.request_id, failure.code, failure.__cause__)
            context.stream.truncated = bool(speaker.lines)
            last = attempt == limits.attempts or failure.code == "model_timeout"
            if speaker.lines or last or not failure.retryable:
                event = failure.event(fatal=False, stage="writing")
                told = "The abstract is not complete." if speaker.lines else "The abstract is extracted."
                return await report(event.model_copy(update={"message": f"{event.message} {told}"}))
            await asyncio.sleep(failure.wait_before(attempt))


async def _stream(rows: Sequence[Document], speaker: _Speaker, context: RagContext) -> None:
    limits, chain = context.collaborators.limits, context.collaborators.summarize
    assert chain is not None
    messages = abstract_messages(rows)
    draft = unheard(rows, context, marks_in(messages))
    loop = asyncio.get_running_loop()
    text, heard = "", 0
    try:
        async with asyncio.timeout(limits.first_token_seconds) as silence, writing(chain, messages) as pieces:
            async for piece in pieces:
                silence.reschedule(loop.time() + limits.stall_seconds)
                text += piece
                if len(text) > MOST_READ:
                    text = ""  # nobody needs more, and what is left of it is half a sentence
                    break
                for _ in draft.feed(piece):
                    pass
                heard = await _hear_from(heard, draft, speaker)
    except (GrammarError, LogFull):  # ours, and no fault of the model
        raise
    except Exception as error:
        for _ in draft.finish(cut=True):
            pass
        await _hear_from(heard, draft, speaker)
        raise failure_of(error) from error
    for _ in draft.finish(cut=cut_short(text)):
        pass
    await _hear_from(heard, draft, speaker)
    context.stream.unknown_citations += draft.unknown_citations


async def _hear_from(heard: int, draft: AnswerStream, speaker: _Speaker) -> int:
    """Have what is complete of a draft heard; how many sentences that were."""
    if len(draft.sentences) > heard:
        for line in lines_of(draft):
            if line.claims and line.origin is not None and line.origin >= heard:
                await speaker.hear(line)
    return len(draft.sentences)


def _extracted(digests: Sequence[Digest], context: RagContext) -> list[Line]:
    """The sentences that stand for the whole, not all from one section, in the order of the document."""
    pieces = [piece for digest in digests for piece in digest.pieces]
    groups = [at for at, digest in enumerate(digests) for _ in digest.pieces]
    vectors = [digest.vectors for digest in digests if digest.vectors is not None and len(digest.pieces)]
    joined = np.concatenate(vectors) if sum(map(len, vectors)) == len(pieces) else None
    most = 1 if len(digests) == 1 else min(_LONGEST, max(_SHORTEST, (len(pieces) + 3) // 4))
    pages = [piece.document.metadata.get("page") for piece in pieces]
    cover = [at for at, page in enumerate(pages) if page == 1] if set(pages) - {None, 1} else []
    chosen = abridge([piece.text for piece in pieces], joined, groups, most, cover=cover)
    return quotes([pieces[at] for at in chosen], context)
