"""Which words of a question each sentence holds: packed with the passage, compared all at once."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """How much of the question passages hold, as shares weighted by idf, 0..1."""

    sentences: npt.NDArray[np.float64]
    """Of every sentence, one passage after the other."""
    together: npt.NDArray[np.float64]
    """Of each passage: its two best sentences and its heading."""


def pack(passage: Passage) -> Packed:
    """The words of a passage. A sentence that leans back on its predecessor speaks of what that names, too."""
    groups = [_hashed(terms(passage.heading))]
    columns = _hashed(terms(passage.header or ""))  # a cell means nothing without the name of its column
    for start, end in passage.sentences:
        text = passage.text[start:end]
        own = _hashed(terms(text)) | columns
        groups.append(own | groups[-1] if len(groups) > 1 and leans_back(text) else own)
    flat = [word for group in groups for word in sorted(group)]
    return np.array([len(groups), *map(len, groups), *flat], np.uint32)


def coverage_of(packed: Sequence[Packed], wanted: Sequence[str], idf: Mapping[str, float]) -> Coverage:
    """How much of the stemmed words `wanted` each passage holds. There is at least one passage."""
    words = np.array([_hash(term) for term in wanted], np.uint32)
    weights = np.array([idf.get(term, 1.0) for term in wanted])
    weights = weights / (weights.sum() or 1.0)
    groups = np.array([one[0] for one in packed], np.int64)
    sizes = np.concatenate([one[1 : 1 + one[0]] for one in packed]).astype(np.int64)
    flat = np.concatenate([one[1 + one[0] :] for one in packed])
    held = np.logical_or.reduceat(flat[:, None] == words[None, :], np.cumsum(sizes) - sizes, axis=0)
    headings = np.cumsum(groups) - groups
    is_sentence = np.ones(len(held), np.bool_)
    is_sentence[headings] = False
    shares = held @ weights
    passage = np.repeat(np.arange(len(packed)), groups)
    # within each passage the heading first, then its sentences from the best down
    order = np.lexsort((-shares, is_sentence, passage))
    best = order[headings + np.minimum(1, groups - 1)]
    second = order[headings + np.minimum(2, groups - 1)]
    together = (held[headings] | held[best] | held[second]) @ weights
    return Coverage(shares[is_sentence], together)


def pairs_held(stems: Sequence[str], pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float64]:
    """The share of `pairs` that stand side by side in each of some texts, given as stems separated by spaces, 0..1."""
    sought = set(pairs)
    held = [len(sought.intersection(pairwise(text.split(" ")))) for text in stems]
    return np.array(held, np.float64) / max(1, len(sought))


def _hashed(words: Iterable[str]) -> set[int]:
    return {_NO_WORD, *map(_hash, words)}  # no group is empty: `reduceat` could not tell


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) or 1
