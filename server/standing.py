"""How the last runs stand against the targets of a server: what is too slow, too thinly cited, or given up on."""

import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callbacks.events import PipelineMetric, RefinementUpdate
from evaluation.targets import ENOUGH, SERVING
from graph.readership import Reading
from graph.run import Run

log = logging.getLogger(__name__)

WINDOW = 200
"""Runs that are looked at; a figure over fewer than `ENOUGH` says nothing yet."""
WEAK = "refinement"
_TIMES = ("time_to_first_token", "time_to_first_useful_answer", "time_to_final_answer")
_SHARES = ("citation_coverage", "citation_precision")
_GONE: frozenset[Reading] = frozenset({"left_before_first_token", "left_before_final_answer"})


@dataclass(frozen=True, slots=True)
class Standing:
    """A figure over the last runs, and its target if it has one."""

    value: float | None
    """None where there is nothing to tell."""
    runs: int
    target: float | None
    at_most: bool

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, or where there were too few runs to tell."""
        if self.value is None or self.target is None or self.runs < ENOUGH:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def as_dict(self) -> dict[str, float | int | bool | str | None]:
        """As JSON shows it."""
        value = None if self.value is None else round(self.value, 4)
        bound = None if self.target is None else f"{'≤' if self.at_most else '≥'} {self.target:g}"
        return {"value": value, "target": bound, "met": self.met, "runs": self.runs}


class LastRuns:
    """The figures of the last runs, each over those runs that have it."""

    def __init__(self, window: int = WINDOW) -> None:
        self._kept: dict[str, deque[float]] = {name: deque(maxlen=window) for name in (*_TIMES, *_SHARES)}
        self._changed: deque[float] = deque(maxlen=window)
        self._retracted: deque[float] = deque(maxlen=window)
        self._left: deque[float] = deque(maxlen=window)
        self._weak = False

    def observe(self, run: Run) -> None:
        """Take note of a run that has ended."""
        if run.metric is not None:
            self._measure(run.metric)
        update = _refinement(run)
        if update is not None:
            self._changed.append(float(update.action != "confirm"))
            self._retracted.append(float(update.action == "retract"))
            self._warn()

    def read(self, reading: Reading) -> None:
        """Take note of whether an asker stayed; where somebody stopped a run, or none was to stay, it tells nothing."""
        if reading in _GONE or reading == "whole":
            self._left.append(float(reading in _GONE))

    def standings(self) -> Mapping[str, Standing]:
        """Every figure by its name."""
        figures: dict[str, tuple[float | None, int]] = {}
        for name in _TIMES:
            figures[f"{name}_p95_seconds"] = _p95(self._kept[name]), len(self._kept[name])
        for name in _SHARES:
            figures[name] = _mean(self._kept[name]), len(self._kept[name])
        figures["abandonment"] = _mean(self._left), len(self._left)
        figures[WEAK] = _mean(self._changed), len(self._changed)
        figures["retraction"] = _mean(self._retracted), len(self._retracted)
        return {name: _standing(name, value, runs) for name, (value, runs) in figures.items()}

    def _measure(self, metric: PipelineMetric) -> None:
        for name in _TIMES:
            taken = getattr(metric, f"{name}_ms")
            if taken is not None:
                self._kept[name].append(taken / 1000)
        for name in _SHARES:
            share = getattr(metric, name)
            if share is not None:
                self._kept[name].append(share)

    def _warn(self) -> None:
        """Say it once when the drafts begin to be changed too often, and again only after they were not."""
        share, runs = _mean(self._changed), len(self._changed)
        weak = _standing(WEAK, share, runs).met is False
        if weak and not self._weak:
            log.warning(
                "fast retrieval is weak: %.0f %% of the last %d drafts were changed by deeper evidence",
                100 * (share or 0.0),
                runs,
            )
        self._weak = weak


def _standing(name: str, value: float | None, runs: int) -> Standing:
    target = SERVING.get(name)
    return Standing(value, runs, None if target is None else target.bound, target is None or target.at_most)


def _refinement(run: Run) -> RefinementUpdate | None:
    """What became of a run's draft, if it had one."""
    updates = (e.event.payload for e in reversed(run.log.entries) if isinstance(e.event.payload, RefinementUpdate))
    return next(updates, None)


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _p95(values: Sequence[float]) -> float | None:
    """The nearest rank, so that it is a time that was taken."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else None
