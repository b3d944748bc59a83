"""A section in a few bullets: extracted, or written by a model and kept as far as the document carries them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage

from callbacks.answer import AnswerStream
from callbacks.events import PartialAnswer
from callbacks.placeholders import holds_placeholder
from callbacks.sources import SourceBook
from chains.extraction import Vectors, extract, whole
from chains.prompts import fitting
from chains.summarize import MOST_READ, Summarize, bulleted, lead_in, section_messages, writing
from graph.context import RagContext
from graph.digest import Digest
from graph.evidence import Piece, pieces_of
from graph.failures import failure_of
from graph.lines import Line, cited, item_mark, lines_of, resting, without_markers
from graph.permission import Permission
from language.boundary import key_of
from language.instructions import speaks_to_a_model
from language.invisible import seen_span
from language.prose import stands_alone
from retrieval.documents import DocumentStore
from retrieval.outline import Section, heading_over
from retrieval.passages import Passage
from retrieval.retriever import document_of

_BULLETS = ((14, 3), (4, 2), (0, 1))
"""From so many sentences on, a section gets so many bullets."""
_TRIES = 3
_REFRAIN = 3
"""Sections that have to say a thing before it is a refrain."""
_MOST_WRITTEN = 6
"""Bullets of a model that are told of one section."""
_LONGEST_PLACE = 60
"""Characters of the heading that a line begins with."""
_MOST_JUDGED = 60
"""Bullets of a model that are looked at."""
_WHOLE = (".", "!", "?", "…", "]", '"', "”", ")")
"""How a text ends that a model has ended itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A section as it is read: its passages, and their sentences with a vector each, as far as they may be told."""

    title: str | None
    passages: list[Document]
    pieces: list[Piece]
    vectors: Vectors | None
    mixed: bool
    """Whether it is of several headings, so that a line has to say which one it is of."""

    @property
    def prose(self) -> int:
        """How many sentences could stand in a summary."""
        return sum(stands_alone(piece.text) for piece in self.pieces)


def trimmed(pieces: Sequence[Piece]) -> list[Document]:
    """The passages of some sentences, in their order, with these as their only ones."""
    spans: dict[str, list[tuple[int, int]]] = {}
    documents: dict[str, Document] = {}
    for piece in pieces:
        source_id = piece.place[0]
        documents[source_id] = piece.document
        spans.setdefault(source_id, []).append(piece.document.metadata["sentences"][piece.number - 1])
    return [
        Document(
            id=document.id,
            page_content=document.page_content,
            metadata={**document.metadata, "sentences": tuple(sorted(set(spans[source_id])))},
        )
        for source_id, document in documents.items()
    ]


def heed(passages: Iterable[Passage]) -> None:
    """Judge sentences one by one, which is most of the work, so that what follows knows them already."""
    for passage in passages:
        for start, end in passage.sentences:
            stands_alone(passage.text[start:end])
            speaks_to_a_model(passage.text[start:end])


def read(section: Section, stored: DocumentStore, permission: Permission) -> Reading:
    """A section with the vectors of its sentences, as far as they are still stored."""
    passages = [document_of(passage, 1.0, 1.0) for passage in section.passages]
    every = pieces_of(passages)
    pieces = [piece for piece in every if not permission.ruled_out(piece.text)]
    if len(pieces) < len(every):
        passages = trimmed(pieces)
    mixed = len({passage.section for passage in section.passages}) > 1
    if section.title is not None and permission.classifies and permission.refuses(section.title):
        return Reading(None, [], [], None, mixed)
    found = stored.scorable([passage.key for passage in section.passages])
    ends = np.cumsum(found.counts).tolist()
    starts = dict(zip(found.keys, [0, *ends], strict=False))
    counts = dict(zip(found.keys, found.counts.tolist(), strict=True))
    if any(counts.get(passage.key) != max(1, len(passage.sentences)) for passage in section.passages):
        return Reading(section.title, passages, pieces, None, mixed)
    first = {passage.source_id: starts[passage.key] for passage in section.passages}
    rows = [first[piece.place[0]] + piece.number - 1 for piece in pieces]
    return Reading(section.title, passages, pieces, found.sentences[rows].astype(np.float32), mixed)


def refrains_of(sections: Sequence[Section]) -> frozenset[str]:
    """What a document says over and over, section by section: it tells nothing of any one of them."""
    said: Counter[str] = Counter()
    for section in sections:
        said.update({_plain(p.text[start:end]) for p in section.passages for start, end in p.sentences})
    return frozenset(text for text, count in said.items() if count >= _REFRAIN)


def extracted(reading: Reading, context: RagContext, refrains: Set[str] = frozenset()) -> Digest:
    """The sentences that stand for the others, word for word; of `refrains` only where there is nothing else."""
    most = next(bullets for least, bullets in _BULLETS if reading.prose >= least)
    chosen = _chosen(reading, most, Permission(context.collaborators), refrains)
    quoted = quotes([reading.pieces[at] for at in chosen], context)
    lines = [replace(shifted(line, "- "), gap="\n") for line in quoted]
    return _digest(lines, reading, written=False)


def _chosen(reading: Reading, most: int, permission: Permission, refrains: Set[str]) -> list[int]:
    """The sentences that stand for the others and may be told; only those that would be chosen are classified."""
    every = range(len(reading.pieces))
    own = [at for at in every if _plain(reading.pieces[at].text) not in refrains]
    left = own if any(stands_alone(reading.pieces[at].text) for at in own) else list(every)
    for _ in range(_TRIES):
        texts = [reading.pieces[at].text for at in left]
        vectors = None if reading.vectors is None else reading.vectors[left]
        chosen = [left[at] for at in extract(texts, vectors, most, reading.title or "")]
        refused = {at for at in chosen if permission.refuses(reading.pieces[at].text)}
        chosen = [at for at in chosen if at not in refused]
        if not refused:
            break
        left = [at for at in left if at not in refused]
    return chosen


def _plain(sentence: str) -> str:
    return " ".join(sentence.lower().split())


def quotes(pieces: Sequence[Piece], context: RagContext) -> list[Line]:
    """Sentences of the document as lines, each cited as itself."""
    book = SourceBook(context.collaborators.guarding.mask)
    book.announce([piece.document for piece in pieces], wave=1)
    lines = []
    for piece in pieces:
        text = whole(piece.text)
        unjudged = PartialAnswer(
            sentence=0, text=text, revision=0, start=0, end=len(text), support="uncited", score=0.0, method="lexical"
        )
        line = Line(text, " ", unjudged, (), None)
        lines.append(cited(resting(line, text, piece, context.stream.judge), book))
    return lines


def shifted(line: Line, mark: str, cut: int = 0) -> Line:
    """A line with another mark in place of its first `cut` characters."""
    shift = len(mark) - cut
    moved = tuple(c.model_copy(update={"start": c.start + shift, "end": c.end + shift}) for c in line.citations)
    return replace(line, text=mark + line.text[cut:], citations=moved)


class Draft(NamedTuple):
    """What a model wrote of some rows; `key` is that of the marks in its prompt."""

    text: str
    rows: list[Document]
    key: str | None


async def written(reading: Reading, context: RagContext) -> Draft:
    """What the model writes of a section, as much of it as fits into a prompt. Raises `ModelFailure`."""
    chain = context.collaborators.summarize
    limits = context.collaborators.limits
    assert chain is not None
    rows = await asyncio.to_thread(_fitting, reading, limits.context_tokens)
    messages = section_messages(rows)
    for attempt in range(1, limits.attempts + 1):
        try:
            async with asyncio.timeout(limits.section_seconds):
                return Draft(await _heard(chain, messages), rows, marks_in(messages))
        except Exception as error:
            failure = failure_of(error)
            if attempt == limits.attempts or failure.code == "model_timeout" or not failure.retryable:
                raise failure from error
            await asyncio.sleep(failure.wait_before(attempt))
    raise AssertionError("at least one attempt is made")


async def _heard(chain: Summarize, messages: list[BaseMessage]) -> str:
    """What a model writes, until it is more than a section can need: then the call is stopped."""
    text = ""
    async with writing(chain, messages) as pieces:
        async for piece in pieces:
            text += piece
            if len(text) > MOST_READ:
                return text[: text.rfind("\n", 0, MOST_READ) + 1] or text[:MOST_READ]
    return text


def kept(draft: Draft, reading: Reading, context: RagContext) -> Digest:
    """What the document carries of a model's bullets; the extraction where it carries none."""
    stream = judged(bulleted(draft.text), draft.rows, context, draft.key)
    context.stream.unknown_citations += stream.unknown_citations
    permission = Permission(context.collaborators)
    lines, dropped = standing(map(unled, lines_of(stream)), permission)
    if not lines:
        return replace(extracted(reading, context), dropped=dropped)
    return _digest(lines, reading, written=True, dropped=dropped, concerns=tuple(stream.removed))


