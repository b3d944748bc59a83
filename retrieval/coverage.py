"""Which words of a question each sentence holds: packed with the passage, compared all at once."""

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from language.contents import is_contents
from language.sentences import leans_back
from language.words import terms
from retrieval.passages import Passage

Packed = npt.NDArray[np.uint32]
"""The number of groups, the size of each, then the hashed words of one group after the other.

The first group is the heading, the others are the sentences.
"""

_NO_WORD = 0
_IMAGINED = 30.0
"""Passages that a collection is imagined to have besides its own: in one of three passages, a word that two of them
hold tells something all the same."""
_IMAGINED_HOLD = 0.6
"""How many of the imagined passages hold a word, whichever."""
_NEVER_HELD = 0.5
"""What every question is taken to ask for besides its words: half a word that the collection has never seen. To hold
all of `When was it issued?` proves less than to hold all of a longer question."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the question passages hold, as shares weighted by idf, 0..1."""

    sentences: npt.NDArray[np.float64]
    """Of every sentence, one passage after the other."""
    proven: npt.NDArray[np.float64]
    """The same with words weighted by `worth` and something asked for that nothing holds: comparable between
    questions, and between collections. Words that only ask for a comparison need not be held where all that is compared
    is, somewhere: a question about something unknown is not to profit from them."""
    together: npt.NDArray[np.float64]
    """Of each passage: its two best sentences and its heading."""


def pack(passage: Passage) -> Packed:
    """The words of a passage. A sentence that leans back on its predecessor speaks of what that names, too.

    A line of contents has none: it only names what is said elsewhere.
    """
    groups = [_hashed(terms(passage.heading))]
    columns = _hashed(terms(passage.header or ""))  # a cell means nothing without the name of its column
    for start, end in passage.sentences:
        text = passage.text[start:end]
        own = _hashed(() if is_contents(text) else terms(text)) | columns
        groups.append(own | groups[-1] if len(groups) > 1 and leans_back(text) else own)
    flat = [word for group in groups for word in sorted(group)]
    return np.array([len(groups), *map(len, groups), *flat], np.uint32)


def worth(idf: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    """What words tell in a collection of `size` passages, from their idf there: above 0, and 1 for a word never seen.

    It is their idf as if there were a few imagined passages more, in units of the largest possible.
    """
    total = size + 1.0 + _IMAGINED
    holding = (size + 1.0) * np.exp(-idf) + _IMAGINED_HOLD  # idf = log((size + 1) / (passages that hold it + 0.5))
    told: npt.NDArray[np.float64] = np.log(total / holding) / np.log(total / (0.5 + _IMAGINED_HOLD))
    return told


def coverage_of(
    packed: Sequence[Packed],
    wanted: Sequence[str],
    idf: Mapping[str, float],
    size: int,
    *,
    asking: Collection[str] = (),
) -> Coverage:
    """How much of the stemmed words `wanted` each passage holds, in a collection of `size`; there is at least one.

    `asking` are those of them that only ask for a comparison.
    """
    words = np.array([_hash(term) for term in wanted], np.uint32)
    rarity = np.array([idf[term] for term in wanted], np.float64)
    weights = rarity / (rarity.sum() or 1.0)
    worths = worth(rarity, size)
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
    of_asking = np.array([term in asking for term in wanted], np.bool_)
    spared = of_asking & bool(held[:, ~of_asking].any(axis=0).all())
    proven = _proven(held[is_sentence], worths, spared)
    return Coverage(shares[is_sentence], proven, together)


def _proven(
    held: npt.NDArray[np.bool_], worths: npt.NDArray[np.float64], spared: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    asked = worths[~spared].sum() + held @ np.where(spared, worths, 0.0) + _NEVER_HELD
    proven: npt.NDArray[np.float64] = (held @ worths) / asked
    return proven


def pairs_held(stems: Sequence[str], pairs: Sequence[tuple[str, str]]) -> npt.NDArray[np.float64]:
    """The share of `pairs` that stand side by side in each of some texts, given as stems separated by spaces, 0..1."""
    sought = set(pairs)
    held = [len(sought.intersection(pairwise(text.split(" ")))) for text in stems]
    return np.array(held, np.float64) / max(1, len(sought))


def _hashed(words: Iterable[str]) -> set[int]:
    return {_NO_WORD, *map(_hash, words)}  # no group is empty: `reduceat` could not tell


def _hash(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) or 1
