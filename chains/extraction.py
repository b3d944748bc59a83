"""The sentences of a section that stand for the others: central, early, under their heading, and not the same again.

Centrality is that of LexRank (Erkan & Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization", 2004) and TextRank (Mihalcea & Tarau, "TextRank: Bringing Order into Texts", 2004): a random walk over
the likeness of sentences. Redundancy is kept out as in maximal marginal relevance (Carbonell & Goldstein, 1998).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chains.prompts import readable
from language.prose import sayable, stands_alone
from language.words import content_terms

Vectors = npt.NDArray[np.float32]

LINE = 40
"""Words of a bullet that is not too long."""
COMPARED = 240
"""Sentences that are compared with each other, at most: those nearest the middle of their section."""
_STEPS = 30
_DAMPING = 0.85
_ENDS = re.compile(r"[.!?…][\"”’')\]]*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Taste:
    """What counts for how much; chosen on meetings with reference summaries."""

    central: float = 1.0
    lead: float = 0.2
    heading: float = 0.15
    unended: float = 0.2
    """What a sentence loses that does not end like one."""
    asking: float = 0.3
    long: float = 0.1
    """What a sentence loses for each further `LINE` words: a bullet is one line or two."""
    alike: float = 0.2
    """Below this likeness two sentences have nothing to do with each other."""
    together: float = 0.3
    """How much more alike sentences of one section are, when those of a whole document are chosen."""
    repeats: float = 0.5
    """What a sentence loses for being the same as one that was taken, by its likeness."""


TASTE = Taste()


def extract(
    sentences: Sequence[str], vectors: Vectors | None, most: int, heading: str = "", taste: Taste = TASTE
) -> list[int]:
    """Which sentences stand for all of them, in their order; `vectors` has a row of unit length for each.

    Without vectors sentences are alike by their words. Time is that of one section: at most `COMPARED` sentences are
    compared with each other.
    """
    found = [at for at, sentence in enumerate(sentences) if stands_alone(sentence)]
    found = found or [at for at, sentence in enumerate(sentences) if sayable(sentence)]
    if not found:
        return []
    rows = _rows([sentences[at] for at in found], None if vectors is None else vectors[found])
    kept = _nearest_middle(rows)
    found, rows = [found[at] for at in kept], rows[kept]
    likeness = np.clip(rows @ rows.T, 0.0, 1.0)
    worth = taste.central * centrality(likeness, taste.alike)
    asked = set(content_terms(heading))
    for at, place in enumerate(found):
        sentence = sentences[place]
        worth[at] += taste.lead / (1 + place / max(1.0, len(sentences) / 10))
        if asked:
            worth[at] += taste.heading * len(asked & set(content_terms(sentence))) / len(asked)
        worth[at] -= taste.long * max(0, len(sentence.split()) - LINE) / LINE
        worth[at] -= taste.unended * (not _ENDS.search(sentence.rstrip())) + taste.asking * ("?" in sentence)
    return sorted(found[at] for at in diverse(worth, likeness, most, taste.repeats))


def abridge(
    sentences: Sequence[str], vectors: Vectors | None, groups: Sequence[int], most: int, taste: Taste = TASTE
) -> list[int]:
    """Which sentences stand for all, rather of different `groups` than of one, in their order."""
    if not sentences:
        return []
    rows = _rows(sentences, vectors)
    likeness = np.clip(rows @ rows.T, 0.0, 1.0)
    worth = taste.central * centrality(likeness, taste.alike)
    worth += taste.lead * (np.array(groups) == groups[0])
    worth -= taste.unended * np.array([not _ENDS.search(sentence.rstrip()) for sentence in sentences])
    together = np.equal.outer(groups, groups) * taste.together
    return sorted(diverse(worth, np.clip(likeness + together, 0.0, 1.0), most, taste.repeats))


def centrality(likeness: Vectors, alike: float = TASTE.alike) -> Vectors:
    """How central each sentence is, the most central 1: where a walk from sentence to like sentence mostly is."""
    edges = np.where(likeness >= alike, likeness, 0.0).astype(np.float32)
    np.fill_diagonal(edges, 0.0)
    sums = edges.sum(axis=1, keepdims=True)
    count = len(edges)
    steps = np.where(sums > 0, edges / np.maximum(sums, 1e-9), 1.0 / count)
    rank = np.full(count, 1.0 / count, np.float32)
    for _ in range(_STEPS):
        rank = (1 - _DAMPING) / count + _DAMPING * (steps.T @ rank)
    central: Vectors = rank / rank.max()
    return central


def diverse(worth: Vectors, likeness: Vectors, most: int, repeats: float = TASTE.repeats) -> list[int]:
    """The best, each less what it has in common with those before it."""
    chosen: list[int] = []
    left = worth.astype(np.float32).copy()
    while len(chosen) < min(most, len(worth)):
        best = int(np.argmax(left))
        chosen.append(best)
        left = np.minimum(left, worth - repeats * likeness[best] * (1 + likeness[best]))
        left[chosen] = -np.inf
    return chosen


def whole(sentence: str) -> str:
    """A sentence word for word on one line, with a full stop if it has none."""
    line = readable(sentence)
    return line if _ENDS.search(line) else f"{line.rstrip(' ,;:')}."


def _nearest_middle(rows: Vectors) -> list[int]:
    if len(rows) <= COMPARED:
        return list(range(len(rows)))
    near = rows @ rows.mean(axis=0)
    return sorted(np.argsort(-near, kind="stable")[:COMPARED].tolist())


def _rows(sentences: Sequence[str], vectors: Vectors | None) -> Vectors:
    if vectors is not None:
        return vectors
    words = [set(content_terms(sentence)) for sentence in sentences]
    places = {word: at for at, word in enumerate(dict.fromkeys(word for said in words for word in said))}
    rows = np.zeros((len(sentences), max(1, len(places))), np.float32)
    for at, said in enumerate(words):
        rows[at, [places[word] for word in said]] = 1.0
    scaled: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled
