"""Follow-ups: how much of what a question finds when it stands alone it finds in its conversation.

Each is asked three ways: made self-contained, bare, and bare in a conversation in which the turns before were said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args
from uuid import uuid4

import numpy as np
from pydantic import Field
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from callbacks.events import CitationAttached, FinalAnswer, Source, timestamp_now
from chains.followup import Exchange
from evaluation.corpus import Track, index, unwatched
from evaluation.probabilities import Floats
from evaluation.resampling import Bootstrap, Figure
from evaluation.sets import Entry, Line, QuestionSet, SetError, digest, lines
from graph.conversation import Turn, turn_of
from graph.hub import Hub
from graph.policy import DEFAULT_DOMAIN
from graph.query import Query
from graph.work import going_on
from retrieval.library import Library
from retrieval.passages import Passage

PLANTED = Path(__file__).with_name("planted") / "followups.jsonl"
"""The set that comes with the package."""
Half = Literal["dev", "heldout"]
HALVES: tuple[Half, ...] = get_args(Half)
Kind = Literal["pronoun", "ellipsis", "definite", "why", "chain", "back", "shift"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a follow-up leaves out: `chain` goes on from a follow-up, `back` refers to the turn before the last, and a
`shift` leaves nothing out, so that its conversation must not get in its way."""
SHIFT: Kind = "shift"
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Place(Line):
    """The passage of a document that holds the words `says`, or the code point `at`; without either, any passage."""

    document: Words
    says: Words | None = None
    at: Annotated[int, Field(ge=0)] | None = None


class Said(Line):
    """A turn of the conversation before."""

    question: Words
    answer: Words
    cited: Annotated[tuple[Place, ...], Field(min_length=1)]
    """In the order of the markers in the answer."""


