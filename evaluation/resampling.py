"""Figures with their uncertainty: the percentile bootstrap (Efron, 1979)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from evaluation import probabilities
from evaluation.probabilities import Floats

RESAMPLES = 1000
_AT_ONCE = 4_000_000
_NAN = float("nan")

Statistic = Callable[[Floats], Floats]
"""From weights, shape (r, n), to a figure for each row."""
Unit = Literal["share", "ms"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval, over `n` questions; NaN if there is nothing to tell."""

    value: float
    low: float
    high: float
    n: int
    unit: Unit = "share"

    def __str__(self) -> str:
        return f"{self.shown} {self.interval}".rstrip()

    @property
    def known(self) -> bool:
        """Whether there is anything to tell."""
        return not math.isnan(self.value)

    @property
    def shown(self) -> str:
        """The value alone."""
        return self._spell(self.value) if self.known else "–"

    @property
    def interval(self) -> str:
        """The interval alone."""
        return f"{self._spell(self.low)}–{self._spell(self.high)}" if self.known else ""

    def _spell(self, value: float) -> str:
        return f"{value:z.3f}" if self.unit == "share" else f"{value:.{1 if value >= 1 else 2}f}"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Makes figures; the same seed makes the same intervals."""

    seed: int = 0

    def figure(self, statistic: Statistic, strata: Sequence[int], unit: Unit = "share") -> Figure:
        """A statistic over the questions, and its interval by resampling within each stratum.

        `strata` are sizes: the first so many questions, the next so many, and so on; their classes stay in proportion.
        """
        n = sum(strata)
        if not n:
            return Figure(_NAN, _NAN, _NAN, 0, unit)
        value = float(statistic(np.ones((1, n)))[0])
        if math.isnan(value):
            return Figure(_NAN, _NAN, _NAN, n, unit)
        rng = np.random.default_rng([self.seed, *strata])
        rows = max(1, _AT_ONCE // n)
        drawn = np.concatenate(
            [statistic(_weights(rng, min(rows, RESAMPLES - done), strata)) for done in range(0, RESAMPLES, rows)]
        )
        low, high = np.quantile(drawn, [0.025, 0.975])
        return Figure(value, float(low), float(high), n, unit)

    def mean(self, values: npt.ArrayLike, strata: Sequence[int] | None = None) -> Figure:
        """The mean of shares or of yes and no."""
        numbers = np.asarray(values, np.float64)
        return self.figure(partial(probabilities.mean, values=numbers), strata or (len(numbers),))

    def times(self, taken: Sequence[float]) -> dict[str, Figure]:
        """The median and the 95th percentile of milliseconds, as `p50` and `p95`."""
        values = np.array(taken, np.float64)
        return {
            f"p{100 * share:.0f}": self.figure(
                partial(probabilities.quantile, values=values, share=share), (len(values),), "ms"
            )
            for share in (0.50, 0.95)
        }


def _weights(rng: np.random.Generator, rows: int, strata: Sequence[int]) -> Floats:
    """How often each question is drawn, shape (rows, n)."""
    parts = []
    for size in filter(None, strata):
        drawn = rng.integers(size, size=(rows, size)) + size * np.arange(rows)[:, None]
        parts.append(np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size))
    weights: Floats = np.concatenate(parts, axis=1).astype(np.float64)
    return weights
