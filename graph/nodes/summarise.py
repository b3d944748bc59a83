"""`summarise`: the sections side by side, each told in the order of the document as soon as those before it are."""

import asyncio
import logging
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TypedDict

from langgraph.runtime import Runtime

from callbacks.events import SummarySection
from graph.condensing import Reading, extracted, heed, kept, read, refrains_of, written
from graph.context import RagContext
from graph.digest import Digest, SummaryState
from graph.failures import ModelFailure
from graph.lanes import Bulk, sliced
from graph.lines import assembled, without_markers
from graph.permission import Permission
from graph.report import report, show_sources, status
from graph.screening import UNSAFE_ANSWER, answer_concerns
from graph.speaking import renumbered
from retrieval.outline import Section

log = logging.getLogger(__name__)

_WITHHELD = "(The safety check did not let this section pass.)"
_NOTHING = "(Nothing of this section can be told.)"


class Summarised(TypedDict):
    """Written by `summarise`."""

    digests: list[Digest]
    concerns: list[str]
    model_lost: bool


async def summarise(state: SummaryState, runtime: Runtime[RagContext]) -> Summarised:
    """Summarise every section, a few at once. One that fails costs no other one anything: it is extracted."""
    context, sections = runtime.context, state["outline"]
    async with context.lanes.bulky() as bulk:
        refrains = await bulk.slice(refrains_of, sections)
    desk = _Sections(sections, refrains, context)
    tasks = [asyncio.create_task(desk.digest(number)) for number in range(1, len(sections) + 1)]
    digests: list[Digest] = []
    try:
        told: set[str] = set()
        for number, task in enumerate(tasks, start=1):
            digest = _fresh(await task, told)
            await _tell(digest, number, state, context)
            digests.append(digest)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    concerns = [concern for digest in digests for concern in digest.concerns]
    return {"digests": digests, "concerns": concerns, "model_lost": desk.hopeless}


class _Sections:
    """The sections of one document, of which a few are under way."""

    def __init__(self, sections: Sequence[Section], refrains: Set[str], context: RagContext) -> None:
        self._sections = sections
        self._refrains = refrains
        self._context = context
        self._room = asyncio.Semaphore(context.collaborators.limits.sections_at_once)
        self._done = 0
        self.hopeless = False
        """Whether every further call to the model would fail."""

    async def digest(self, number: int) -> Digest:
        """One section, checked; 1 is the first."""
        context = self._context
        async with self._room:
            digest = await self._condensed(self._sections[number - 1], number)
            digest = await _checked(digest, context)
        self._done += 1
        total = len(self._sections)
        await status("writing", f"Summarised {self._done} of {total} sections", progress=self._done / (total + 1))
        return digest

    async def _condensed(self, section: Section, number: int) -> Digest:
        context = self._context
        async with context.lanes.bulky() as bulk:
            reading = await self._read(section, bulk)
            if context.collaborators.summarize is None or self.hopeless or not reading.passages:
                return await bulk.slice(extracted, reading, context, self._refrains)
        try:
            draft = await written(reading, context)
        except ModelFailure as failure:
            await self._degraded(failure, number)
            draft = None
        async with context.lanes.bulky() as bulk:
            if draft is None:
                return await bulk.slice(extracted, reading, context, self._refrains)
            return await bulk.slice(kept, draft, reading, context)

    async def _read(self, section: Section, bulk: Bulk) -> Reading:
        for some in sliced(section.passages):
            await bulk.slice(heed, some)
        collaborators = self._context.collaborators
        return await bulk.slice(read, section, collaborators.library.stored, Permission(collaborators))

    async def _degraded(self, failure: ModelFailure, number: int) -> None:
        cause = type(failure.__cause__).__name__
        log.warning("section %d of run %s: %s (%s)", number, self._context.request_id, failure.code, cause)
        if self.hopeless:
            return
        place = f"Section {number} of {len(self._sections)} is extracted instead of written"
        if not failure.retryable:
            self.hopeless = True
            place = "The summary is extracted instead of written"
        event = failure.event(fatal=False, stage="writing")
        await report(event.model_copy(update={"message": f"{event.message} {place}."}))


def _fresh(digest: Digest, told: set[str]) -> Digest:
    """The digest without sentences that an earlier section was told in, as long as there are others."""
    words = [" ".join(without_markers(line.text).lower().split()) for line in digest.lines]
    lines = [line for line, said in zip(digest.lines, words, strict=True) if said not in told]
    told.update(words)
    return replace(digest, lines=lines) if lines and not digest.written else digest


async def _checked(digest: Digest, context: RagContext) -> Digest:
    """The digest as the model that is asked for it lets it pass."""
    text = assembled(digest.lines, 0).text
    concerns = await answer_concerns("Summarise this document.", text, context)
    digest = replace(digest, concerns=(*digest.concerns, *concerns))
    return replace(digest, lines=[], pieces=[], vectors=None) if UNSAFE_ANSWER in concerns else digest


async def _tell(digest: Digest, number: int, state: SummaryState, context: RagContext) -> None:
    """Announce what a section cites, then tell the section."""
    cited = {citation.source_id: None for line in digest.lines for citation in line.citations}
    documents = {piece.document.metadata["source_id"]: piece.document for piece in digest.pieces}
    await show_sources([documents[source_id] for source_id in cited], wave=1)
    lines = [renumbered(line, context.book) for line in digest.lines]
    told = assembled(lines, 0)
    await report(
        SummarySection(
            document_id=state["document"].id,
            section=None if digest.withheld else state["outline"][number - 1].title,
            index=number,
            total=len(state["outline"]),
            text=_WITHHELD if UNSAFE_ANSWER in digest.concerns else told.text or _NOTHING,
            citations=told.citations,
            method="written" if digest.written else "extracted",
            dropped=digest.dropped or None,
        )
    )
