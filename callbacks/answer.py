"""Revision 0 of an answer, as it streams: visible text, citations with exact quotes, a verdict per sentence."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from callbacks.citations import CitationParser, Cited, Reference
from callbacks.events import CitationAttached, PartialAnswer, Payload, Support, Token
from callbacks.guard import Guard, Guarding
from callbacks.placeholders import without_personal
from callbacks.sources import Shown, SourceBook, honest_text
from language.layout import is_heading
from language.sentences import sentence_spans
from language.words import terms

_UNITS = re.compile(r"\s+|\S+")
_MAY_END = frozenset(".!?…:;\"”’')]`*")
_OPENING = frozenset('"“„«‘')
"""Before the first word of a sentence as often as before a name, so that only what stands before it tells."""
_CLOSING = ".,;:!?)"
_CLOSES = frozenset(_CLOSING)
_JOINING = "/\\@=#&%_+-[<$"
"""Signs that links and keys have between their parts."""
_HAS_WORD = re.compile(r"[^\W\d_]{2}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Judgement(Protocol):
    """What some evidence says of a sentence."""

    @property
    def support(self) -> Support: ...
    @property
    def score(self) -> float: ...
    @property
    def method(self) -> str: ...
    @property
    def best(self) -> int | None:
        """Which piece of the evidence speaks for it most, counted from 0."""
        ...

    @property
    def parts(self) -> Sequence[str]:
        """What of it is not borne out, by kind: numbers, entities, negation, direction."""
        ...


Place = tuple[Shown, int]
"""A sentence of a source, counted from 1."""

Judge = Callable[[str, Sequence[str]], Judgement]
"""Judges a sentence by pieces of evidence, within a few milliseconds."""


def apart_from_personal(judge: Judge) -> Judge:
    """Judges what a sentence says besides the personal data that was withheld from it."""
    return lambda claim, evidence: judge(without_personal(claim), evidence)


@dataclass(slots=True)
class AnswerStream:
    """Owns the guard, the citation parser, the hold-back and the sentence judge of one run.

    Feed it what the model writes, split anywhere; it yields the events to publish. `rows` are the source ids of the
    model's context, row 1 first.
    """

    book: SourceBook
    judge: Judge
    rows: Sequence[str] = ()
    text: str = ""
    citations: list[CitationAttached] = field(default_factory=list)
    sentences: list[PartialAnswer] = field(default_factory=list)
    asides: list[tuple[int, int]] = field(default_factory=list)
    """Spans of headings and of what the server itself adds: they claim nothing, so nothing is said of them."""
    remarks: list[str] = field(default_factory=list)
    """What the server has added."""
    headings: Sequence[str] = ()
    """Those that were given to the model."""
    unknown_citations: int = 0
    truncated: bool = False
    half: int | None = None
    """The sentence in which a model broke off: no claim that could be judged."""
    guarding: Guarding | None = field(default_factory=Guarding)
    """What must not leave in the model's words; None where a person wrote them."""
    _guard: Guard | None = None
    """Made when the rows are known, which are what the text may take links and blobs from."""
    _parser: CitationParser = field(default_factory=CitationParser)
    _gap: str = ""
    """White space after the text so far, held back so that a marker can come before it."""
    _unsaid: str = ""
    _sentence_start: int = 0
    _core_end: int = 0
    """Where the current sentence ends if the markers at its end are left out."""
    _handled: set[tuple[int, int, Reference]] = field(default_factory=set)
    """What the sentences have cited, at which of their lengths."""
    _unknown: list[str] = field(default_factory=list)
    """Citations of the current sentence that no row has."""
    _early: list[Reference] = field(default_factory=list)
    """Citations before the first word of the current sentence."""
    _dropped: bool = False
    """Whether the white space held back stood before an unknown citation."""
    _joint: bool = False
    """Whether a citation stood here, and nothing but punctuation since."""
    _settled: list[PartialAnswer] = field(default_factory=list)
    """Verdicts that wait for the tokens at hand to be said: no token waits for a verdict on what came before it."""
    _half: str = ""
    """The first half of an emoji that a provider split between two chunks."""

    @property
    def removed(self) -> dict[str, int]:
        """How often something was taken out of the model's words, by kind."""
        return {} if self._guard is None else dict(self._guard.removed)

    def begin(self, rows: Sequence[str], key: str | None = None) -> None:
        """A model starts to write, with these source ids as the rows of its context; `key` is that of its marks."""
        self.rows = rows
        if not self.text:  # whatever an attempt that failed has left
            self._guard = self._made_guard(key)
            self._parser, self._gap, self._half, self._unsaid = CitationParser(), "", "", ""
            self.unknown_citations, self._unknown, self._early, self._joint = 0, [], [], False
            self._handled = set()

    def feed(self, text: str) -> Iterator[Payload]:
        """The events that a further piece of the model's text gives rise to."""
        if self._guard is None and self.guarding is not None:
            self._guard = self._made_guard(None)
        text = self._whole_characters(text)
        yield from self._take(text if self._guard is None else self._guard.feed(text))
        yield from self._say()
        yield from self._verdicts()

    def remark(self, text: str) -> Iterator[Payload]:
        """The event of words of the server's own, as a paragraph after what was said so far."""
        self.remarks.append(text)
        if self.text:
            text = f"\n\n{text}"
        start, self._gap = len(self.text), ""
        self._unsaid += text
        yield from self._say()
        self.asides.append((start + len(text) - len(text.lstrip()), len(self.text)))
        self._sentence_start = self._core_end = len(self.text)

    def finish(self, *, cut: bool = False) -> Iterator[Payload]:
        """The events of the end: what was held back, and the last sentence; `cut` if it is only half of one."""
        if self._guard is not None:
            yield from self._take(self._guard.flush())
        yield from self._write(self._parser.flush())
        before = len(self.sentences)
        yield from self._close_sentence(cite=not cut)
        if cut:
            self.half = before if len(self.sentences) > before else before - 1
        yield from self._verdicts()
        self._gap = ""

    def _made_guard(self, key: str | None) -> Guard | None:
        if self.guarding is None:
            return None
        return self.guarding.guard(self.passages_of(self.rows), key)

    def passages_of(self, rows: Sequence[str]) -> list[str]:
        """The texts of some sources, as far as they were shown."""
        return [honest_text(self.book[row].document) for row in rows if row in self.book]

    def _take(self, text: str) -> Iterator[Payload]:
        for piece in self._parser.feed(text):
            if isinstance(piece, Cited):
                yield from self._cite(piece.references)
            else:
                yield from self._write(piece)

    def _whole_characters(self, text: str) -> str:
        text, self._half = self._half + text, ""
        if text.isascii() or not _SURROGATE.search(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _write(self, text: str) -> Iterator[Payload]:
        for unit in _UNITS.findall(text):
            if unit.isspace():
                self._gap += unit
                self._joint = False
                continue
            yield from self._write_apart(unit) if self._joint else self._write_unit(unit)

    def _write_apart(self, unit: str) -> Iterator[Payload]:
        """What follows a citation without white space: one that is left out must not join what it stood between."""
        rest = unit.lstrip(_CLOSING)
        if len(rest) < len(unit):
            yield from self._write_unit(unit[: len(unit) - len(rest)])
        if rest:
            self._joint = False
            if (rest[0].isalnum() or rest[0] in _JOINING) and (self.text or self._unsaid):
                self._gap = self._gap or " "
            yield from self._write_unit(rest)

    def _write_unit(self, unit: str) -> Iterator[Payload]:
        if self._dropped and unit[0] in _CLOSES and "\n" not in self._gap:
            self._gap = ""
        self._dropped = False
        if self._gap and self._ends_before(unit):
            yield from self._close_sentence()
        if self.text or self._unsaid:
            self._unsaid += self._gap
        if self._at_sentence_start():
            self._sentence_start = len(self.text) + len(self._unsaid)
        self._gap = ""
        self._unsaid += unit
        self._core_end = len(self.text) + len(self._unsaid)

    def _say(self) -> Iterator[Payload]:
        if self._unsaid:
            said, self._unsaid = self._unsaid, ""
            offset = len(self.text)
            self.text += said
            yield Token.model_construct(token=said, grounded=True, revision=0, offset=offset)

    def _at_sentence_start(self) -> bool:
        return self._sentence_start >= len(self.text) + len(self._unsaid) - len(self._gap)

    def _current(self) -> str:
        return (self.text + self._unsaid)[self._sentence_start : self._core_end]

    def _last_char(self) -> str:
        """The last character of the current sentence without its markers."""
        at = self._core_end - 1
        if at < self._sentence_start:
            return ""
        return self.text[at] if at < len(self.text) else self._unsaid[at - len(self.text)]

    def _ends_before(self, unit: str) -> bool:
        """Whether the sentence so far ends before the white space held back and `unit`.

        Only the first character of what follows counts, for more of it may not be there yet.
        """
        core = self._current()
        if core.startswith("|") and "\n" in self._gap and unit[0] == "|":
            return True
        if not _HAS_WORD.search(core):
            return False
        if core.startswith("#") and "\n" in self._gap:
            return True
        if core[-1] == ":":  # what leads a list in belongs to its first item
            return False
        if "\n" in self._gap and (self._gap.count("\n") > 1 or _opens_item(unit)):
            return True
        if core[-1] not in _MAY_END:
            return False
        opens = unit[0].isupper() or unit[0] in _OPENING
        follows = "The" if opens else "1" if unit[0].isdigit() else unit[0]
        return any(start == len(core) + 1 for start, _ in sentence_spans(f"{core} {follows} and so on"))

    def _cite(self, references: Sequence[Reference]) -> Iterator[Payload]:
        """A marker for each passage cited, and a citation for each sentence; unknown ones are dropped and counted.

        What stands before the words it is for comes after them; what no words follow is for nothing.
        """
        early = not _says_something(self._current())
        known: dict[str, dict[Place, str | None]] = {}
        for reference in references:
            if self._cited_before(reference):
                continue
            place = self._place(reference)
            if place is None:
                self.unknown_citations += 1
                self._unknown.append(str(reference))
            elif early:
                self._early.append(reference)
            else:
                better = self._better(place)
                pointed = better or place
                cited_as = str(reference) if better else None
                known.setdefault(pointed[0].event.source_id, {}).setdefault(pointed, cited_as)
        self._dropped, self._joint = not known, True
        for source_id, places in known.items():
            yield from self._mark(self.book[source_id], places)

    def _cited_before(self, reference: Reference) -> bool:
        """Whether the sentence has cited this already: a model that repeats itself is looked after once."""
        key = (len(self.sentences), len(self._current()), reference)
        known = key in self._handled
        self._handled.add(key)
        return known

    def _place(self, reference: Reference) -> Place | None:
        if not 1 <= reference.passage <= len(self.rows) or self.rows[reference.passage - 1] not in self.book:
            return None
        shown = self.book[self.rows[reference.passage - 1]]
        number = reference.sentence
        if number is None:
            number = (self.judge(self._current() or shown.event.snippet, shown.sentences).best or 0) + 1
        return (shown, number) if 1 <= number <= len(shown.sentences) and shown.quotable(number) else None

    def _better(self, place: Place) -> Place | None:
        """Another sentence of the sources that supports what this one, with those cited before it, does not."""
        claim = self._current()
        if not _HAS_WORD.search(claim):
            return None
        cited = [*self._quotes_so_far(), place[0].sentence(place[1])[0]]
        if self.judge(claim, cited).support in ("supported", "contradicted"):
            return None  # what says otherwise is about the same: that another source agrees does not make it right
        return self._supporting(claim)

    def _supporting(self, claim: str) -> Place | None:
        """The sentence of the sources that supports a claim most, if one does."""
        places = list(self._all_sentences())
        judgement = self.judge(claim, [shown.sentence(number)[0] for shown, number in places])
        if judgement.best is None or judgement.support != "supported":
            return None
        shown, number = places[judgement.best]
        alone = self.judge(claim, [shown.sentence(number)[0]])
        return (shown, number) if alone.support == "supported" else None

    def _quotes_so_far(self) -> list[str]:
        return [citation.quote for citation in self.citations if citation.sentence == len(self.sentences)]

    def _mark(self, shown: Shown, places: Mapping[Place, str | None]) -> Iterator[Payload]:
        marker = f"[{shown.event.index}]"
        core_end = self._core_end
        if not (self.text + self._unsaid).endswith(marker) or self._gap:
            self._unsaid += (self._gap if self.text or self._unsaid else "") + marker
            self._gap = ""
        yield from self._say()
        self._core_end = core_end
        for (_, number), cited_as in places.items():
            citation = self._citation(shown, number, len(self.text) - len(marker), cited_as)
            if citation not in self.citations:
                self.citations.append(citation)
                yield citation

    def _citation(self, shown: Shown, number: int, at: int, cited_as: str | None) -> CitationAttached:
        event = shown.event
        quote, source_start, source_end = shown.sentence(number)
        return CitationAttached(
            index=event.index,
            source_id=event.source_id,
            source=event.source,
            section=event.section,
            page=event.page,
            confidence=round(self.judge(self._current(), [quote]).score, 4),
            quote=quote,
            source_start=source_start,
            source_end=source_end,
            revision=0,
            start=at,
            end=len(self.text),
            sentence=len(self.sentences),
            cited_as=cited_as,
        )

    def _close_sentence(self, *, cite: bool = True) -> Iterator[Payload]:
        """Say what is left of the current sentence, cite it if nothing did, and judge it by its sources."""
        yield from self._say()
        core = self._current()
        if not _says_something(core):
            self._sentence_start = len(self.text)
            return
        if self._early:
            early, self._early, held, self._gap = self._early, [], self._gap, " "
            yield from self._cite(early)
            self._gap = held
            self._dropped = self._joint = False  # what comes next stands behind white space
        if core.startswith("#") and self._only_lays_out(core):
            self.asides.append((self._sentence_start, len(self.text)))
            self._sentence_start = self._core_end = len(self.text)
            return
        if not self._quotes_so_far() and cite:
            supporting = self._supporting(core)
            if supporting is not None:
                held, self._gap = self._gap, " "
                yield from self._mark(supporting[0], {supporting: None})
                self._gap = held
        quotes = self._quotes_so_far()
        judgement = self.judge(core, quotes or [shown.sentence(number)[0] for shown, number in self._all_sentences()])
        verdict = PartialAnswer(
            sentence=len(self.sentences),
            text=self.text[self._sentence_start :],
            revision=0,
            start=self._sentence_start,
            end=len(self.text),
            support=judgement.support if quotes else "uncited",
            score=round(judgement.score, 4),
            method=judgement.method,
            unknown_citations=self._unknown or None,
        )
        self.sentences.append(verdict)
        self._settled.append(verdict)
        self._unknown = []
        self._sentence_start = self._core_end = len(self.text)

    def _only_lays_out(self, core: str) -> bool:
        """Whether a line is a heading, in words of the sources or given ones, that cites nothing."""
        if self._quotes_so_far() or self._unknown:
            return False
        shown = [self.book[row] for row in self.rows if row in self.book]
        texts = (f"{one.event.source} {one.event.section or ''} {one.document.page_content}" for one in shown)
        return is_heading(core, self.headings, set(terms(" ".join([*texts, *self.headings]))))

    def _verdicts(self) -> Iterator[Payload]:
        settled, self._settled = self._settled, []
        yield from settled

    def _all_sentences(self) -> Iterator[Place]:
        for source_id in self.rows:
            if source_id in self.book:
                shown = self.book[source_id]
                yield from ((shown, number) for number in range(1, len(shown.sentences) + 1) if shown.quotable(number))


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _opens_item(unit: str) -> bool:
    return unit[0] in "-*+•|" or unit[0].isdigit()