def judged(text: str, rows: Sequence[Document], context: RagContext, key: str | None = None) -> AnswerStream:
    """A text that nobody hears yet, guarded, with its citations and the verdicts on its sentences."""
    stream = unheard(rows, context, key)
    for _ in (*stream.feed(text), *stream.finish(cut=cut_short(text))):
        pass
    return stream


def cut_short(text: str) -> bool:
    """Whether a text breaks off before its end."""
    return not text.rstrip().endswith(_WHOLE)


def unheard(rows: Sequence[Document], context: RagContext, key: str | None = None) -> AnswerStream:
    """A stream of its own over some rows, with a book of its own."""
    book = SourceBook(context.collaborators.guarding.mask)
    book.announce(rows, wave=1)
    stream = AnswerStream(book, context.stream.judge, guarding=context.stream.guarding)
    stream.begin([row.metadata["source_id"] for row in rows], key)
    return stream


def holds(line: Line) -> bool:
    """Whether the document carries a sentence: what it cites says it, or all of it but a few plain words."""
    verdict = line.verdict
    plainly = verdict.support == "partial" and "+" not in verdict.method
    said = bool(line.citations) and not holds_placeholder(line.text)
    return said and (verdict.support == "supported" or plainly)


def unled(line: Line) -> Line:
    """A line without the words by which a model announces what it writes."""
    mark = item_mark(line.text)
    led = lead_in(line.text[len(mark) :])
    return shifted(line, mark, len(mark) + led) if led else line


