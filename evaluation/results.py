"""What an evaluation found, ready to be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.probabilities import Floats
from evaluation.resampling import Figure
from evaluation.searches import Difficulty
from evaluation.targets import ENOUGH, Target, target

Figures = Mapping[str, Figure]
"""By the name they are shown under, in the order they are shown in."""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that are shown together; targets are found by the title."""

    title: str
    figures: Figures

    def known(self) -> Iterator[tuple[str, Figure, Target | None]]:
        """The figures that tell anything, each with its target."""
        for name, figure in self.figures.items():
            if figure.known:
                yield name, figure, target(self.title, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateResult:
    """How the gate tells answerable questions from those of one difficulty."""

    difficulty: Difficulty
    figures: Figures
    labels: Floats
    """1 for answerable questions, 0 for those to be refused; shape (n,)."""
    probabilities: Floats
    threshold: float
    """The policy's minimum score."""

    @property
    def section(self) -> Section:
        """The figures with their title."""
        return Section(f"gate, {self.difficulty}", self.figures)


@dataclass(frozen=True, kw_only=True, slots=True)
class SetResult:
    """Everything found out about a set of questions."""

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
    answerable: Figures
    """What the gate does with questions it should let through."""
    gate: tuple[GateResult, ...]
    asked: int
    """End to end."""
    embedded: bool
    """Whether the embedded model answered."""
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

    @property
    def sections(self) -> tuple[Section, ...]:
        """The figures, those of the gate's difficulties left out."""
        return (
            Section("retrieval", self.retrieval),
            Section("answers of the embedded model" if self.embedded else "answers", self.answers),
            Section("latency, ms", self.latency),
            Section("gate, answerable questions", self.answerable),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimsResult:
    """Everything found out about a set of claims."""

    name: str
    file: str
    digest: str
    claims: int
    pieces: int
    """Distinct pieces of evidence; how rare a word is, is told by these."""
    sections: tuple[Section, ...]
    confusion: Mapping[str, Figures]
    """For each label, the share of each support it was given."""
    scores: Mapping[str, tuple[Floats, Floats]]
    """For each comparison that can be made: labels, 1 for supported, and scores."""

    @property
    def about(self) -> str:
        """The set in a line."""
        return f"{self.claims} claims, {self.pieces} pieces of evidence; {self.file}, sha256 {self.digest}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionsResult:
    """Everything found out about planted errors."""

    name: str
    file: str
    digest: str
    cases: int
    controls: int
    sections: tuple[Section, ...]

    @property
    def about(self) -> str:
        """The set in a line."""
        return f"{self.cases} drafts with an error, {self.controls} without; {self.file}, sha256 {self.digest}"


Result = SetResult | ClaimsResult | CorrectionsResult


def every_section(result: Result) -> tuple[Section, ...]:
    """All sections, in the order they are shown in."""
    match result:
        case SetResult():
            return (*result.sections, *(gate.section for gate in result.gate))
        case ClaimsResult() | CorrectionsResult():
            return result.sections


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The results of one command."""

    date: str
    version: str
    models: Mapping[str, str]
    """What they are for -> their names."""
    seed: int
    sets: Sequence[Result]

    def targets(self) -> Iterator[tuple[str, str, str, Figure, Target]]:
        """Every figure that has a target: set, section, name, figure, target."""
        for result in self.sets:
            for section in every_section(result):
                for name, figure, bound in section.known():
                    if bound is not None:
                        yield result.name, section.title, name, figure, bound


NOTES = (
    "Intervals are 95 % bootstrap intervals: 1,000 seeded resamples of the questions or claims, within their class at "
    "the gate and for claims. A target is met or not by the exact value; “narrowly” says that the interval reaches "
    f"across it, “too few” that there are less than {ENOUGH} to judge by. "
    "Figures without a target are published as they are, near misses among them.",
    "Ranks are of passages. Evidence recall: found whole is the share of questions with every relevant document (or "
    "span) among the passages, found in part the mean share of them.",
    "Citation precision is the share of citations whose quote alone supports its sentence, by tier 1 of the "
    "verification. Citations of a relevant document are those from where the set says the answer is.",
    "At the gate, answerable questions as they are stand against questions to be refused: the same ones with their "
    "topic absent from the index, the same ones with their relevant documents absent, or near misses, written so as to "
    "have no answer. Over-refusal is the share of answerable questions below a threshold, false opens the share of "
    "the others above it.",
    "“2 passages at 0.60” is the gate's own decision, with the default policy changed to these two numbers: refused at "
    "first asks the first search alone, refused in the end searches wider where the gate says so, without a model's "
    "rewrite. “Opened by the gate” is the same for questions to be refused, in the end.",
    "Risk over coverage: questions in the order of their probability; coverage is the share answered, risk the share "
    "of these that should have been refused. AURC is the mean risk over all coverages, its excess that above an oracle "
    "which answers every answerable question first. The ring marks the policy's minimum score.",
    "ECE has 10 bins of equal width. The threshold is the policy's minimum score alone; the gate also counts passages "
    "and searches wider, so the share answered end to end can differ.",
    "Claims are judged by tier 1 of the verification, as the server does while streaming, against all evidence of the "
    "claim; how rare a word is, is told by an index of all pieces of evidence in the set. The AUROC is of its score. "
    "A claim that is supported in part counts as not supported, except where it is left out.",
    "Seeded edits change one thing in a claim that is labelled supported and was called supported unedited, so that "
    "its evidence no longer supports it; caught is whatever is not called supported any more. The same is done to "
    "sentences of the evidence, quoted word for word. Numbers, dates and names come from elsewhere and stand nowhere "
    "in the evidence. Those “from the evidence” do stand there, about something else: the hard case, published "
    "without a target, and now and then true by accident.",
    "False alarms are sentences that are certainly supported and not called so: sentences of the evidence word for "
    "word, and the same with one light rewording that keeps the meaning. Most rewordings are of the easy kinds, so the "
    "kinds are told apart. Paraphrases by people are not among them: how many of these pass is the recall.",
    "Planted errors: a scripted model writes a draft with one error, the rest of the pipeline is the server's own. "
    "Repaired: the final answer says what is right and asserts nothing that is wrong. A newer document is right; what "
    "the older one says may stand only as a quotation or marked as older, and where nothing tells which is right both "
    "must be told. A sentence left out, or a retraction, is no repair. Harm: a right sentence is not there word for "
    "word any more, or anything at all is changed in or added to a draft without an error.",
)
