"""Measuring a set of planted errors: what is repaired, what it costs, what it harms."""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from callbacks.events import Action, Trigger
from evaluation.correcting import Corrected, Correcting
from evaluation.corrections import CONTROL, KINDS, CorrectionSet
from evaluation.probabilities import Floats, quantile
from evaluation.resampling import Bootstrap, Figure
from evaluation.results import CorrectionsResult, Figures, Section

REPAIRED = "planted errors repaired"
HARM = "harm done by corrections"
DISAGREE = "documents"


def measure(given: CorrectionSet, correcting: Correcting, seed: int = 0) -> CorrectionsResult:
    """Index the cases, run each with its draft, and those where documents disagree with the model's own. Raises
    `LoadError` and `Refusal`.
    """
    correcting.index(given.cases)
    found = correcting.scripted(given.cases)
    own = correcting.own([case for case in given.cases if case.kind == DISAGREE])
    bootstrap = Bootstrap(seed)
    planted = [one for one in found if one.case.kind != CONTROL]
    return CorrectionsResult(
        name=given.name,
        file=given.path.name,
        digest=given.digest,
        cases=len(planted),
        controls=len(found) - len(planted),
        sections=(
            Section(REPAIRED, _repaired(bootstrap, planted)),
            Section("nothing wrong asserted any more", _withdrawn(bootstrap, planted)),
            Section(HARM, _harm(bootstrap, found)),
            Section("cost of corrections", _cost(bootstrap, planted)),
            Section("what was done to drafts with an error", _actions(bootstrap, planted)),
            Section("what was done to controls", _actions(bootstrap, [o for o in found if o.case.kind == CONTROL])),
            Section("the model's own answers where documents disagree", _own(bootstrap, own)),
            Section("time of corrections, ms", _times(bootstrap, found)),
        ),
    )


def _repaired(bootstrap: Bootstrap, planted: Sequence[Corrected]) -> Figures:
    figures = {"any planted error": bootstrap.mean([one.repaired for one in planted])}
    for kind in KINDS[:-1]:
        figures[kind] = bootstrap.mean([one.repaired for one in planted if one.case.kind == kind])
    for name, undecided in (("documents, the newer one known", False), ("documents, nothing tells which", True)):
        among = [o.repaired for o in planted if o.case.kind == DISAGREE and o.case.undecided == undecided]
        figures[name] = bootstrap.mean(among)
    return figures


def _withdrawn(bootstrap: Bootstrap, planted: Sequence[Corrected]) -> Figures:
    decided = [one for one in planted if not one.case.undecided]
    figures = {"any planted error": bootstrap.mean([one.withdrawn for one in decided])}
    for kind in KINDS[:-1]:
        figures[kind] = bootstrap.mean([one.withdrawn for one in decided if one.case.kind == kind])
    return figures


def _harm(bootstrap: Bootstrap, found: Sequence[Corrected]) -> Figures:
    drafted = [one for one in found if one.draft]
    controls = [one for one in drafted if one.case.kind == CONTROL]
    planted = [one for one in drafted if one.case.kind != CONTROL]
    lost = sum(len(one.heard.lost) for one in planted)
    right = sum(len(one.case.keeps) for one in planted)
    return {
        "controls altered": bootstrap.mean([one.harmed for one in controls]),
        "controls that lost what they said": bootstrap.mean([bool(one.heard.lost_outright) for one in controls]),
        "cases that lost a right sentence": bootstrap.mean([one.harmed for one in planted]),
        "right sentences lost": bootstrap.mean([1.0] * lost + [0.0] * (right - lost)),
        "drafts never written": bootstrap.mean([not one.draft for one in found]),
    }


def _cost(bootstrap: Bootstrap, planted: Sequence[Corrected]) -> Figures:
    shares = np.array([one.changed for one in planted if one.repaired], np.float64)

    def median(weights: Floats) -> Floats:
        return quantile(weights, values=shares, share=0.5)

    return {
        "median share of sentences changed": bootstrap.figure(median, (len(shares),)),
        "mean share of sentences changed": bootstrap.mean(shares),
    }


def _actions(bootstrap: Bootstrap, among: Sequence[Corrected]) -> Figures:
    done = [one.update.action if one.update else None for one in among]
    actions: dict[str, Figure] = {name: bootstrap.mean([a == name for a in done]) for name in get_args(Action)}
    triggers = {
        f"trigger: {name}": bootstrap.mean([name in one.triggers for one in among]) for name in get_args(Trigger)
    }
    return {name: figure for name, figure in {**actions, **triggers}.items() if figure.value > 0}


def _own(bootstrap: Bootstrap, own: Sequence[Corrected]) -> Figures:
    answered = [one for one in own if one.final is not None and one.final.outcome == "answered"]
    return {
        "answered": bootstrap.mean([one in answered for one in own]),
        "says what is right, or both sides": bootstrap.mean([one.repaired for one in own]),
        "asserts what is outdated": bootstrap.mean([bool(one.heard.asserts) for one in own if not one.case.undecided]),
    }


def _times(bootstrap: Bootstrap, found: Sequence[Corrected]) -> Figures:
    figures: dict[str, Figure] = {}
    taken = {
        "from the last token to the final answer": [one.deciding_ms for one in found],
        "whole run": [float(one.metric.total_pipeline_ms) if one.metric else None for one in found],
    }
    for name, times in taken.items():
        for share, figure in bootstrap.times([ms for ms in times if ms is not None]).items():
            figures[f"{name} {share}"] = figure
    return figures
