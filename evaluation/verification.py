"""Measuring the verification on claims: what its tier 1, the server's own judge, makes of a set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from callbacks.answer import Judge, Judgement
from chains.verify import lexical_judge
from evaluation import probabilities
from evaluation.claims import LABELS, Claim, ClaimSet, Label
from evaluation.corpus import Track, unwatched
from evaluation.disturbance import caught, edits, false_alarms, quotes, rewordings
from evaluation.probabilities import Floats
from evaluation.resampling import Bootstrap
from evaluation.results import ClaimsResult, Figures, Section
from language.words import terms
from retrieval.lexical import LexicalIndex

SUPPORTS = ("supported", "partial", "unsupported", "contradicted")
USABLE = "claims usable: called supported unedited"
_AGAINST: Mapping[str, tuple[Label, ...]] = {"not supported": ("not_supported",), "refuted": ("refuted",)}
_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim and what the judge says of it, given all its evidence."""

    claim: Claim
    judgement: Judgement
    ms: float


def measure(claims: ClaimSet, seed: int = 0, track: Track = unwatched) -> ClaimsResult:
    """Judge every claim of a set, and edits of those it calls supported."""
    pieces = dict.fromkeys(piece for claim in claims.claims for piece in (*claim.evidence, *claim.retrieved))
    judge = lexical_judge(LexicalIndex().update(add=_stemmed(pieces)).idf)
    for claim in claims.claims[:_WARM_UP]:
        judge(claim.claim, [claim.claim])
    judged = [_judge(judge, claim) for claim in track(claims.claims, "Judging")]
    supported = [one for one in judged if one.claim.label == "supported"]
    accepted = [one.claim for one in supported if one.judgement.support == "supported"]
    sentences = list(rewordings(judge, claims.claims, seed, track))
    bootstrap = Bootstrap(seed)
    usable = {USABLE: bootstrap.mean([one.judgement.support == "supported" for one in supported])}
    quoted = list(edits(judge, quotes(sentences), seed, track))
    compared = _compared(judged)
    return ClaimsResult(
        name=claims.name,
        file=claims.path.name,
        digest=claims.digest,
        claims=len(claims.claims),
        pieces=len(pieces),
        sections=(
            Section("claims", _claims(bootstrap, judged, compared)),
            Section("citations", _citations(bootstrap, judge, claims.claims)),
            Section("seeded edits caught", {**usable, **caught(bootstrap, list(edits(judge, accepted, seed, track)))}),
            Section("seeded edits of evidence sentences caught", caught(bootstrap, quoted)),
            Section("false alarms", false_alarms(bootstrap, sentences)),
            Section("time of a verdict, ms", bootstrap.times([one.ms for one in judged])),
        ),
        confusion=_confusion(bootstrap, judged),
        scores=compared,
    )


def _stemmed(pieces: Iterable[str]) -> Iterable[tuple[int, str]]:
    """As passages are indexed."""
    return ((number, " ".join(terms(piece))) for number, piece in enumerate(pieces))


def _judge(judge: Judge, claim: Claim) -> Judged:
    began = perf_counter()
    judgement = judge(claim.claim, claim.evidence)
    return Judged(claim, judgement, 1000 * (perf_counter() - began))


def _compared(judged: Sequence[Judged]) -> dict[str, tuple[Floats, Floats]]:
    """What supported claims can be compared with; the rest only if it is more than one of these."""
    others = {one.claim.label for one in judged} - {"supported"}
    against = {name: labels for name, labels in _AGAINST.items() if others.intersection(labels)}
    if len(others) > 1:
        against["the rest"] = tuple(others)
    return {name: both for name, labels in against.items() if (both := _scores(judged, labels)) is not None}


def _scores(judged: Sequence[Judged], against: Sequence[Label]) -> tuple[Floats, Floats] | None:
    """Labels and scores of the supported claims, then of those they are compared with; None where one is missing."""
    positive = [one.judgement.score for one in judged if one.claim.label == "supported"]
    negative = [one.judgement.score for one in judged if one.claim.label in against]
    if not positive or not negative:
        return None
    labels = np.repeat([1.0, 0.0], [len(positive), len(negative)])
    return labels, np.array([*positive, *negative], np.float64)


def _claims(bootstrap: Bootstrap, judged: Sequence[Judged], compared: Mapping[str, tuple[Floats, Floats]]) -> Figures:
    figures = {}
    for name, (labels, scores) in compared.items():
        positive = int(labels.sum())
        separated = partial(probabilities.auroc, labels=labels, probabilities=scores)
        figures[f"AUROC, supported against {name}"] = bootstrap.figure(separated, (positive, len(labels) - positive))
    ordered = sorted(judged, key=lambda one: one.claim.label != "supported")
    right = np.array([one.claim.label == "supported" for one in ordered], np.float64)
    called = np.array([one.judgement.support == "supported" for one in ordered], np.float64)
    strata = (int(right.sum()), int(len(right) - right.sum()))
    shares = {"precision": (right * called, called), "recall": (right * called, right)}
    figures["accuracy of “supported”"] = bootstrap.mean(right == called, strata)
    for name, (above, below) in shares.items():
        counted = partial(probabilities.ratio, above=above, below=below)
        figures[f"{name} of “supported”"] = bootstrap.figure(counted, strata)
    return figures


def _confusion(bootstrap: Bootstrap, judged: Sequence[Judged]) -> dict[str, Figures]:
    given = {label: [one.judgement.support for one in judged if one.claim.label == label] for label in LABELS}
    return {
        label.replace("_", " "): {support: bootstrap.mean([one == support for one in all_]) for support in SUPPORTS}
        for label, all_ in given.items()
        if all_
    }


def _citations(bootstrap: Bootstrap, judge: Judge, claims: Sequence[Claim]) -> Figures:
    """How the right sentences of a page fare against its others; only where the set tells which these are."""
    annotated = [claim for claim in claims if claim.label == "supported" and any(claim.supporting)]
    cited = [claim for claim in claims if claim.label == "supported" and _others(claim)]
    marked = [judge(claim.claim, claim.evidence).best for claim in annotated]
    pairs = [(judge(claim.claim, claim.evidence), [judge(claim.claim, [o]) for o in _others(claim)]) for claim in cited]
    shares: dict[str, list[float]] = {
        "best piece is one that people marked": [
            best in {at for group in claim.supporting for at in group}
            for claim, best in zip(annotated, marked, strict=True)
        ],
        "supported by the marked pieces alone": [
            any(judge(c.claim, [c.evidence[at] for at in g]).support == "supported" for g in c.supporting if g)
            for c in annotated
        ],
        "right citation called supported": [right.support == "supported" for right, _ in pairs],
        "wrong citation of the page called supported": [
            float(np.mean([one.support == "supported" for one in wrong])) for _, wrong in pairs
        ],
        "right citation scored above a wrong one": [
            float(np.mean([(right.score > one.score) + 0.5 * (right.score == one.score) for one in wrong]))
            for right, wrong in pairs
        ],
    }
    return {name: bootstrap.mean(values) for name, values in shares.items() if values}


def _others(claim: Claim) -> list[str]:
    return [piece for piece in claim.retrieved if piece not in claim.evidence]
