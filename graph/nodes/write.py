"""`write`: the report, streamed, from the ledger alone; then what the reader has to know of how it came about."""

import asyncio
import logging
from collections.abc import Iterable

from langgraph.runtime import Runtime

from callbacks.events import Payload
from chains.report import Part, headings_of, report_messages
from graph.context import RagContext
from graph.disputes import disputed, told
from graph.failures import ModelFailure
from graph.mending import bench_for
from graph.remarks import remarks
from graph.report import report, status
from graph.state import RagState
from graph.writing import Writer, write_draft

log = logging.getLogger(__name__)


async def write(state: RagState, runtime: Runtime[RagContext]) -> None:
    """Stream the report. Raises `ModelFailure` if nothing could be written.

    A writer that fails before its first word is replaced by extraction; what it has said, stands.
    """
    context, passages = runtime.context, state["written_from"]
    context.meter.chunks_used = len(passages)
    sources = "1 source" if len(passages) == 1 else f"{len(passages)} sources"
    await status("writing", f"Writing a report from {sources}", progress=0.8)
    collaborators = context.collaborators
    try:
        await _written(state, collaborators.writer or collaborators.answer, context)
    except ModelFailure as failure:
        if not context.stream.text and collaborators.extract is None:
            raise
        await report(failure.event(fatal=False, stage="writing"))
        if not context.stream.text and collaborators.extract is not None:
            await _written(state, collaborators.extract, context)
    if context.stream.text:
        await _tell(await asyncio.to_thread(_disputes, state, context))
        for text in remarks(state["findings"], state["answered"], context.researching):
            await _tell(context.stream.remark(f"*{text}*"))


async def _written(state: RagState, writer: Writer, context: RagContext) -> None:
    """Have the report written, as long as the budget lasts."""
    parts = _parts(state)
    passages, spending = state["written_from"], context.researching.spending
    prompt = report_messages(state["question"], parts, passages)
    headings = headings_of(parts)
    await context.draft.drop()
    context.draft.begin(write_draft(state["question"], passages, prompt, context, writer=writer, headings=headings))
    if not await context.draft.finish_within(spending.seconds_left, spending.out_of_tokens):
        spending.stop("tokens" if spending.out_of_tokens.is_set() else "seconds")
        context.stream.truncated = True
        await _tell(context.stream.finish(cut=True))
    if context.stream.truncated and not context.stream.text:
        raise ModelFailure("model_empty", "The model ended without a report.", retryable=True)


def _parts(state: RagState) -> list[Part]:
    """A section for each branch that has evidence; a single one needs no heading.

    Where no branch has any, the first search has: it is what has opened the gate.
    """
    question, titled = state["question"], len(state["findings"]) > 1
    parts = [
        Part(
            question=finding.branch.question,
            titled=titled,
            searches=[(hop.query, hop.documents) for hop in finding.hops],
        )
        for finding in sorted(state["answered"], key=lambda finding: finding.branch.number)
    ]
    return parts or [Part(question=question, titled=False, searches=[(question, state["candidates"])])]


def _disputes(state: RagState, context: RagContext) -> list[Payload]:
    """The section that tells where the sources disagree; nothing if they do not."""
    stream, passages = context.stream, state["written_from"]
    bench = bench_for(state, passages, {}, context)
    quotes = {(citation.source_id, citation.quote) for citation in stream.citations}
    pairs = disputed(state["oppositions"], passages, quotes, bench)
    if not pairs:
        return []
    text, headings = told(pairs, passages, bench)
    stream.headings = [*stream.headings, *headings]
    return [*stream.feed(f"\n\n{text}"), *stream.finish()]


async def _tell(payloads: Iterable[Payload]) -> None:
    for payload in payloads:
        await report(payload)
