"""What the figures are meant to reach: the one place where targets stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evaluation.resampling import Figure

ENOUGH = 20
"""Over fewer questions or claims than this, whether a target is met is chance."""
TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure, which belongs to what is met."""

    bound: float
    at_most: bool = False

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}"

    def met(self, figure: Figure) -> bool:
        """Whether the value, exact to rounding errors, reaches the target."""
        short = figure.value - self.bound if self.at_most else self.bound - figure.value
        return short < 1e-9

    def verdict(self, figure: Figure) -> str:
        """`met` or `not met` by the value; `narrowly` where the interval reaches across the target; or `too few`."""
        if figure.n < ENOUGH:
            return TOO_FEW
        said = "met" if self.met(figure) else "not met"
        return f"{said}, narrowly" if figure.low < self.bound < figure.high else said

    def judged(self, figure: Figure) -> Literal["met", "missed", "few"]:
        """The verdict in short, as reports colour it."""
        if figure.n < ENOUGH:
            return "few"
        return "met" if self.met(figure) else "missed"


def at_least(bound: float) -> Target:
    """The larger the better."""
    return Target(bound)


def at_most(bound: float) -> Target:
    """The smaller the better."""
    return Target(bound, at_most=True)


TARGETS: Mapping[str, Mapping[str, Target]] = {
    "gate, answerable questions": {
        "over-refusal at 0.60": at_most(0.03),
        "refused at first, 2 passages at 0.60": at_most(0.03),
        "refused in the end, 2 passages at 0.60": at_most(0.03),
    },
    "gate, topic absent": {
        "AUROC": at_least(0.99),
        "ECE": at_most(0.05),
        "accuracy at 0.65": at_least(0.97),
        "accuracy at 0.60": at_least(0.97),
    },
    "gate, passage absent": {"AUROC": at_least(0.90)},
    "answers of the embedded model": {
        "citation coverage": at_least(1.0),
        "citation precision": at_least(1.0),
        "drafts changed by the refinement": at_most(0.40),
    },
    "answers": {
        "citation coverage": at_least(0.95),
        "citation precision": at_least(0.90),
        "drafts changed by the refinement": at_most(0.40),
    },
    "latency, ms": {
        "gate decision p95": at_most(5.0),
        "first token p95": at_most(2_000.0),
        "first useful answer p95": at_most(5_000.0),
        "final answer p95": at_most(30_000.0),
    },
    "claims": {"AUROC, supported against not supported": at_least(0.94)},
    "seeded edits caught": {
        kind: at_least(0.97) for kind in ("any edit", "number", "ordinal", "date", "entity", "negation")
    },
    "false alarms": {"verbatim sentences": at_most(0.05), "light rewordings": at_most(0.05)},
    "time of a verdict, ms": {"p95": at_most(5.0)},
    "planted errors repaired": {
        "any planted error": at_least(0.90),
    },
    "harm done by corrections": {
        "controls altered": at_most(0.0),
        "cases that lost a right sentence": at_most(0.0),
    },
    "cost of corrections": {"median share of sentences changed": at_most(0.20)},
}
"""By the title of the section, then by the name of the figure. What is not here is published without a target."""

SERVING: Mapping[str, Target] = {
    "time_to_first_token_p95_seconds": at_most(2.0),
    "time_to_first_useful_answer_p95_seconds": at_most(5.0),
    "time_to_final_answer_p95_seconds": at_most(30.0),
    "citation_coverage": at_least(0.95),
    "citation_precision": at_least(0.90),
    "abandonment": at_most(0.05),
    "refinement": at_most(0.40),
}
"""What a server that runs is to reach over its last runs. Where more drafts are changed than this, the first search is
too weak to answer from."""


def target(section: str, name: str) -> Target | None:
    """The target of a figure, if it has one."""
    return TARGETS.get(section, {}).get(name)
