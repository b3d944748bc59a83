"""Hybrid search: dense and lexical candidates, ranked by a score-aware sum, each with a calibrated probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from language.words import content_terms
from retrieval.calibration import EVIDENCE, Platt, passage_probability
from retrieval.coverage import Coverage, coverages
from retrieval.documents import Keys, Scorable
from retrieval.embeddings import Vectors
from retrieval.index import Snapshot
from retrieval.passages import Passage

LEG_DEPTH = 50
"""How many candidates each leg contributes."""


class Passages(Protocol):
    """Where texts and vectors are read from."""

    def scorable(self, keys: Sequence[int]) -> dict[int, Scorable]:
        """What is scored of some passages, by key."""

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by key."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question."""

    passage: Passage
    rank_score: float
    """The score-aware sum; comparable only within one search."""
    feature: float
    """Of the best sentence: half cosine, half idf coverage of the question; what calibration starts from."""
    sentence_features: tuple[float, ...]
    """The same feature of every sentence, in order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a search found, best first."""

    hits: list[Hit]
    calibration: Platt = EVIDENCE

    @property
    def probability(self) -> float:
        """Calibrated probability (0..1) that the passages together answer the question."""
        return self.calibration(self.feature) if self.hits else 0.0

    @property
    def feature(self) -> float:
        """The best sentence feature of all passages, 0..1."""
        return max((hit.feature for hit in self.hits), default=0.0)

    def score(self, hit: Hit) -> float:
        """Calibrated probability (0..1) that this passage holds the answer or a part of it."""
        return passage_probability(self.probability, hit.feature, self.feature)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the searches see it."""

    terms: tuple[str, ...]
    vector: Vectors
    """Of the embedded encoder, whatever the dense leg uses: sentence features mean the same everywhere."""
    dense: Vectors
    """In the space of the dense leg."""

    @classmethod
    def of(cls, text: str, vector: Vectors, dense: Vectors | None = None) -> "Question":
        """Only words that carry meaning count: a question without any is about nothing that could be found."""
        words = tuple(dict.fromkeys(content_terms(text)))
        return cls(words, vector, vector if dense is None else dense)


@dataclass(frozen=True, slots=True)
class _Scored:
    key: int
    rank_score: float
    features: tuple[float, ...]


def search(snapshot: Snapshot, stored: Passages, question: Question, k: int, *, among: Keys | None = None) -> Evidence:
    """The best `k` passages, best first; only `among` some, if given, and that before ranking.

    `bm25/max + (cosine - max cosine) + best sentence's cosine + idf coverage of the best two sentences`: the scores
    count, not only the ranks, because reciprocal rank fusion throws away how sure a leg was.
    """
    dense = snapshot.dense.nearest(question.dense, LEG_DEPTH, among)
    lexical = snapshot.lexical.search(question.terms, LEG_DEPTH, None if among is None else among.tolist())
    candidates = stored.scorable(list(dict.fromkeys([*dense, *lexical])))
    best = sorted(_scored(snapshot, question, candidates, lexical), key=lambda one: -one.rank_score)[:k]
    passages = stored.passages([one.key for one in best])
    return Evidence(
        [
            Hit(passages[one.key], one.rank_score, max(one.features, default=0.0), one.features)
            for one in best
            if one.key in passages
        ],
        snapshot.calibration,
    )


def _scored(
    snapshot: Snapshot, question: Question, candidates: dict[int, Scorable], lexical: dict[int, float]
) -> list[_Scored]:
    if not candidates:
        return []
    rows = list(candidates.values())
    cosines = np.stack([row.dense for row in rows]) @ question.dense
    legs = cosines - cosines.max()
    most = max(lexical.values(), default=0.0) or 1.0
    sentences = np.concatenate([row.sentences for row in rows]).astype(np.float32) @ question.vector
    covered = coverages([row.words for row in rows], question.terms, snapshot.lexical.idf(question.terms))
    scored, at = [], 0
    for key, row, leg, words in zip(candidates, rows, legs.tolist(), covered, strict=True):
        own = sentences[at : at + len(row.sentences)].tolist()
        at += len(row.sentences)
        scored.append(_score(key, leg + lexical.get(key, 0.0) / most, own, words))
    return scored


def _score(key: int, legs: float, cosines: Sequence[float], words: Coverage) -> _Scored:
    features = tuple(
        0.5 * max(0.0, cosine) + 0.5 * share for cosine, share in zip(cosines, words.sentences, strict=True)
    )
    return _Scored(key, legs + max(cosines, default=0.0) + words.together, features)
