"""What an evaluation found, ready to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.probabilities import Floats
from evaluation.resampling import Figure
from evaluation.searches import Difficulty

Figures = Mapping[str, Figure]
"""By the name they are shown under, in the order they are shown in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateResult:
    """How the gate tells answerable questions from those of one difficulty."""

    difficulty: Difficulty
    figures: Figures
    labels: Floats
    """1 for answerable questions, 0 for those to be refused; shape (n,)."""
    probabilities: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class SetResult:
    """Everything found out about one set."""

    name: str
    file: str
    digest: str
    questions: int
    documents: int | None
    """None if the set has no corpus of its own."""
    left_out: int
    collection: str
    by_span: bool
    """Whether hits in long documents had to overlap a span."""
    retrieval: Figures
    gate: tuple[GateResult, ...]
    asked: int
    """End to end."""
    answers: Figures
    latency: Figures

    @property
    def about(self) -> str:
        """The set in a line: what it was, how large, and against what it was measured."""
        against = f"collection “{self.collection}”"
        if self.documents is not None:
            against = f"{self.documents} documents"
            against += f" ({self.left_out} left out, without text)" if self.left_out else ""
        rule = "a hit overlaps a span" if self.by_span else "a hit is from a relevant document"
        asked = f"{self.asked} asked end to end"
        count = "1 question" if self.questions == 1 else f"{self.questions} questions"
        return f"{count}, {against}, {asked}; {rule}; {self.file}, sha256 {self.digest}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The results of one command."""

    date: str
    version: str
    models: Mapping[str, str]
    """What they are for -> their names."""
    seed: int
    sets: tuple[SetResult, ...]


NOTES = (
    "Intervals are 95 % bootstrap intervals: 1,000 seeded resamples of the questions, within their class at the gate.",
    "Ranks are of passages. Evidence recall: found whole is the share of questions with every relevant document (or "
    "span) among the passages, found in part the mean share of them.",
    "At the gate, answerable questions as they are stand against questions to be refused: the same ones with their "
    "topic absent from the index, the same ones with their relevant documents absent, or near misses, written so as to "
    "have no answer. Over-refusal is the share of answerable questions below a threshold, false opens the share of "
    "the others above it.",
    "ECE has 10 bins of equal width. The threshold is the policy's minimum score alone; the gate also counts passages "
    "and searches wider, so the share answered end to end can differ.",
)
