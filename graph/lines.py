"""An answer as its sentences, each with its citations, so that one can change without the others moving."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from callbacks.answer import AnswerStream, Judge
from callbacks.events import CitationAttached, PartialAnswer
from callbacks.sources import SourceBook
from graph.evidence import Piece
from language.layout import bare

ACCEPTABLE = frozenset({"supported", "partial"})
"""Verdicts with which a sentence may stand."""
MARKERS = re.compile(r"\s*(?:\[\d+\])+")
DISPUTES = "Where the sources disagree"
"""The heading of the section that tells both sides of everything, and is no side itself."""
_ASIDE = "aside"
"""In place of a method, for lines that are no sentences."""
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
    disputed: bool = False
    """Whether it is told as one of two sides."""

    @property
    def claims(self) -> bool:
        """Whether the sources have something to say of it."""
        return self.verdict.method != _ASIDE


def item_mark(text: str) -> str:
    """What makes a line an item of a list: its number or bullet."""
    found = _ITEM.match(text)
    return found.group() if found else ""


def _heads_table(text: str, after: str) -> bool:
    """Whether a line is the head of a table, however many columns it has: what orders an answer, and claims nothing."""
    plain = without_markers(text).strip()
    return plain.startswith("|") and all(map(bare, plain.split("|"))) and _RULE.match(after) is not None


def lines_of(stream: AnswerStream) -> list[Line]:
    """The draft, sentence by sentence, with what only lays it out in between."""
    verdicts = [*stream.sentences, *(_unjudged(stream.text, *span) for span in stream.asides)]
    lines = []
    before = 0
    disputes = False
    for verdict in sorted(verdicts, key=lambda verdict: verdict.start):
        claims = verdict.method != _ASIDE
        own = tuple(_moved(c, -verdict.start) for c in stream.citations if claims and c.sentence == verdict.sentence)
        layout = not claims or _heads_table(verdict.text, stream.text[verdict.end :])
        origin = verdict.sentence if claims else None
        if not claims and not verdict.text.startswith("### "):
            disputes = verdict.text == f"## {DISPUTES}"
        gap = stream.text[before : verdict.start]
        lines.append(Line(verdict.text, gap, verdict, own, origin, layout=layout, disputed=disputes))
        before = verdict.end
    return lines


def _unjudged(text: str, start: int, end: int) -> PartialAnswer:
    """What stands in for the verdict on a line that has none."""
    return PartialAnswer(
        sentence=0,
        text=text[start:end],
        revision=0,
        start=start,
        end=end,
        support="uncited",
        score=0.0,
        method=_ASIDE,
    )


def aside(text: str) -> Line:
    """Words of the server's own, as a paragraph."""
    return Line(text, "\n\n", _unjudged(text, 0, len(text)), (), None, layout=True)


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
    after_heading = False
    for line in lines:
        gap = line.gap if text else line.gap.lstrip()
        text += "\n\n" if after_heading and "\n" not in gap else gap
        after_heading = line.layout and line.text.startswith("#")
        if not line.claims:
            text += line.text
            continue
        place = {"sentence": len(sentences), "revision": revision}
        citations += [_moved(citation, len(text)).model_copy(update=place) for citation in line.citations]
        span = {"start": len(text), "end": len(text) + len(line.text)}
        sentences.append(line.verdict.model_copy(update={"text": line.text, **span, **place}))
        text += line.text
    return Answer(text, citations, sentences)


def _moved(citation: CitationAttached, shift: int) -> CitationAttached:
    return citation.model_copy(update={"start": citation.start + shift, "end": citation.end + shift})
