"""Fitting the confidence on one's own documents: questions made from them, or questions whose answers are known.

A made-up question is some of the words of one sentence with a few foreign ones among them, about as much as real
questions share with their answers. Asked of everything it should be answered; asked of everything but its document and
what resembles its passage, it should not. Platt scaling of the two, held close to the shipped curve where they say
little.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from language.words import STOPWORDS, words
from retrieval.calibration import EVIDENCE, Platt
from retrieval.dense import as_keys
from retrieval.hybrid import search
from retrieval.index import Snapshot
from retrieval.library import Library
from retrieval.records import Keys

Floats = npt.NDArray[np.float64]

QUESTIONS = 250
_LEAST_QUESTIONS = 50
_KEPT = 0.6
"""The share of a sentence's words a question repeats."""
_FOREIGN = 0.25
"""The share of a question's words that come from elsewhere."""
_MOST_WORDS, _LEAST_WORDS = 12, 3
_ALIKE = 0.4
"""Passages whose cosine with the question's own is above this are on its topic."""
_NEAREST = 1_000
"""How many passages are looked at for that; in a large collection the rest is less alike than these."""
_SEARCH_K = 6
_PRIOR = 5.0
"""How many questions the shipped curve weighs against, one standard deviation away."""
_SLOPE_SD, _MIDPOINT_SD = 8.0, 0.08
_HIGHEST = 0.75
_MOST_RAISED = 0.03
"""How far the midpoint may go up: made-up questions show how near other topics come, but real ones fall shorter."""
_CLEARLY = 0.85
"""The share of the shipped curve's loss that a fitted one must come down to, to take its place."""
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """What the gate would have been told: features (0..1) with an answer there, and without."""

    answerable: Floats
    unanswerable: Floats
    made_up: bool = False
    """Whether nobody asked these questions."""

    @property
    def features(self) -> Floats:
        """All of them."""
        return np.concatenate([self.answerable, self.unanswerable])

    @property
    def labels(self) -> Floats:
        """1 for the answerable ones."""
        return np.concatenate([np.ones(len(self.answerable)), np.zeros(len(self.unanswerable))])


@dataclass(frozen=True, slots=True)
class Refit:
    """A curve fitted on a sample, beside the shipped one."""

    sample: Sample
    before: Platt
    after: Platt
    loss_before: float
    """Mean log loss of the shipped curve."""
    loss_after: float
    """Mean log loss of curves fitted without the questions they are judged on."""

    @property
    def better(self) -> bool:
        """Whether the fitted curve is to be used: a little gain on made-up questions is not worth other thresholds."""
        return self.loss_after < self.loss_before * (_CLEARLY if self.sample.made_up else 1.0)


class TooSmall(ValueError):
    """There are too few passages to ask about."""


def made_up(library: Library, collection: str, *, count: int = QUESTIONS, seed: int = 0) -> Sample:
    """Features of questions made from a collection's own sentences. Raises `TooSmall` and `UnknownCollection`."""
    snapshot = library.snapshot(collection)
    chance = random.Random(seed)  # noqa: S311
    answerable, unanswerable = [], []
    for key, question in _questions(library, snapshot.keys, chance, count):
        asked = library.question(question)
        owner = int(snapshot.owners[np.searchsorted(snapshot.keys, key)])
        answerable.append(search(snapshot, library.stored, asked, _SEARCH_K).feature)
        elsewhere = _elsewhere(library, snapshot, owner, key)
        unanswerable.append(search(snapshot, library.stored, asked, _SEARCH_K, among=elsewhere).feature)
    if len(answerable) < min(count, _LEAST_QUESTIONS) or len(snapshot.members) < 2:
        raise TooSmall(f"{collection} has too little text to make questions from")
    return Sample(np.array(answerable), np.array(unanswerable), made_up=True)


