"""Which words of a question each sentence holds: packed with the passage, compared all at once."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from language.sentences import leans_back
from language.words import terms
from retrieval.passages import Passage

Packed = npt.NDArray[np.uint32]
"""The number of groups, the size of each, then the hashed words of one group after the other.

The first group is the heading, the others are the sentences.
"""

_NO_WORD = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the question a passage holds, as shares weighted by idf, 0..1."""

    sentences: list[float]
    together: float
    """Of the two best sentences and the heading."""


def pack(passage: Passage) -> Packed:
    """The words of a passage. A sentence that leans back on its predecessor speaks of what that names, too."""
    groups = [_hashed(terms(passage.heading))]
    for start, end in passage.sentences:
        text = passage.text[start:end]
        own = _hashed(terms(text))
        groups.append(own | groups[-1] if len(groups) > 1 and leans_back(text) else own)
    flat = [word for group in groups for word in sorted(group)]
    return np.array([len(groups), *map(len, groups), *flat], np.uint32)


def coverages(packed: Sequence[Packed], wanted: Sequence[str], idf: Mapping[str, float]) -> list[Coverage]:
    """How much of the stemmed words `wanted` each passage holds."""
    if not packed:
        return []
    words = np.array([_hash(term) for term in wanted], np.uint32)
    weights = np.array([idf.get(term, 1.0) for term in wanted])
    weights = weights / (weights.sum() or 1.0)
    sizes = np.concatenate([one[1 : 1 + one[0]] for one in packed]).astype(np.int64)
    flat = np.concatenate([one[1 + one[0] :] for one in packed])
    held = np.logical_or.reduceat(flat[:, None] == words[None, :], np.cumsum(sizes) - sizes, axis=0)
    shares = held @ weights
    found, at = [], 0
    for one in packed:
        groups = int(one[0])
        own = shares[at + 1 : at + groups]
        two = np.argsort(-own, kind="stable")[:2] + at + 1
        together = held[[at, *two]].any(axis=0) @ weights
        found.append(Coverage(own.tolist(), float(together)))
        at += groups
    return found


def _hashed(words: Iterable[str]) -> set[int]:
    return {_NO_WORD, *map(_hash, words)}  # no group is empty: `reduceat` could not tell


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) or 1