class FollowUp(Line):
    """A question as it is asked in its conversation, and where its answer stands."""

    id: str
    half: Half
    corpus: str
    """The documents it is about: `docs`, or a corpus that is not part of the package."""
    kind: Kind
    turns: Annotated[tuple[Said, ...], Field(min_length=1)]
    question: Words
    standalone: Words
    relevant: Annotated[tuple[Place, ...], Field(min_length=1)]
    """Every place that answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpSet:
    """Follow-ups that are measured together."""

    name: str = "follow-ups"
    path: Path
    digest: str
    """Of the file: the first 12 digits of its SHA-256."""
    follow_ups: tuple[FollowUp, ...]

    def corpora(self) -> dict[str, Path]:
        """The corpora that lie beside the file, by name: X.corpus.jsonl or X.corpus.jsonl.gz for X."""
        names = sorted({one.corpus for one in self.follow_ups})
        beside = [(name, self.path.with_name(f"{name}.corpus.jsonl{end}")) for name in names for end in (".gz", "")]
        return {name: path for name, path in reversed(beside) if path.is_file()}


def read_followups(path: Path = PLANTED) -> FollowUpSet:
    """Read a file of follow-ups. Raises `SetError`, and `OSError` for a file that is not there."""
    found: dict[str, FollowUp] = {}
    for number, one in lines(path, FollowUp):
        if one.id in found:
            raise SetError(f"{path}:{number}: the id {one.id!r} was there before")
        found[one.id] = one
    if not found:
        raise SetError(f"{path}: there are no follow-ups in it")
    return FollowUpSet(path=path, digest=digest(path), follow_ups=tuple(found.values()))


def index_corpus(library: Library, collection: str, path: Path, track: Track = unwatched) -> None:
    """Add the documents of a corpus file to a collection. Raises `SetError` and `OSError`."""
    corpus = {entry.id: entry for _, entry in lines(path, Entry)}
    index(library, collection, QuestionSet(name="", path=path, digest="", questions=(), corpus=corpus), track)


class Recall(NamedTuple):
    """The shares (0..1) of the relevant places that are shown."""

    final: float
    """Among the sources of the final answer, of which there are `top_k` at most."""
    first: float
    """Among those of the first wave."""
    ended: bool = True
    """Whether there was a final answer at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """What a follow-up found, asked in three ways."""

    follow_up: FollowUp
    alone: Recall
    bare: Recall
    conversing: Recall
    understood: str
    """What it was taken for in its conversation."""

    @property
    def failed(self) -> bool:
        """Whether a run of it had no final answer: its figures say nothing then."""
        return not (self.alone.ended and self.bare.ended and self.conversing.ended)

    @property
    def missed(self) -> bool:
        """Whether it found less in its conversation than when it stands alone."""
        return self.conversing.final < self.alone.final


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversing:
    """How follow-ups are asked."""

    library: Library
    make_hub: Callable[[], Hub]
    """Called inside the event loop the hub is for."""
    collections: Mapping[str, str]
    """The collection of each corpus."""
    track: Track = unwatched

    def follow(self, follow_ups: Sequence[FollowUp]) -> list[Followed]:
        """Ask each in three ways, if its corpus is there. Raises `SetError` for a place that is not, and `Refusal`."""
        return asyncio.run(self._follow([one for one in follow_ups if one.corpus in self.collections]))

    async def _follow(self, follow_ups: Sequence[FollowUp]) -> list[Followed]:
        hub = self.make_hub()
        try:
            return [await self._ask(hub, one) for one in self.track(follow_ups, "Conversing")]
        finally:
            await hub.drain(0)

    async def _ask(self, hub: Hub, one: FollowUp) -> Followed:
        collection = self.collections[one.corpus]
        wanted = [{p.source_id for p in self.passages(collection, place)} for place in one.relevant]
        thread_id = (await hub.threads.create()).thread_id
        for said in one.turns:
            await hub.threads.converse(thread_id, str(uuid4()), self._saying(said, collection))
        turn = Query(query=one.question, collection=collection, thread_id=thread_id)
        alone = await _recall(hub, Query(query=one.standalone, collection=collection), wanted)
        bare = await _recall(hub, Query(query=one.question, collection=collection), wanted)
        conversing = await _recall(hub, turn, wanted)
        kept = (await hub.threads.turns(thread_id))[len(one.turns) :]
        understood = kept[0]["standalone"] if kept else one.question
        return Followed(follow_up=one, alone=alone, bare=bare, conversing=conversing, understood=understood)

    def _saying(self, said: Said, collection: str) -> Callable[[Sequence[Exchange]], Awaitable[Turn]]:
        """What a run would have left behind that said so."""
        final = answer_of(said, [(self.passages(collection, place)[0], place) for place in said.cited])

        async def answer(history: Sequence[Exchange]) -> Turn:
            return turn_of(
                final,
                request_id=str(uuid4()),
                created=timestamp_now(),
                mode="fast",
                collection=collection,
                question=said.question,
                standalone=going_on({"question": said.question}, history)["question"],
                mask=None,
            )

        return answer

    def passages(self, collection: str, place: Place) -> list[Passage]:
        """The passages that hold a place. Raises `SetError` if there are none."""
        document = self.library.stored.document(collection, place.document)
        found: list[Passage] = []
        if document is not None:
            snapshot = self.library.snapshot(collection)
            keys = snapshot.keys[snapshot.owners == document.key].tolist()
            found = [one for one in self.library.stored.passages(keys).values() if _holds(one, place)]
        if not found:
            raise SetError(f"the collection {collection!r} does not hold {place.says or place.document!r}")
        return found


def _holds(passage: Passage, place: Place) -> bool:
    here = place.at is None or passage.start <= place.at < passage.end
    return here and (place.says is None or place.says in passage.text)


async def _recall(hub: Hub, query: Query, wanted: Sequence[set[str]]) -> Recall:
    """Ask, and see which of the wanted passages are shown; of a run that fails, none are in the end."""
    first: set[str] = set()
    final: set[str] | None = None
    async for event in hub.ask(query):
        match event.payload:
            case Source(source_id=source_id, wave=1):
                first.add(source_id)
            case FinalAnswer(sources=sources):
                final = {source.source_id for source in sources}
    return Recall(final=share(wanted, final or set()), first=share(wanted, first), ended=final is not None)


def share(wanted: Sequence[set[str]], shown: set[str]) -> float:
    """How many of the places were shown, each by one of its passages."""
    return sum(bool(place & shown) for place in wanted) / len(wanted)


def answer_of(said: Said, cited: Sequence[tuple[Passage, Place]]) -> FinalAnswer:
    """The end of a run that said this, as far as a conversation remembers it."""
    return FinalAnswer(
        complete=True,
        answer=said.answer,
        revision=0,
        groundedness_score=1.0,
        safety_pass=True,
        citations=[_citation(said.answer, number, *at) for number, at in enumerate(cited, 1)],
        sources=[_source(number, passage) for number, (passage, _) in enumerate(cited, 1)],
        outcome="answered",
        safe_fallback=False,
        citation_coverage=1.0,
        uncited_sources=[],
        unknown_citations=0,
        domain=DEFAULT_DOMAIN,
        thread_id=None,
        truncated=False,
    )


