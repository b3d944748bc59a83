"""Hybrid search: dense and lexical candidates, ranked by a score-aware sum, each with a calibrated probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from language.asking import asking_words
from language.words import content_terms, word_pairs
from retrieval.calibration import EVIDENCE, Platt, passage_probability
from retrieval.coverage import coverage_of, pairs_held
from retrieval.embeddings import Vectors
from retrieval.index import Snapshot
from retrieval.passages import Passage
from retrieval.records import Keys, Scorable
from retrieval.smalltalk import is_small_talk

LEG_DEPTH = 50
"""How many candidates each leg contributes."""
PAIRS_WEIGHT = 0.5
"""Of the question's word pairs in the sum."""


class Passages(Protocol):
    """Where texts and vectors are read from."""

    def scorable(self, keys: Sequence[int]) -> Scorable:
        """What is scored of some passages; of those that are still there."""

    def passages(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by key."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question."""

    passage: Passage
    rank_score: float
    """The score-aware sum."""
    feature: float
    """Of its best sentence: half cosine, half proven coverage of the question; what calibration starts from."""
    sentence_features: tuple[float, ...]
    """Of every sentence, in order: half cosine, half idf coverage, which compares the sentences of one question."""


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
        """The best feature of all passages, 0..1."""
        return max((hit.feature for hit in self.hits), default=0.0)

    def score(self, hit: Hit) -> float:
        """Calibrated probability (0..1) that this passage holds the answer or a part of it."""
        return passage_probability(self.probability, hit.feature, self.feature)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the searches see it."""

    terms: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    """Stemmed words that stand side by side in it."""
    vector: Vectors
    """Of the embedded encoder, whatever the dense leg uses: sentence features mean the same everywhere."""
    dense: Vectors
    """In the space of the dense leg."""
    asking: frozenset[str] = frozenset()
    """Those of the terms that only ask for a comparison: they rank passages and need not be proven."""

    @classmethod
    def of(cls, text: str, vector: Vectors, dense: Vectors | None = None) -> "Question":
        """Only words that carry meaning count: a question without any is about nothing that could be found."""
        words = tuple(dict.fromkeys(content_terms(text)))
        if is_small_talk(words):
            words = ()
        return cls(words, tuple(word_pairs(text)), vector, vector if dense is None else dense, asking_words(text))


@dataclass(frozen=True, slots=True)
class _Scored:
    key: int
    rank_score: float
    feature: float
    sentence_features: tuple[float, ...]


def search(
    snapshot: Snapshot,
    stored: Passages,
    question: Question,
    k: int,
    *,
    among: Keys | None = None,
    further: Sequence[int] = (),
) -> Evidence:
    """The best `k` passages, best first; only `among` some, if given, and that before ranking.

    `further` keys are candidates, too.

    `bm25 / idf of the question's words + cosine + best sentence's cosine + idf coverage of the best two sentences
    + share of its word pairs / 2`: the scores count, not only the ranks, because reciprocal rank fusion throws away
    how sure a leg was. Divided so, BM25 is about 1 where a passage holds every word once; divided by the best
    candidate's, it would be 1 for the best of however bad ones.
    """
    dense = snapshot.dense.nearest(question.dense, LEG_DEPTH, among)
    lexical = snapshot.lexical.search(question.terms, LEG_DEPTH, None if among is None else among.tolist())
    candidates = stored.scorable(list(dict.fromkeys([*dense, *lexical, *further])))
    best = _best(snapshot, question, candidates, lexical, k)
    passages = stored.passages([one.key for one in best])
    return Evidence(
        [
            Hit(passages[one.key], one.rank_score, one.feature, one.sentence_features)
            for one in best
            if one.key in passages
        ],
        snapshot.calibration,
    )


def _best(
    snapshot: Snapshot, question: Question, candidates: Scorable, lexical: dict[int, float], k: int
) -> list[_Scored]:
    if not candidates.keys:
        return []
    starts = np.cumsum(candidates.counts) - candidates.counts
    idf = snapshot.lexical.idf(question.terms)
    covered = coverage_of(candidates.words, question.terms, idf, snapshot.lexical.size, asking=question.asking)
    sentences = candidates.sentences.astype(np.float32) @ question.vector
    cosines = candidates.dense @ question.dense
    bm25 = np.array([lexical.get(key, 0.0) for key in candidates.keys])
    legs = bm25 / (sum(idf.values()) or 1.0) + cosines
    words = covered.together + PAIRS_WEIGHT * pairs_held(candidates.stems, question.pairs)
    ranks = legs + np.maximum.reduceat(sentences, starts) + words
    alike = 0.5 * np.maximum(sentences, 0.0)
    features = np.maximum.reduceat(alike + 0.5 * covered.proven, starts)
    of_sentences = alike + 0.5 * covered.sentences
    return [
        _Scored(
            candidates.keys[at],
            float(ranks[at]),
            float(features[at]),
            tuple(of_sentences[starts[at] : starts[at] + candidates.counts[at]].tolist()),
        )
        for at in np.argsort(-ranks, kind="stable")[:k]
    ]