def fit(sample: Sample, prior: Platt = EVIDENCE) -> Platt:
    """The most probable curve given the sample; the prior is normal in slope and midpoint around the shipped curve."""
    slopes = np.arange(8.0, 60.0, 0.5)[:, None]
    middle = -prior.offset / prior.slope
    highest = middle + _MOST_RAISED if sample.made_up else _HIGHEST
    midpoints = np.arange(0.15, highest, 0.005)[None, :]
    penalty = ((slopes - prior.slope) / _SLOPE_SD) ** 2 + ((midpoints - middle) / _MIDPOINT_SD) ** 2
    total = _PRIOR * penalty / 2
    for features, sign in ((sample.answerable, -1.0), (sample.unanswerable, 1.0)):
        weight = len(sample.features) / 2 / max(1, len(features))  # both kinds count the same
        for feature in features:
            total = total + weight * np.logaddexp(0.0, sign * slopes * (feature - midpoints))
    row, column = np.unravel_index(np.argmin(total), total.shape)
    slope, midpoint = float(slopes[row, 0]), float(midpoints[0, column])
    return Platt(slope=slope, offset=-slope * midpoint)


def refit(sample: Sample, shipped: Platt = EVIDENCE) -> Refit:
    """Fit on all of a sample, and judge by fits on four fifths of it. Its questions are about different passages."""
    held_out = [
        _loss(fit(_part(sample, fold, inside=False)), _part(sample, fold, inside=True)) for fold in range(_FOLDS)
    ]
    return Refit(sample, shipped, fit(sample), _loss(shipped, sample), float(np.mean(held_out)))


def probabilities(curve: Platt, features: Floats) -> Floats:
    """What a curve says of features."""
    return np.array([curve(float(feature)) for feature in features])


def _questions(library: Library, keys: Keys, chance: random.Random, count: int) -> Iterator[tuple[int, str]]:
    """Passages, each once, and a question about each."""
    made = 0
    for key in chance.sample(keys.tolist(), len(keys)):
        found = library.stored.passages([key, int(chance.choice(keys))])
        if key not in found:  # removed meanwhile
            continue
        start, end = chance.choice(found[key].sentences)
        own = [word for word in _content(found[key].text[start:end]) if chance.random() < _KEPT][:_MOST_WORDS]
        foreign = _content(" ".join(passage.text for passage in found.values()))
        if len(own) < _LEAST_WORDS:
            continue
        yield key, " ".join(chance.choice(foreign) if chance.random() < _FOREIGN else word for word in own)
        made += 1
        if made == count:
            return


def _content(text: str) -> list[str]:
    return [word for word in words(text) if word.lower() not in STOPWORDS]


def _elsewhere(library: Library, snapshot: Snapshot, owner: int, key: int) -> Keys:
    """The passages of other documents that are not on the topic of one passage."""
    own = next(vectors[0] for _, vectors in library.stored.dense_vectors(np.array([key], np.int64)))
    near = np.sort(as_keys(snapshot.dense.nearest(own, _NEAREST)))
    alike = [some[vectors @ own > _ALIKE] for some, vectors in library.stored.dense_vectors(near)]
    chosen: Keys = np.setdiff1d(snapshot.without(owner), np.concatenate(alike))
    return chosen


def _part(sample: Sample, fold: int, *, inside: bool) -> Sample:
    def part(features: Floats) -> Floats:
        chosen: Floats = features[(np.arange(len(features)) % _FOLDS == fold) == inside]
        return chosen

    return Sample(part(sample.answerable), part(sample.unanswerable), sample.made_up)


def _loss(curve: Platt, sample: Sample) -> float:
    """Mean log loss, both kinds counting the same."""
    sides = [(sample.answerable, -1.0), (sample.unanswerable, 1.0)]
    losses = [
        float(np.mean(np.logaddexp(0.0, sign * (curve.slope * features + curve.offset))))
        for features, sign in sides
        if len(features)
    ]
    return float(np.mean(losses))
