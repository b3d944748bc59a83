"""Hybrid search: dense and lexical candidates, ranked by a score-aware sum, each with a calibrated probability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from language.sentences import leans_back
from language.words import content_terms, coverage, terms
from retrieval.calibration import EVIDENCE, passage_probability
from retrieval.embeddings import Vectors
from retrieval.index import Snapshot
from retrieval.passages import Passage

Filters = Mapping[str, Any]
"""Metadata key -> the value it must equal, or a list of values it must be among."""

LEG_DEPTH = 50
"""How many candidates each leg contributes."""


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

    @property
    def probability(self) -> float:
        """Calibrated probability (0..1) that the passages together answer the question."""
        return EVIDENCE(self._best) if self.hits else 0.0

    @property
    def _best(self) -> float:
        return max((hit.feature for hit in self.hits), default=0.0)

    def score(self, hit: Hit) -> float:
        """Calibrated probability (0..1) that this passage holds the answer or a part of it."""
        return passage_probability(self.probability, hit.feature, self._best)


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


def search(
    snapshot: Snapshot, question: Question, k: int, *, filters: Filters | None = None, depth: int = LEG_DEPTH
) -> Evidence:
    """The best `k` passages, best first.

    `bm25/max + (cosine - max cosine) + best sentence's cosine + idf coverage of the best two sentences`: the scores
    count, not only the ranks, because reciprocal rank fusion throws away how sure a leg was.
    Filters apply before ranking.
    """
    among = None if not filters else matching(snapshot, filters)
    dense = snapshot.nearest(question.dense, depth, among)
    lexical = snapshot.lexical.search(question.terms, depth, among)
    candidates = [snapshot.passages[key] for key in dict.fromkeys([*dense, *lexical]) if key in snapshot.passages]
    if not candidates:
        return Evidence([])
    idf = snapshot.lexical.idf(question.terms)
    best_dense, best_lexical = max(dense.values(), default=0.0), max(lexical.values(), default=0.0) or 1.0
    cosines = np.concatenate([passage.sentence_vectors for passage in candidates]).astype(np.float32) @ question.vector
    worst_dense = min(dense.values(), default=0.0)
    hits: list[Hit] = []
    at = 0
    for passage in candidates:
        own = cosines[at : at + len(passage.sentences)]
        at += len(passage.sentences)
        hits.append(
            _hit(
                passage,
                own.tolist(),
                question.terms,
                idf,
                legs=lexical.get(passage.key, 0.0) / best_lexical + dense.get(passage.key, worst_dense) - best_dense,
            )
        )
    hits.sort(key=lambda hit: -hit.rank_score)
    return Evidence(hits[:k])


def matching(snapshot: Snapshot, filters: Filters) -> list[int]:
    """The keys of the passages whose document's metadata passes every filter."""

    def passes(metadata: Mapping[str, Any]) -> bool:
        return all(
            metadata.get(key, _ABSENT) in wanted if isinstance(wanted, list) else metadata.get(key, _ABSENT) == wanted
            for key, wanted in filters.items()
        )

    return [key for key, passage in snapshot.passages.items() if passes(passage.metadata)]


_ABSENT = object()


def _hit(
    passage: Passage, cosines: Sequence[float], wanted: Sequence[str], idf: dict[str, float], *, legs: float
) -> Hit:
    words = _sentence_terms(passage)
    heading = frozenset(terms(f"{passage.title} {passage.section or ''}"))
    covered = [coverage(wanted, sentence, idf) for sentence in words]
    features = tuple(0.5 * max(0.0, cos) + 0.5 * share for cos, share in zip(cosines, covered, strict=True))
    two = sorted(range(len(words)), key=lambda at: -covered[at])[:2]
    together = coverage(wanted, frozenset().union(*(words[at] for at in two)) | heading, idf)
    best = max(features, default=0.0)
    rank_score = legs + max(cosines, default=0.0) + together
    return Hit(passage, rank_score, best, features)


@lru_cache(maxsize=50_000)
def _terms_of(key: int, texts: tuple[str, ...]) -> tuple[frozenset[str], ...]:
    """The words of each sentence; one that leans back on its predecessor speaks of what that names, too."""
    words: list[frozenset[str]] = []
    for text in texts:
        own = frozenset(terms(text))
        words.append(own | words[-1] if words and leans_back(text) else own)
    return tuple(words)


def _sentence_terms(passage: Passage) -> tuple[frozenset[str], ...]:
    return _terms_of(passage.key, tuple(passage.text[start:end] for start, end in passage.sentences))
