"""A draft mended in three steps: what cannot stand, what another document says otherwise, what was left open."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial
from time import monotonic

from langchain_core.documents import Document

from callbacks.answer import AnswerStream
from callbacks.placeholders import holds_placeholder
from chains.recency import Account
from chains.verify import lexical_judge
from graph.bench import Bench, Mended, Note
from graph.completion import answer_open_parts
from graph.context import RagContext
from graph.disagreements import settle_disagreements
from graph.evidence import Opposition, Piece, Place, pieces_of
from graph.lanes import Lanes
from graph.lines import Line, lines_of
from graph.repairs import settle_problems
from graph.revision import no_worse
from graph.safety import unsafe_links
from graph.state import RagState
from retrieval.embeddings import MiniLM

_REPAIRING = 0.3
"""Of the time of a refinement, for what is done without a model; after that what cannot stand is left out."""

Step = Callable[[list[Line], Bench], Mended]
Better = Callable[[Mended], Awaitable[list[Line]]]
"""What a model makes of the problems, or else what was made of them without it."""


async def mend(
    draft: AnswerStream,
    bench: Bench,
    known: Sequence[Opposition],
    lanes: Lanes,
    better: Better | None = None,
    *,
    complete: bool = False,
) -> Mended:
    """The lines of the answer as they can stand, if any do; optional changes only where they make nothing worse.

    A `complete` draft has told what was looked for, and what disagrees: nothing is added to it.
    """
    lines = lines_of(draft)
    notes: list[Note] = []
    await lanes.gap()
    mended = await asyncio.to_thread(settle_problems, lines, bench)
    if mended.notes:
        notes += mended.notes
        lines = mended.lines if better is None else await better(mended)
    if not stands(lines):
        return Mended(lines, notes)
    steps: list[Step] = [partial(settle_disagreements, known=known, only_known=complete)]
    for step in steps if complete else [*steps, answer_open_parts]:
        await lanes.gap()
        mended = await asyncio.to_thread(step, lines, bench)
        if mended.notes and no_worse(lines, mended.lines):
            notes += mended.notes
            lines = mended.lines
    return Mended(lines, notes)


def stands(lines: Sequence[Line]) -> bool:
    """Whether anything of an answer rests on a source."""
    return any(line.citations or line.rests_on for line in lines)


def bench_for(
    state: RagState, evidence: Sequence[Document], supporting: Mapping[int, Place], context: RagContext
) -> Bench:
    """The bench for the draft of a run, with some evidence, best first."""
    draft = context.stream
    library = context.collaborators.library
    return Bench(
        question=state["question"],
        pieces=pieces_of(evidence),
        judge=draft.judge,
        idf=library.idf(state["collection"]),
        unsafe=_unsafe(unsafe_links(evidence), draft),
        account=partial(_account, lru_cache(library.beginning)),
        plainly=lexical_judge(lambda words: {}),
        alike=partial(_alike, library.encoder),
        floor=state["policy"].floor,
        supporting=supporting,
        half=draft.half,
        late=_clock(context.collaborators.limits.refine_seconds * _REPAIRING),
    )


def _clock(seconds: float) -> Callable[[], bool]:
    """Says when so much time has gone by."""
    end = monotonic() + seconds
    return lambda: monotonic() > end


def _alike(encoder: MiniLM, text: str, others: Sequence[str]) -> list[float]:
    encoded = encoder.encode([(one, []) for one in (text, *others)])
    return [float(encoded[0].passage @ one.passage) for one in encoded[1:]]


def _unsafe(links: Callable[[str], bool], draft: AnswerStream) -> Callable[[str], bool]:
    """Whether a sentence holds a link of no source, or had something in it that the guard took out."""
    return lambda text: links(text) or (bool(draft.removed) and holds_placeholder(text))


def _account(beginning: Callable[[str], str], piece: Piece) -> Account:
    """What a source says of its age: its title, what was stored with it, and what stands around."""
    known = piece.document.metadata
    return Account(
        title=" ".join(part for part in (known["source"], known["section"]) if part),
        sentence=piece.text,
        text=f"{beginning(known['source_id'])}\n{piece.document.page_content}",
        metadata=known["metadata"] or {},
    )
