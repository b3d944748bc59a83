"""An answer as its sentences, each with its citations, so that one can change without the others moving."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from callbacks.answer import AnswerStream, Judge
from callbacks.events import CitationAttached, PartialAnswer
from callbacks.sources import SourceBook
from graph.evidence import Piece

ACCEPTABLE = frozenset({"supported", "partial"})
"""Verdicts with which a sentence may stand."""
MARKERS = re.compile(r"\s*(?:\[\d+\])+")
_HEADING_WORDS = 8
"""Its marks included."""
_SAYS = re.compile(
    r"\d|\b(?:is|are|was|were|be|has|have|had|may|can|must|will|costs?|not?|never|free)\b", re.IGNORECASE
)
_RULE = re.compile(r"\s*\n\s*\|?\s*:?-{2}")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*|\s*\|)$")


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of an answer, wherever it stands in it."""

    text: str
    """With its markers."""
    gap: str
    """The white space before it."""
    verdict: PartialAnswer
    """What the sources say of it; its span is that of the draft."""
    citations: tuple[CitationAttached, ...]
    """Their markers are counted from the start of the line."""
    origin: int | None
    """Which sentence of the draft it is, or stands for; None if it was added."""
    rests_on: Piece | None = None
    """What it is to cite instead, once the reader has been told about that source."""
    layout: bool = False
    """Whether it only lays the answer out."""


def item_mark(text: str) -> str:
    """What makes a line an item of a list: its number or bullet."""
    found = _ITEM.match(text)
    return found.group() if found else ""


def _is_layout(text: str, after: str) -> bool:
    """Whether a line is a short heading, or the head of a table: what orders an answer, and claims nothing."""
    plain = without_markers(text).strip()
    bare = len(plain.split()) <= _HEADING_WORDS and not _SAYS.search(plain)
    return bare and (plain.startswith("#") or (plain.startswith("|") and _RULE.match(after) is not None))


def lines_of(stream: AnswerStream) -> list[Line]:
    """The draft, sentence by sentence."""
    lines = []
    before = 0
    for at, sentence in enumerate(stream.sentences):
        own = tuple(_moved(c, -sentence.start) for c in stream.citations if c.sentence == at)
        layout = _is_layout(sentence.text, stream.text[sentence.end :])
        lines.append(Line(sentence.text, stream.text[before : sentence.start], sentence, own, at, layout=layout))
        before = sentence.end
    return lines


def without_markers(text: str) -> str:
    """A text without its visible citation markers."""
    return MARKERS.sub("", text)


def resting(line: Line, wording: str, piece: Piece, judge: Judge) -> Line:
    """The line in other words, or the same, on the authority of one sentence of the sources alone."""
    judgement = judge(wording, [piece.text])
    verdict = line.verdict.model_copy(
        update={
            "support": judgement.support,
            "score": round(judgement.score, 4),
            "method": judgement.method,
            "unknown_citations": None,
        }
    )
    return replace(line, text=without_markers(wording), verdict=verdict, citations=(), rests_on=piece)


def cited(line: Line, book: SourceBook) -> Line:
    """The line with the marker and the citation of what it rests on; the source must have been shown."""
    piece = line.rests_on
    if piece is None:
        return line
    shown = book[piece.place[0]]
    closing = _CLOSING.search(line.text)
    cut = closing.start() if closing else len(line.text)
    marker = f"[{shown.event.index}]"
    quote, source_start, source_end = shown.sentence(piece.number)
    citation = CitationAttached(
        index=shown.event.index,
        source_id=shown.event.source_id,
        source=shown.event.source,
        section=shown.event.section,
        page=shown.event.page,
        confidence=line.verdict.score,
        quote=quote,
        source_start=source_start,
        source_end=source_end,
        revision=1,
        start=cut + 1,
        end=cut + 1 + len(marker),
        sentence=0,
    )
    text = f"{line.text[:cut]} {marker}{line.text[cut:]}"
    return replace(line, text=text, citations=(citation,), rests_on=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """Lines put together: spans and sentence numbers fit the text."""

    text: str
    citations: list[CitationAttached]
    sentences: list[PartialAnswer]


def assembled(lines: Sequence[Line], revision: int) -> Answer:
    """The text of some lines, with everything said of it at its new place."""
    text = ""
    citations: list[CitationAttached] = []
    sentences: list[PartialAnswer] = []
    for at, line in enumerate(lines):
        text += line.gap if text else line.gap.lstrip()
        place = {"sentence": at, "revision": revision}
        citations += [_moved(citation, len(text)).model_copy(update=place) for citation in line.citations]
        span = {"start": len(text), "end": len(text) + len(line.text)}
        sentences.append(line.verdict.model_copy(update={"text": line.text, **span, **place}))
        text += line.text
    return Answer(text, citations, sentences)


def _moved(citation: CitationAttached, shift: int) -> CitationAttached:
    return citation.model_copy(update={"start": citation.start + shift, "end": citation.end + shift})
