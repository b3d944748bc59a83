"""`write`: the report, streamed, from the ledger alone; then what the reader has to know of how it came about."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial

from langchain_core.documents import Document
from langchain_core.messages.utils import count_tokens_approximately
from langgraph.runtime import Runtime

from callbacks.events import Payload
from chains.descriptions import with_name
from chains.report import Part, headings_of, report_messages
from graph.branches import Finding
from graph.context import RagContext
from graph.disputes import disputed, told
from graph.failures import ModelFailure
from graph.lines import lines_of
from graph.mending import bench_for
from graph.paying import finish_draft, tell
from graph.remarks import remarks
from graph.report import report, status
from graph.state import RagState
from graph.writing import Writer, write_draft


async def write(state: RagState, runtime: Runtime[RagContext]) -> None:
    """Stream the report. Raises `ModelFailure` if nothing could be written.

    Where the writer fails, or cannot be paid for, before it has said anything with a source, the report is extracted.
    """
    context, passages = runtime.context, state["written_from"]
    context.meter.chunks_used = len(passages)
    sources = "1 source" if len(passages) == 1 else f"{len(passages)} sources"
    await status("writing", f"Writing a report from {sources}", progress=0.8)
    collaborators, stream = context.collaborators, context.stream
    failed = None
    try:
        await _written(state, collaborators.writer or collaborators.answer, context)
    except ModelFailure as failure:
        failed = failure
        if stream.text or collaborators.extract is not None:
            await report(failure.event(fatal=False, stage="writing"))
    if not stream.citations and collaborators.extract is not None:
        await _extracted(state, collaborators.extract, context)
    if not stream.text:
        raise failed or ModelFailure("model_empty", "The model ended without a report.", retryable=True)
    await tell(await asyncio.to_thread(_disputes, state, context))
    lines = lines_of(stream)
    for text in remarks(lines, state["findings"], state["answered"], context.researching):
        await tell(stream.remark(f"*{text}*"))


async def _written(state: RagState, writer: Writer, context: RagContext) -> None:
    """Have the report written, as far as the budget pays for it."""
    drafting = _drafting(state, writer, context)
    spending = context.researching.spending
    if not spending.may_write(drafting.tokens):
        context.stream.truncated = True
        return
    context.draft.begin(drafting.begun())
    await finish_draft(context)


async def _extracted(state: RagState, extract: Writer, context: RagContext) -> None:
    """Have sentences of the documents put together, which costs nothing, below what a model has begun to say."""
    cut = context.stream.truncated
    if context.stream.text:
        await tell(context.stream.feed("\n\n"))
    await context.draft.drop()
    context.draft.begin(_drafting(state, extract, context).begun())
    await context.draft.finish()
    context.stream.truncated = cut


@dataclass(frozen=True, slots=True)
class _Drafting:
    tokens: int
    """Of the prompt, about."""
    begun: Callable[[], Coroutine[None, None, None]]


def _drafting(state: RagState, writer: Writer, context: RagContext) -> _Drafting:
    parts, passages = _parts(state), state["written_from"]
    prompt = report_messages(state["question"], parts, passages)
    draft = partial(
        write_draft,
        state["question"],
        passages,
        prompt,
        context,
        writer=writer,
        headings=headings_of(parts),
    )
    return _Drafting(count_tokens_approximately(prompt), draft)


def _parts(state: RagState) -> list[Part]:
    """A section for each branch that has evidence; a single one needs no heading.

    Where no branch has any, the first search has: it is what has opened the gate.
    """
    question, titled = state["question"], len(state["findings"]) > 1
    parts = [
        Part(
            question=finding.branch.question,
            titled=titled,
            searches=_searches(finding),
        )
        for finding in sorted(state["answered"], key=lambda finding: finding.branch.number)
    ]
    return parts or [Part(question=question, titled=False, searches=[(question, state["candidates"])])]


def _searches(finding: Finding) -> list[tuple[str, list[Document]]]:
    """What a branch has searched for and found: where it describes somebody, by name, then who that is."""
    searches = [(hop.query, hop.documents) for hop in finding.hops]
    named = with_name(finding.branch.question, searches[0][1]) if searches else None
    by_name = [search for search in searches if named is not None and search[0] == named[0]]
    return [*by_name, (searches[0][0], [named[1]])] if by_name and named is not None else searches


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