def standing(lines: Iterable[Line], permission: Permission) -> tuple[list[Line], int]:
    """The bullets all of whose sentences hold and may be told, as lines; how many others there were."""
    bullets: list[list[Line]] = []
    for line in lines:
        if not line.claims:
            continue
        if bullets and not item_mark(line.text) and "\n" not in line.gap:
            bullets[-1].append(line)
        else:
            bullets.append([line])
    bullets = bullets[:_MOST_JUDGED]
    kept = [bullet for bullet in bullets if all(map(holds, bullet)) and not permission.refuses(_said(bullet))]
    return [line for bullet in kept[:_MOST_WRITTEN] for line in _as_item(bullet)], len(bullets) - len(kept)


def _said(bullet: Sequence[Line]) -> str:
    return " ".join(without_markers(line.text) for line in bullet)


def _as_item(bullet: Sequence[Line]) -> Iterable[Line]:
    """A bullet that begins like one, on a line of its own."""
    first, *rest = bullet
    yield replace(shifted(first, "- ", len(item_mark(first.text))), gap="\n")
    yield from (replace(line, gap=" ") for line in rest)


def marks_in(messages: Sequence[BaseMessage]) -> str | None:
    """The key of the marks in a prompt."""
    return next((key for message in messages if (key := key_of(message.text))), None)


def _digest(
    lines: list[Line], reading: Reading, *, written: bool, dropped: int = 0, concerns: tuple[str, ...] = ()
) -> Digest:
    """The lines with the sentences they rest on."""
    if reading.mixed:
        lines = [_placed(line, reading) for line in lines]
    quoted = {(c.source_id, c.source_start) for line in lines for c in line.citations}
    at = [at for at, piece in enumerate(reading.pieces) if _beginning(piece) in quoted]
    return Digest(
        lines=lines,
        pieces=[reading.pieces[one] for one in at],
        vectors=None if reading.vectors is None else reading.vectors[at],
        written=written,
        withheld=not reading.passages,
        dropped=dropped,
        concerns=concerns,
    )


def _placed(line: Line, reading: Reading) -> Line:
    """The first line of a bullet with the heading that all it cites stands under."""
    cited = {citation.source_id for citation in line.citations}
    over = {
        heading_over(piece.document.metadata["section"], piece.title)
        for piece in reading.pieces
        if piece.place[0] in cited
    }
    heading = over.pop() if len(over) == 1 else None
    if heading is None or ((reading.title or "").startswith(heading) and " – " not in (reading.title or "")):
        return line
    if len(heading) > _LONGEST_PLACE:
        heading = f"{heading[:_LONGEST_PLACE].rsplit(maxsplit=1)[0]}…"
    return shifted(line, f"- {heading.rstrip(' .:')}: ", 2) if line.text.startswith("- ") else line


def _beginning(piece: Piece) -> tuple[str, int]:
    """The source of a sentence, and where it begins in the document, as citations have it."""
    known = piece.document.metadata
    start, _ = seen_span(piece.document.page_content, *known["sentences"][piece.number - 1])
    return known["source_id"], known["start"] + start


def _fitting(reading: Reading, budget: int) -> list[Document]:
    """The passages that fit, in reading order; where they do not all fit, those with the most central sentences."""
    if len(found := fitting(reading.passages, budget)) == len(reading.passages):
        return found
    chosen = extract([piece.text for piece in reading.pieces], reading.vectors, len(reading.passages))
    own = {passage.metadata["source_id"]: passage for passage in reading.passages}
    first = [own[source_id] for source_id in dict.fromkeys(reading.pieces[at].place[0] for at in chosen)]
    fitted = {passage.metadata["source_id"] for passage in fitting(first or reading.passages, budget)}
    return [passage for source_id, passage in own.items() if source_id in fitted]
