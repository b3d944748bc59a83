"""Hops: what the passages of a branch lead to, what of the question they leave open, and what to search for next."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from langchain_core.documents import Document

from chains.aspects import Idf
from language.entities import names_in
from language.tokens import Token, tokens
from language.words import STOPWORDS, content_terms, coverage, terms

MOST_ROUNDS = 4
"""Searches after one another in a branch, the first one included."""
PER_ROUND = 4
"""Follow-up queries of a round."""
_BEST = 3
"""Passages whose names are followed."""
_ENOUGH = 0.9
"""Of the weight of a question, in one passage: nothing is left that another one would have to say."""
_STRONG = 0.75
"""Evidence from which on a passage may be enough alone."""


class Bridge(NamedTuple):
    """Something the passages name and the question does not: what the rest of the question may be about."""

    name: str
    weight: float
    """0..1: how well its sentence matches the query, times how well its passage does."""
    held: frozenset[str]
    """The stemmed words of its passage and title."""


def follow_ups(
    question: str, branch: str, found: Sequence[Document], asked: Collection[str], idf: Idf
) -> list[str]:
    """The next queries of a branch, at most `PER_ROUND`, best first; none that was asked before.

    A query is a bridge with the words of the question that its passage does not have.
    """
    before = {key_of(query) for query in (question, branch, *asked)}
    queries: list[str] = []
    for bridge in bridges(question, found):
        query = " ".join([bridge.name, *_open_words(question, bridge)])
        if key_of(query) not in before:
            before.add(key_of(query))
            queries.append(query)
    return queries[:PER_ROUND]


def key_of(query: str) -> str:
    """What two queries that search for the same have in common."""
    return " ".join(sorted(set(content_terms(query))))


def bridges(question: str, found: Sequence[Document]) -> list[Bridge]:
    """Names in the best passages, and their titles, that the question does not have; best first."""
    known = set(terms(question))
    best: dict[str, Bridge] = {}
    for document in found[:_BEST]:
        held = frozenset(terms(f"{document.metadata['source']} {document.page_content}"))
        for name, weight in _named(document):
            key = " ".join(terms(name))
            bridge = Bridge(name, weight * document.metadata["score"], held)
            if set(terms(name)) - known - STOPWORDS and bridge.weight > best.get(key, bridge._replace(weight=0)).weight:
                best[key] = bridge
    return sorted(best.values(), key=lambda bridge: -bridge.weight)


def _named(document: Document) -> list[tuple[str, float]]:
    known = document.metadata
    found = [(known["source"], max(known["sentence_scores"], default=0.0))]
    for (start, end), score in zip(known["sentences"], known["sentence_scores"], strict=True):
        text = document.page_content[start:end]
        words: list[Token] = tokens(text)
        found += [(text[words[n.first].start : words[n.last].end], score) for n in names_in(text, words) if n.sure]
    return found


def _open_words(question: str, bridge: Bridge) -> list[str]:
    """The words of the question, as it spells them, that the passage of the bridge does not have."""
    return [t.text for t in tokens(question) if t.folded not in STOPWORDS and t.stem not in bridge.held]


def sufficient_without_model(sub_question: str, found: Sequence[Document], idf: Idf) -> bool:
    """Whether one passage alone has nearly all of the question: a second hop would have nothing to look for."""
    wanted = set(content_terms(sub_question))
    weights: Mapping[str, float] = idf(wanted)
    return any(
        document.metadata["score"] >= _STRONG
        and coverage(wanted, set(terms(f"{document.metadata['source']} {document.page_content}")), weights) >= _ENOUGH
        for document in found
    )


def follow_up_chain(model, *, context_tokens: int = 6000):  # type: ignore
    raise NotImplementedError
