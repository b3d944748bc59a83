"""Citations under any chunking: whatever a model writes, however it is split, the same answer comes of it."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document

from callbacks.answer import AnswerStream
from callbacks.citations import CitationParser, Cited
from callbacks.events import CitationAttached, PartialAnswer, Payload, Token
from callbacks.sources import SourceBook
from chains.verify import lexical_judge
from language.sentences import sentence_spans
from tests.support.scenes import Scene
from tests.support.scripted import saying
from tests.support.streams import check_grammar, payloads
from tests.support.surfaces import SURFACES

OFFSET = 10
SOURCES = {
    "a": "The gate opens only for evidence. Opening it costs $3.5 million. Tokens stream after that.",
    "b": "The harbour master rings a brass bell at dawn. Nobody sleeps then.",
    "c": "Ferries to Brack leave at noon.",
}
CLAIMS = (
    "The gate opens only for evidence",
    "Opening it costs $3.5 million",
    "The harbour master rings a brass bell at dawn",
    "Ferries to Brack leave at midnight",
    "Dolphins paint purple cathedrals",
    "As Dr. Smith says, e.g. here, tokens stream",
)
KNOWN = ("[1.1]", "[1.2]", "[2.1]", "[3.1]", "[1]", "[2]", "[1.1, 2.1]", "[1.1;1.2]", "[1.1-1.2]", "【1.3】", "[ 2.1 ]")
UNKNOWN = ("[9.9]", "[77]", "【8.1】", "[1.9]", "[4]", "[9.9, 77]", "[6.1–6.3]")
BRACKETS = ("[", "]", "[[", "[1", "[1.", "[x]", "[0.1]", "[2019]", "array[0]", "【", "】", "[1.1 see", "[]", "[1..2]")
OWLS = ("🦉", "\ud83e\udd89", "\ud83e", "\udd89")
"""Whole, and in the halves that providers send."""
BETWEEN = (
    " ",
    ". ",
    ".",
    "! ",
    "\n",
    "\n\n",
    "\n- ",
    "\n1. ",
    "\n11. ",
    "10. ",
    ":",
    "5 p.m. ",
    '"',
    "## A heading\n",
    "é",
    "\u2028",
    *OWLS,
)

pieces = st.sampled_from([*CLAIMS, *KNOWN, *KNOWN, *UNKNOWN, *BRACKETS, *BETWEEN, *BETWEEN])
texts = st.lists(pieces, max_size=15).map("".join)
anything = st.one_of(texts, st.text(max_size=120), st.text(alphabet="[]【】0123456789., ;-–\nab.", max_size=60))
cuts = st.lists(st.integers(0, 400), max_size=30)


def passage(source_id: str, text: str) -> Document:
    return Document(
        text,
        metadata={
            "source_id": source_id,
            "document_id": "d",
            "source": "Title",
            "section": None,
            "page": None,
            "start": OFFSET,
            "end": OFFSET + len(text),
            "score": 0.9,
            "sentences": sentence_spans(text),
        },
    )


def written(chunks: Sequence[str]) -> tuple[AnswerStream, list[Payload]]:
    """What a model that writes these chunks has said."""
    book = SourceBook()
    book.announce([passage(name, text) for name, text in SOURCES.items()], 1)
    stream = AnswerStream(book, JUDGE, list(SOURCES))
    events = [event for chunk in chunks for event in stream.feed(chunk)]
    return stream, [*events, *stream.finish()]


JUDGE = lexical_judge(lambda wanted: dict.fromkeys(wanted, 1.0))


def split(text: str, at: Sequence[int]) -> list[str]:
    """A text cut at these places, by UTF-16 units as providers count them when they cut an emoji in two."""
    places = [0, *sorted(min(place, len(text)) for place in at), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def checked(chunks: Sequence[str]) -> AnswerStream:
    """What holds of every answer."""
    stream, events = written(chunks)
    tokens = [event for event in events if isinstance(event, Token)]
    offset = 0
    for token in tokens:
        assert token.offset == offset
        offset += len(token.token)
    assert "".join(token.token for token in tokens) == stream.text
    assert [event for event in events if isinstance(event, CitationAttached)] == stream.citations
    assert [event for event in events if isinstance(event, PartialAnswer)] == stream.sentences
    for citation in stream.citations:
        assert stream.text[citation.start : citation.end] == f"[{citation.index}]"
        source = SOURCES[citation.source_id]
        assert source[citation.source_start - OFFSET : citation.source_end - OFFSET] == citation.quote
    for number, sentence in enumerate(stream.sentences):
        assert sentence.sentence == number
        assert stream.text[sentence.start : sentence.end] == sentence.text
    told = [said for sentence in stream.sentences for said in sentence.unknown_citations or ()]
    assert len(told) <= stream.unknown_citations
    return stream


@settings(max_examples=400, deadline=None)
@given(anything, cuts)
@example("[[1.1]]", [1, 2, 3])
@example("The gate opens only for evidence [1.1", [30])
@example("The gate opens only for evidence [1.1].", list(range(50)))
@example("[[1.1][1.1 see. The gate opens", [17])
@example("a 🦉\ud83e\udd89 [1.1] b", list(range(20)))
def test_any_text_split_anywhere_gives_the_same_answer(text: str, at: list[int]) -> None:
    whole = checked([text])
    parts = checked(split(text, at))
    assert parts.text == whole.text
    assert parts.citations == whole.citations
    assert parts.sentences == whole.sentences
    assert parts.unknown_citations == whole.unknown_citations


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([CLAIMS[0], *KNOWN, "- ", "\n", ". ", "🦉", "..."]), max_size=8).map("".join))
@example("[1.1]")
@example("The gate opens only for evidence [1.1].\n\n* [1.2]")
@example("The gate opens only for evidence [1.1].\n\n---\n[1.2]")
def test_every_citation_lies_in_a_sentence_that_is_told(text: str) -> None:
    stream = checked([text])
    for citation in stream.citations:
        sentence = stream.sentences[citation.sentence]
        assert sentence.start <= citation.start < citation.end <= sentence.end


@settings(max_examples=200, deadline=None)
@given(anything, cuts)
def test_text_is_held_back_only_from_an_opening_bracket_to_where_it_closes(text: str, at: list[int]) -> None:
    parser = CitationParser()
    fed = told = ""
    for chunk in split(text, at):
        fed += chunk
        for piece in parser.feed(chunk):
            if isinstance(piece, str):
                told += piece
            else:
                place = fed.find(bracket_of(fed, len(told)), len(told))
                told = fed[: closing_after(fed, place) + 1]
        held = fed[len(told) :]
        assert fed.startswith(told)
        assert held == "" or held[0] in "[【"
        assert not any(bracket in held for bracket in "]】")
        assert len(held) < 64
    assert told + parser.flush() == fed


def bracket_of(text: str, start: int) -> str:
    return next(character for character in text[start:] if character in "[【")


def closing_after(text: str, start: int) -> int:
    return next(at for at in range(start, len(text)) if text[at] in "]】")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CLAIMS), st.sampled_from([*KNOWN, *UNKNOWN])), min_size=1, max_size=5), cuts)
def test_an_unknown_citation_is_dropped_counted_and_told_with_its_sentence(
    claims: list[tuple[str, str]], at: list[int]
) -> None:
    stream = checked(split(" ".join(f"{claim} {cited}." for claim, cited in claims), at))
    asked = [_references(cited) if cited in UNKNOWN else [] for _, cited in claims]
    assert stream.unknown_citations == sum(map(len, asked))
    assert not re.search(r"\[(?:[4-9]|77)[\].]|【", stream.text)
    assert [list(sentence.unknown_citations or ()) for sentence in stream.sentences] == asked


@pytest.mark.parametrize("text", [f"[9.9] {CLAIMS[0]}.", f"{CLAIMS[0]} [1.1].\n\n* [9.9]", "[9.9]"])
def test_an_unknown_citation_is_counted_wherever_it_stands(text: str) -> None:
    stream = checked([text])
    assert stream.unknown_citations == 1
    assert "9.9" not in stream.text


def _references(cited: str) -> list[str]:
    whole = next(piece for piece in CitationParser().feed(cited) if isinstance(piece, Cited))
    return [str(reference) for reference in whole.references]


def test_a_weak_citation_is_pointed_to_the_sentence_that_supports_it() -> None:
    stream = checked(["The harbour master rings a brass bell at dawn [1.2]."])
    citation = stream.citations[0]
    assert (citation.source_id, citation.quote) == ("b", "The harbour master rings a brass bell at dawn.")
    assert citation.cited_as == "1.2"
    assert stream.text.endswith("[2].")
    assert stream.sentences[0].support == "supported"


def test_a_weak_citation_stays_where_no_other_sentence_supports_it() -> None:
    stream = checked(["Dolphins paint purple cathedrals [1.2]."])
    assert [(citation.source_id, citation.cited_as) for citation in stream.citations] == [("a", None)]
    assert stream.sentences[0].support == "unsupported"


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([(name, at) for name, text in SOURCES.items() for at in range(len(sentence_spans(text)))]), cuts)
def test_a_citation_that_supports_is_never_pointed_elsewhere(place: tuple[str, int], at: list[int]) -> None:
    name, number = place
    start, end = sentence_spans(SOURCES[name])[number]
    quote = SOURCES[name][start:end]
    row = list(SOURCES).index(name) + 1
    stream = checked(split(f"{quote.rstrip('.')} [{row}.{number + 1}].", at))
    assert [(citation.quote, citation.cited_as) for citation in stream.citations] == [(quote, None)]


def test_of_two_citations_that_support_together_neither_is_pointed_elsewhere() -> None:
    stream = checked(["The gate opens only for evidence, and opening it costs $3.5 million [1.1][1.2]."])
    assert [citation.quote for citation in stream.citations][-1] == "Opening it costs $3.5 million."
    assert stream.sentences[0].support == "supported"


def test_a_citation_on_a_line_of_its_own_costs_no_answer(play: Callable[..., Any]) -> None:
    text = "The Aldermoor lighthouse was built in 1874 by the engineer Greta Holm [1.1].\n\n* [1.1]"
    scene: Scene = play(saying(answer=text))
    seen, truth = scene.ask(SURFACES["post"], {"query": "Who built the Aldermoor lighthouse?"})
    check_grammar(truth)
    assert payloads(truth, "error") == []
    assert seen.outcome == "answered"