def _citation(answer: str, number: int, passage: Passage, place: Place) -> CitationAttached:
    at = 0 if place.at is None else place.at - passage.start
    at = at if place.says is None else passage.text.index(place.says)
    start, end = next(span for span in reversed(passage.sentences) if span[0] <= at or span == passage.sentences[0])
    marker = f"[{number}]"
    return CitationAttached(
        index=number,
        source_id=passage.source_id,
        source=passage.title,
        section=passage.section,
        page=passage.page,
        confidence=1.0,
        quote=passage.text[start:end],
        source_start=passage.start + start,
        source_end=passage.start + end,
        revision=0,
        start=answer.index(marker),
        end=answer.index(marker) + len(marker),
        sentence=0,
    )


def _source(number: int, passage: Passage) -> Source:
    return Source(
        index=number,
        source_id=passage.source_id,
        document_id=passage.document_id,
        source=passage.title,
        section=passage.section,
        page=passage.page,
        start=passage.start,
        end=passage.end,
        score=1.0,
        snippet=passage.text[:320],
        wave=1,
    )


# --- figures


def groups(found: Sequence[Followed]) -> Iterator[tuple[str, list[Followed]]]:
    """What is told apart, by name."""
    yield "all", list(found)
    yield "all but shifts", [one for one in found if one.follow_up.kind != SHIFT]
    for kind in KINDS:
        yield kind, [one for one in found if one.follow_up.kind == kind]
    for corpus in dict.fromkeys(one.follow_up.corpus for one in found):
        yield f"about {corpus}", [one for one in found if one.follow_up.corpus == corpus]
    yield "bare finds less than alone", [one for one in found if one.bare.final < one.alone.final]


def ratio(bootstrap: Bootstrap, parts: Sequence[float], wholes: Sequence[float]) -> Figure:
    """The ratio of two means over the same questions."""

    def statistic(weights: Floats) -> Floats:
        over, under = weights @ np.asarray(parts), weights @ np.asarray(wholes)
        shares: Floats = np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)
        return shares

    return bootstrap.figure(statistic, (len(parts),))


def tables(given: FollowUpSet, found: Sequence[Followed], seed: int = 0) -> Group:
    """The halves apart, with those that found less in their conversation than alone.

    Of the half that is held out only ids are told: whoever improves on single ones has nothing left to measure with.
    """
    left_out = len(given.follow_ups) - len(found)
    about = f"{len(found)} follow-ups" + (f", {left_out} left out without their corpus" if left_out else "")
    if failed := sum(one.failed for one in found):
        about += f", {failed} with a run that failed"
    head = Text(f"{about}; {given.path.name}, sha256 {given.digest}", style="dim")
    return Group(head, *(part for half in HALVES for part in _half(half, found, Bootstrap(seed))))


def _half(half: Half, found: Sequence[Followed], bootstrap: Bootstrap) -> Iterator[RenderableType]:
    among = [one for one in found if one.follow_up.half == half]
    yield Text(f"\nfollow-ups, {half}", style="bold")
    for measure, title in (("final", "recall, final answer"), ("first", "recall, first wave")):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))  # 80 columns
        table.add_column(title, min_width=26)
        for column in ("alone", "bare", "conversing", "n"):
            table.add_column(column, justify="right")
        table.add_column("conversing over alone", no_wrap=True)
        for name, group in groups(among):
            if group:
                table.add_row(name, *_row(group, measure, bootstrap))
        yield table
    missed = [one for one in among if one.missed]
    if half == "heldout":
        yield Text(f"less than alone: {', '.join(one.follow_up.id for one in missed) or 'none'}", style="dim")
    else:
        yield from (Text(_miss(one), style="dim") for one in missed)


def _row(group: Sequence[Followed], measure: str, bootstrap: Bootstrap) -> Iterator[str]:
    alone, bare, conversing = (
        [getattr(getattr(one, way), measure) for one in group] for way in ("alone", "bare", "conversing")
    )
    for recalls in (alone, bare, conversing):
        yield bootstrap.mean(recalls).shown
    yield str(len(group))
    yield str(ratio(bootstrap, conversing, alone))


def _miss(one: Followed) -> str:
    asked = one.follow_up
    found = f"alone {one.alone.final:.2f}, bare {one.bare.final:.2f}, conversing {one.conversing.final:.2f}"
    return f"{asked.id}, {asked.kind}: {found}; “{asked.question}” was taken for “{one.understood}”"
