"""The sentences of a section that stand for the others: central, early, under their heading, and not the same again.

Centrality is that of LexRank (Erkan & Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text
Summarization", 2004) and TextRank (Mihalcea & Tarau, "TextRank: Bringing Order into Texts", 2004): a random walk over
the likeness of sentences. Redundancy is kept out as in maximal marginal relevance (Carbonell & Goldstein, 1998).
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chains.prompts import readable
from language.prose import MOST_WEIGHT, is_scrap, is_sentence, sayable, stands_alone, weight
from language.words import content_terms, numbers

Vectors = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.bool_]

LINE = 40
"""Words of a bullet that is not too long."""
COMPARED = 240
"""Sentences that are compared with each other, at most: those nearest the middle of their section."""
_STEPS = 30
_DAMPING = 0.85
_WORD = re.compile(r"\w+")
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
    telling: float = 0.1
    """What figures and names add, where there are three of them."""
    same: float = 0.95
    """From this likeness on, two sentences with the same figures are one."""
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
    spare = [at for at, sentence in enumerate(sentences) if sayable(sentence) and not is_scrap(sentence)]
    found = found or [at for at in spare if is_sentence(sentences[at])] or spare
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
        worth[at] += taste.telling * weight(sentence) / MOST_WEIGHT
    said = [sentences[at] for at in found]
    return sorted(found[at] for at in diverse(worth, likeness, most, taste.repeats, alike(said, likeness, taste.same)))


def abridge(
    sentences: Sequence[str],
    vectors: Vectors | None,
    groups: Sequence[int],
    most: int,
    taste: Taste = TASTE,
    *,
    cover: Collection[int] = (),
) -> list[int]:
    """Which sentences stand for all, rather of different `groups` than of one, in their order.

    Of those that `cover` names, at most one is among them.
    """
    if not sentences:
        return []
    rows = _rows(sentences, vectors)
    likeness = np.clip(rows @ rows.T, 0.0, 1.0)
    worth = taste.central * centrality(likeness, taste.alike)
    worth += taste.lead * (np.array(groups) == groups[0])
    worth -= taste.unended * np.array([not _ENDS.search(sentence.rstrip()) for sentence in sentences])
    worth += taste.telling * np.array([weight(sentence) for sentence in sentences]) / MOST_WEIGHT
    together = np.equal.outer(groups, groups) * taste.together
    either = alike(sentences, likeness, taste.same)
    on_cover = np.isin(np.arange(len(sentences)), list(cover))
    either |= np.logical_and.outer(on_cover, on_cover)
    return sorted(diverse(worth, np.clip(likeness + together, 0.0, 1.0), most, taste.repeats, either))


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


def alike(sentences: Sequence[str], likeness: Vectors, same: float = TASTE.same) -> Pairs:
    """Which sentences say the same: in the same words, or nearly so with the same figures."""
    words = _ids(" ".join(_WORD.findall(sentence.lower())) for sentence in sentences)
    figures = _ids(" ".join(sorted(numbers(sentence))) for sentence in sentences)
    pairs: Pairs = np.equal.outer(words, words) | ((likeness > same) & np.equal.outer(figures, figures))
    return pairs


def diverse(
    worth: Vectors, likeness: Vectors, most: int, repeats: float = TASTE.repeats, either: Pairs | None = None
) -> list[int]:
    """The best, each less what it has in common with those before it; of a pair in `either` only one."""
    chosen: list[int] = []
    left = worth.astype(np.float32).copy()
    gone = np.zeros(len(worth), bool)
    while len(chosen) < most and not gone.all():
        best = int(np.argmax(left))
        chosen.append(best)
        left = np.minimum(left, worth - repeats * likeness[best] * (1 + likeness[best]))
        gone[best] = True
        if either is not None:
            gone |= either[best]
        left[gone] = -np.inf
    return chosen


def whole(sentence: str) -> str:
    """A sentence word for word on one line, with a full stop if it has none."""
    line = readable(sentence)
    return line if _ENDS.search(line) else f"{line.rstrip(' ,;:')}."


def _ids(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    known: dict[str, int] = {}
    return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)


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
