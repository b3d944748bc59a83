"""What the gate's probabilities and decisions are worth, in figures."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from evaluation import probabilities
from evaluation.decisions import LENIENT_CHUNKS, LENIENT_SCORE, Seen
from evaluation.resampling import Bootstrap
from evaluation.results import Figures, GateResult
from evaluation.searches import Difficulty, Probed

_LENIENT = f"{LENIENT_CHUNKS} passages at {LENIENT_SCORE:.2f}"


def answerable(bootstrap: Bootstrap, present: Sequence[Seen], thresholds: Sequence[float]) -> Figures:
    """What the gate does with questions it should let through."""
    told = np.array([seen.probability for seen in present], np.float64)
    shares = {f"over-refusal at {threshold:.2f}": told < threshold for threshold in thresholds}
    shares[f"refused at first, {_LENIENT}"] = np.array([not seen.at_first for seen in present], np.bool_)
    shares[f"refused in the end, {_LENIENT}"] = np.array([not seen.in_the_end for seen in present], np.bool_)
    return {name: bootstrap.mean(values) for name, values in shares.items()}


def gate_result(
    bootstrap: Bootstrap, probed: Probed, difficulty: Difficulty, thresholds: Sequence[float]
) -> GateResult:
    """How well answerable questions and those of one difficulty are told apart; the first threshold is the policy's."""
    absent = probed.absent[difficulty]
    strata = (len(probed.present), len(absent))
    told = np.array([seen.probability for seen in (*probed.present, *absent)], np.float64)
    labels = np.repeat([1.0, 0.0], strata)
    both = {"labels": labels, "probabilities": told}
    figures = {
        "AUROC": bootstrap.figure(partial(probabilities.auroc, **both), strata),
        "ECE": bootstrap.figure(partial(probabilities.expected_calibration_error, **both), strata),
        "Brier score": bootstrap.mean((told - labels) ** 2, strata),
        "AURC": bootstrap.figure(partial(probabilities.aurc, **both), strata),
        "excess AURC": bootstrap.figure(partial(probabilities.excess_aurc, **both), strata),
    }
    for threshold in thresholds:
        opened = told >= threshold
        figures[f"accuracy at {threshold:.2f}"] = bootstrap.mean(opened == labels, strata)
        figures[f"false opens at {threshold:.2f}"] = bootstrap.mean(opened[strata[0] :])
    figures["opened by the gate"] = bootstrap.mean([seen.in_the_end for seen in absent])
    return GateResult(
        difficulty=difficulty, figures=figures, labels=labels, probabilities=told, threshold=thresholds[0]
    )
