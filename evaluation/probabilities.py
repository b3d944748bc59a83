"""What a probability is worth: does it separate, is it calibrated, what does a threshold do?

`labels` (1 or 0) and `probabilities` (0..1) have shape (n,). `weights` has shape (r, n), a row for each resample, so
that one call gives a figure for each; what is undefined, a class being absent, is NaN.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BINS = 10
"""Of equal width."""


def mean(weights: Floats, *, values: Floats) -> Floats:
    """The weighted mean."""
    return _divide(weights @ values, weights.sum(axis=1))


def quantile(weights: Floats, *, values: Floats, share: float) -> Floats:
    """The smallest value that at least `share` (0..1) of all do not exceed."""
    order = np.argsort(values)
    reached = weights[:, order].cumsum(axis=1) >= share * weights.sum(axis=1, keepdims=True) - 1e-9
    found: Floats = values[order][reached.argmax(axis=1)]
    return found


def auroc(weights: Floats, *, labels: Floats, probabilities: Floats) -> Floats:
    """The chance that a 1 gets a higher probability than a 0; a tie counts half."""
    order = np.argsort(probabilities, kind="stable")
    ties = np.flatnonzero(np.diff(probabilities[order], prepend=-1.0))
    ones = np.add.reduceat((weights * labels)[:, order], ties, axis=1)
    zeros = np.add.reduceat((weights * (1.0 - labels))[:, order], ties, axis=1)
    below = zeros.cumsum(axis=1) - zeros
    return _divide((ones * (below + zeros / 2)).sum(axis=1), ones.sum(axis=1) * zeros.sum(axis=1))


def ratio(weights: Floats, *, above: Floats, below: Floats) -> Floats:
    """The weighted sum of one over that of the other: a share of those that only `below` counts."""
    return _divide(weights @ above, weights @ below)


def aurc(weights: Floats, *, labels: Floats, probabilities: Floats) -> Floats:
    """Area under the risk-coverage curve: the mean, over all coverages, of the share of zeros among those let through.

    Questions pass in the order of their probability, ties in any order. `weights` are whole numbers.
    Geifman, Uziel and El-Yaniv, 2019.
    """
    order = np.argsort(-probabilities, kind="stable")
    ties = np.flatnonzero(np.diff(-probabilities[order], prepend=-2.0))
    through = np.add.reduceat(weights[:, order], ties, axis=1)
    zeros = np.add.reduceat((weights * (1.0 - labels))[:, order], ties, axis=1)
    return _divide(_risks(through, zeros), weights.sum(axis=1))


def excess_aurc(weights: Floats, *, labels: Floats, probabilities: Floats) -> Floats:
    """How far `aurc` is above that of an oracle, which lets every one through before the first zero."""
    ones, zeros = weights @ labels, weights @ (1.0 - labels)
    best = _risks(np.stack([ones, zeros], axis=1), np.stack([np.zeros_like(zeros), zeros], axis=1))
    return aurc(weights, labels=labels, probabilities=probabilities) - _divide(best, ones + zeros)


def expected_calibration_error(weights: Floats, *, labels: Floats, probabilities: Floats) -> Floats:
    """Mean distance between probability and share of ones, over `BINS` bins of equal width. Guo et al., 2017."""
    bins = np.eye(BINS)[_bin(probabilities)]
    gaps = weights @ (bins * (probabilities - labels)[:, None])
    return _divide(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram."""

    probability: float
    """The mean of those in it."""
    share: float
    """Of ones."""
    count: int


def reliability(labels: Floats, probabilities: Floats) -> list[Bin]:
    """The bins that hold anything, in order."""
    at = _bin(probabilities)
    inside = [at == number for number in range(BINS)]
    return [Bin(float(probabilities[i].mean()), float(labels[i].mean()), int(i.sum())) for i in inside if i.any()]


def roc(labels: Floats, probabilities: Floats) -> list[tuple[float, float]]:
    """(Share of zeros let through, share of ones let through) from the strictest threshold to none."""
    through, ones = _by_threshold(labels, probabilities)
    positives = max(1.0, labels.sum())
    negatives = max(1.0, len(labels) - labels.sum())
    return [(0.0, 0.0), *zip(((through - ones) / negatives).tolist(), (ones / positives).tolist(), strict=True)]


def risk_coverage(labels: Floats, probabilities: Floats) -> list[tuple[float, float]]:
    """(Share let through, share of zeros among these) from the strictest threshold to none."""
    through, ones = _by_threshold(labels, probabilities)
    return (
        list(zip((through / len(labels)).tolist(), (1.0 - ones / through).tolist(), strict=True)) if len(ones) else []
    )


def _risks(through: Floats, zeros: Floats) -> Floats:
    """The sum of the expected risks after each question; those of one column, `zeros` among them, in any order."""
    after, bad = through.cumsum(axis=1), zeros.cumsum(axis=1)
    before = after - through
    rate = np.divide(zeros, through, out=np.zeros_like(zeros), where=through > 0)
    most = int(after.max(initial=0.0))
    harmonic = np.concatenate([[0.0], (1.0 / np.arange(1, most + 1)).cumsum()])
    spread = harmonic[after.astype(np.intp)] - harmonic[before.astype(np.intp)]
    summed: Floats = (zeros + (bad - zeros - before * rate) * spread).sum(axis=1)
    return summed


def at_threshold(labels: Floats, probabilities: Floats, threshold: float) -> tuple[float, float] | None:
    """The point of `risk_coverage` where those from `threshold` on are let through; None if there are none."""
    through = probabilities >= threshold
    return (float(through.mean()), float(1.0 - labels[through].mean())) if through.any() else None


def _by_threshold(labels: Floats, probabilities: Floats) -> tuple[Floats, Floats]:
    """How many pass each distinct threshold, and how many ones, highest threshold first."""
    order = np.argsort(-probabilities, kind="stable")
    last = np.flatnonzero(np.diff(probabilities[order], append=-1.0))
    return (last + 1).astype(np.float64), labels[order].cumsum()[last]


def _bin(probabilities: Floats) -> npt.NDArray[np.intp]:
    return np.minimum((probabilities * BINS).astype(np.intp), BINS - 1)


def _divide(above: Floats, below: Floats) -> Floats:
    divided: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return divided
