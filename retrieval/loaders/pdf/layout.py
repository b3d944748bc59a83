"""The pieces a PDF page is made of. Lengths are in points, y grows upwards, as in the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

VALUE_ENDS = frozenset("0123456789)%")
VALUE_STARTS = frozenset("0123456789($€£")
"""Where a character of the one is followed by a space and one of the other, a value ends and the next begins."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one line without a wide gap between them: a line of prose, or a cell of a table."""

    text: str
    x0: float
    x1: float
    bottom: float
    top: float
    bold: bool

    @property
    def size(self) -> float:
        """The height of the font's box, a little more than its size."""
        return self.top - self.bottom

    def joined(self, other: "Run", gap: str) -> "Run":
        """One run of this one and another to its right."""
        return Run(
            self.text + gap + other.text,
            min(self.x0, other.x0),
            max(self.x1, other.x1),
            min(self.bottom, other.bottom),
            max(self.top, other.top),
            self.bold and other.bold,
        )


@dataclass(frozen=True)
class Line:
    """Runs at the same height, left to right."""

    runs: tuple[Run, ...]
    page: int
    """1 is the first."""

    @cached_property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)

    @property
    def x0(self) -> float:
        return self.runs[0].x0

    @property
    def x1(self) -> float:
        return max(run.x1 for run in self.runs)

    @cached_property
    def bottom(self) -> float:
        return self._longest.bottom

    @cached_property
    def top(self) -> float:
        return self._longest.top

    @property
    def size(self) -> float:
        return self.top - self.bottom

    @cached_property
    def bold(self) -> bool:
        return all(run.bold for run in self.runs)

    @cached_property
    def _longest(self) -> Run:
        """The run that says how high the line is: a footnote mark beside it does not."""
        return max(self.runs, key=lambda run: len(run.text))


@dataclass(frozen=True, slots=True)
class Page:
    """A page's regions in reading order, each with its lines from top to bottom."""

    number: int
    bottom: float
    top: float
    regions: Sequence[Sequence[Line]]
