"""The sentences of the evidence, each at its place, and which of them exclude each other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from langchain_core.documents import Document

from chains.disagreement import opposes
from language.instructions import speaks_to_a_model
from language.words import content_terms

_ALIKE = 0.5
"""The share of the words of the shorter of two sentences that both must have to be compared at all."""

Place = tuple[str, int]
"""A source id and a sentence of it, counted from 1."""
Idf = Callable[[set[str]], Mapping[str, float]]


class Piece(NamedTuple):
    """A sentence of a passage."""

    document: Document
    number: int
    text: str

    @property
    def words(self) -> frozenset[str]:
        """Its telling words."""
        return _words(self.text)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.document.metadata["source_id"], self.number

    @property
    def document_id(self) -> str:
        """Of the document it is from."""
        document_id: str = self.document.metadata["document_id"]
        return document_id

    @property
    def score(self) -> float:
        """How well it matches the question, 0..1."""
        scores: Sequence[float] = self.document.metadata.get("sentence_scores", ())
        return scores[self.number - 1] if self.number <= len(scores) else 0.0

    @property
    def title(self) -> str:
        """Of that document."""
        title: str = self.document.metadata["source"]
        return title


@lru_cache(maxsize=20_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(content_terms(text))


def pieces_of(documents: Sequence[Document]) -> list[Piece]:
    """All sentences of some passages, in order, without those that speak to a model: an answer may take words over."""
    return [
        Piece(document, number, text)
        for document in documents
        for number, (start, end) in enumerate(document.metadata["sentences"], start=1)
        if not speaks_to_a_model(text := document.page_content[start:end])
    ]


def foremost(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """The sentences that match the question most, by the scores of the search."""
    return sorted(pieces, key=lambda piece: -piece.score)[:most]


class Opposition(NamedTuple):
    """Two sentences that say the same but for a number, a denial or a direction."""

    one: Piece
    other: Piece


def oppositions(ones: Sequence[Piece], others: Sequence[Piece], idf: Idf) -> list[Opposition]:
    """Pairs of sentences of different documents that exclude each other, each pair once.

    Within one document, different figures are of different things as a rule.
    """
    found: dict[frozenset[Place], Opposition] = {}
    for one, other in _alike(ones, others):
        pair = frozenset((one.place, other.place))
        if pair not in found and opposes(one.text, other.text, idf) is not None:
            found[pair] = Opposition(one, other)
    return list(found.values())


def _alike(ones: Sequence[Piece], others: Sequence[Piece]) -> Iterator[tuple[Piece, Piece]]:
    for one in ones:
        for other in others:
            if other.document_id != one.document_id and _overlap(one.words, other.words):
                yield one, other


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * max(1, min(len(one), len(other)))
