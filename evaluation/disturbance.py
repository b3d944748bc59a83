"""Whether the judge notices what an edit changed, and lets a rewording pass."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from callbacks.answer import Judge
from evaluation.claims import Claim
from evaluation.corpus import Track
from evaluation.edits import EDITS, HARD_EDITS, Material, whole_sentence
from evaluation.entities import entities
from evaluation.resampling import Bootstrap, Figure
from evaluation.results import Figures
from evaluation.rewordings import REWORDINGS, Rewording

VERBATIM = "verbatim sentences"
_SAME: Mapping[str, Rewording] = {VERBATIM: str}


class Alarm(NamedTuple):
    """A text that was made, from which claim and how, and whether the judge calls it anything but supported."""

    claim: Claim
    kind: str
    text: str
    raised: bool


def caught(bootstrap: Bootstrap, alarms: Sequence[Alarm]) -> Figures:
    """The share of edits that is noticed, of all that are certain and of each kind."""
    figures = {"any edit": bootstrap.mean([alarm.raised for alarm in alarms if alarm.kind in EDITS])}
    return figures | _by_kind(bootstrap, alarms, (*EDITS, *HARD_EDITS))


def false_alarms(bootstrap: Bootstrap, alarms: Sequence[Alarm]) -> Figures:
    """The share of certainly supported sentences that is called anything else."""
    figures = _by_kind(bootstrap, alarms, _SAME)
    figures["light rewordings"] = bootstrap.mean([alarm.raised for alarm in alarms if alarm.kind != VERBATIM])
    return figures | _by_kind(bootstrap, alarms, REWORDINGS)


def _by_kind(bootstrap: Bootstrap, alarms: Sequence[Alarm], kinds: Iterable[str]) -> dict[str, Figure]:
    return {kind: bootstrap.mean([alarm.raised for alarm in alarms if alarm.kind == kind]) for kind in kinds}


def edits(judge: Judge, claims: Sequence[Claim], seed: int, track: Track) -> Iterator[Alarm]:
    """Every kind of edit of every claim that it can be done to, judged by the claim's own evidence."""
    names = sorted({name for claim in claims for name in entities(claim.claim)}, key=lambda name: name.text)
    for claim in track(claims, "Editing"):
        material = Material(claim.claim, claim.evidence, names)
        for kind, edit in {**EDITS, **HARD_EDITS}.items():
            text = edit(material, _rng(seed, kind, claim))
            if text is not None:
                yield Alarm(claim, kind, text, judge(text, claim.evidence).support != "supported")


def rewordings(judge: Judge, claims: Sequence[Claim], seed: int, track: Track) -> Iterator[Alarm]:
    """For each claim one sentence of its evidence as it is, and one for each kind of rewording; none of them twice."""
    used: set[tuple[str, str]] = set()
    for claim in track(claims, "Rewording"):
        whole = [piece for piece in dict.fromkeys(claim.evidence) if whole_sentence(piece)]
        order = [whole[at] for at in _rng(seed, "rewording", claim).permutation(len(whole)).tolist()]
        for kind, reword in {**_SAME, **REWORDINGS}.items():
            for piece in order:
                text = reword(piece)
                if (kind, piece) not in used and (text != piece or kind == VERBATIM):
                    used.add((kind, piece))
                    yield Alarm(claim, kind, text, judge(text, claim.evidence).support != "supported")
                    break


def quotes(alarms: Iterable[Alarm]) -> list[Claim]:
    """The sentences that were judged as they are and called supported, as claims."""
    return [a.claim.model_copy(update={"claim": a.text}) for a in alarms if a.kind == VERBATIM and not a.raised]


def _rng(seed: int, kind: str, claim: Claim) -> np.random.Generator:
    """The same for the same claim, wherever in a file it stands."""
    return np.random.default_rng([seed, zlib.crc32(f"{kind} {claim.id} {claim.claim}".encode())])
