"""A wider search: candidates beyond the two legs, found by what the best passages say and by where they stand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.documents import DocumentStore
from retrieval.hybrid import LEG_DEPTH, Question
from retrieval.index import Snapshot
from retrieval.records import Keys

_BEST = 3
"""Passages whose words are taken for the question's (pseudo-relevance feedback, Lavrenko & Croft, 2001)."""
_WORDS = 8
_OWN_WEIGHT = 2.0
"""Of the question's vector, against 1 for the mean of the best passages (Rocchio, 1971)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a search looks. What it finds there is scored by the question, like everything else."""

    wide: bool = False
    also: tuple[str, ...] = ()
    """Texts whose nearest passages are candidates, too."""


def beyond(
    snapshot: Snapshot,
    stored: DocumentStore,
    question: Question,
    best: Sequence[int],
    others: Sequence[Question],
    among: Keys | None,
) -> list[int]:
    """Keys of further candidates, given those of the passages found so far, best first."""
    allowed = None if among is None else among.tolist()
    found: list[int] = []
    for other in others:
        found += snapshot.dense.nearest(other.dense, LEG_DEPTH, among)
        found += snapshot.lexical.search(other.terms, LEG_DEPTH, allowed)
    if best:
        feedback = stored.scorable(best[:_BEST])
        words = _telling(feedback.stems, question, snapshot)
        found += snapshot.lexical.search([*question.terms, *words], LEG_DEPTH, allowed)
        if feedback.keys:
            drawn = _OWN_WEIGHT * question.dense + feedback.dense.mean(axis=0)
            found += snapshot.dense.nearest((drawn / np.linalg.norm(drawn)).astype(np.float32), LEG_DEPTH, among)
        found += _neighbours(snapshot, best, among)
    return list(dict.fromkeys(found))


def _telling(texts: Sequence[str], question: Question, snapshot: Snapshot) -> list[str]:
    """The most telling words of some texts that the question does not have."""
    counts = Counter(word for text in texts for word in text.split())
    for word in question.terms:
        counts.pop(word, None)
    idf = snapshot.lexical.idf(set(counts))
    return sorted(counts, key=lambda word: -counts[word] * idf[word])[:_WORDS]


def _neighbours(snapshot: Snapshot, best: Sequence[int], among: Keys | None) -> list[int]:
    """The passages before and after, in the same document."""
    keys, owners = snapshot.keys, snapshot.owners
    found = []
    for key in best:
        at = int(np.searchsorted(keys, key))
        if at == len(keys) or keys[at] != key:
            continue  # removed since
        found += [int(keys[to]) for to in (at - 1, at + 1) if 0 <= to < len(keys) and owners[to] == owners[at]]
    return found if among is None else np.intersect1d(found, among).tolist()
