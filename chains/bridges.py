"""Bridges: names in a passage that the question does not have, and that its open part may be about."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from langchain_core.documents import Document

from chains.aspects import Idf
from language.entities import names_in
from language.tokens import tokens
from language.words import STOPWORDS, terms

_TELLING_IDF = 5.0
"""From here on a name is as telling as any: it stands in one of 150 passages or fewer."""
_SHORTEST, _LONGEST = 3, 100
_IN_PARENTHESES = re.compile(r"\s*\([^)]*\)")


class Bridge(NamedTuple):
    """A name that a passage has and the question has not."""

    name: str
    weight: float
    """0..1: how well its sentence matches the query, times the score of its passage, times how telling it is."""
    held: frozenset[str]
    """Every stemmed word of its passage and title."""


def bridges(said: str, passages: Sequence[Document], idf: Idf) -> Iterator[Bridge]:
    """The names of some passages, their titles included, with a word that is not in what was `said`."""
    known = set(terms(said)) | STOPWORDS
    for document in passages:
        words = words_of(document)
        named = [(name, score, set(terms(name)) - known) for name, score in _names(document)]
        rarity = idf(set(chain.from_iterable(new for _, _, new in named)))
        for name, score, new in named:
            if new and _SHORTEST <= len(name) <= _LONGEST:
                telling = min(1.0, max(rarity[word] for word in new) / _TELLING_IDF)
                yield Bridge(name, score * document.metadata["score"] * telling**0.5, words)


def _names(document: Document) -> Iterator[tuple[str, float]]:
    """The title and the names of a passage, each with the score of its sentence; the title with the best one's."""
    spans, scores = document.metadata["sentences"], document.metadata["sentence_scores"]
    yield _IN_PARENTHESES.sub("", document.metadata["source"]), max(scores, default=0.0)
    for (start, end), score in zip(spans, scores, strict=True):
        text = document.page_content[start:end]
        words = tokens(text)
        for name in names_in(text, words):
            if name.sure:
                yield text[words[name.first].start : words[name.last].end], score


def words_of(document: Document) -> frozenset[str]:
    """The stemmed words of a passage and of its title."""
    return frozenset(terms(f"{document.metadata['source']} {document.page_content}"))
