"""Lines that were judged in private, as the reader of a run gets them: with the numbers of the run's own sources."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from callbacks.answer import AnswerStream
from callbacks.events import CitationAttached, Payload, Token
from callbacks.sources import SourceBook
from graph.lines import Line


def renumbered(line: Line, book: SourceBook) -> Line:
    """A line whose markers are those of `book`, where all that it cites was announced."""
    text, citations, end = "", list[CitationAttached](), 0
    ordered = sorted(line.citations, key=lambda citation: citation.start)
    for (start, stop), group in groupby(ordered, key=lambda citation: (citation.start, citation.end)):
        together = list(group)
        shown = book[together[0].source_id].event
        marker = f"[{shown.index}]"
        text += line.text[end:start]
        place = {"index": shown.index, "start": len(text), "end": len(text) + len(marker)}
        citations += [citation.model_copy(update=place) for citation in together]
        text += marker
        end = stop
    text += line.text[end:]
    return replace(line, text=text, citations=tuple(citations))


def say(line: Line, stream: AnswerStream) -> Iterator[Payload]:
    """A line at the end of an answer, as tokens, citations and a verdict; its sources are announced."""
    line = renumbered(line, stream.book)
    gap = (line.gap or " ") if stream.text else ""
    start = len(stream.text) + len(gap)
    yield Token(token=gap + line.text, grounded=True, revision=0, offset=len(stream.text))
    stream.text += gap + line.text
    place = {"sentence": len(stream.sentences), "revision": 0}
    for citation in line.citations:
        moved = {"start": citation.start + start, "end": citation.end + start, **place}
        stream.citations.append(citation.model_copy(update=moved))
        yield stream.citations[-1]
    span = {"text": line.text, "start": start, "end": start + len(line.text), **place}
    stream.sentences.append(line.verdict.model_copy(update=span))
    yield stream.sentences[-1]
