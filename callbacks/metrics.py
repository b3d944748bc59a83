"""How long a run takes, measured from the events it publishes and the callbacks it hears."""

from dataclasses import dataclass, field
from time import monotonic

from callbacks.events import (
    FinalAnswer,
    GateDecision,
    PartialAnswer,
    Payload,
    PipelineMetric,
    RefinementUpdate,
    Source,
    Token,
    Verdict,
)


@dataclass(slots=True)
class Meter:
    """The clock of one run; everything is in milliseconds since it was made."""

    started: float = field(default_factory=monotonic)
    first_source: int | None = None
    first_token: int | None = None
    first_useful: int | None = None
    last_token: int | None = None
    tokens: int = 0
    model_calls: int = 0
    retrieval: int | None = None
    searches: int = 0
    chunks_used: int = 0
    refined: bool = False
    stages: dict[str, int] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    grounded: bool | None = None
    final: FinalAnswer | None = None
    final_at: int | None = None

    def elapsed(self) -> int:
        """Milliseconds since the request."""
        return round((monotonic() - self.started) * 1000)

    def observe(self, payload: Payload) -> None:
        """Take note of an event just published."""
        match payload:
            case Token():
                self.last_token = self.elapsed()
                self.tokens += 1
                if self.first_token is None:
                    self.first_token = self.last_token
                    self.grounded = self.verdicts[-1:] == ["open"]
            case GateDecision():
                self.verdicts.append(payload.verdict)
            case Source() if self.first_source is None:
                self.first_source = self.elapsed()
            case PartialAnswer(support="supported") if self.first_useful is None:
                self.first_useful = self.elapsed()
            case RefinementUpdate():
                self.refined = payload.action != "confirm"
            case FinalAnswer():
                self.final, self.final_at = payload, self.elapsed()

    def searched(self, milliseconds: int) -> None:
        """A retrieval ended; only those before the first token are waited for."""
        self.searches += 1
        if self.first_token is None:
            self.retrieval = (self.retrieval or 0) + milliseconds

    def stage(self, name: str, milliseconds: int) -> None:
        """A node of the graph ended."""
        self.stages[name] = self.stages.get(name, 0) + milliseconds

    def metric(self) -> PipelineMetric:
        """The closing figures; those of the answer only where there is one."""
        final = self.final
        answer = final if final is not None and final.outcome == "answered" else None
        return PipelineMetric(
            time_to_first_token_ms=self.first_token,
            time_to_first_source_ms=self.first_source,
            time_to_first_useful_answer_ms=self.first_useful,
            retrieval_ms=self.retrieval,
            total_pipeline_ms=self.elapsed(),
            chunks_used=self.chunks_used,
            tokens=self.tokens,
            tokens_per_second=self._rate(),
            model_calls=self.model_calls,
            refined=self.refined,
            stages=self.stages,
            time_to_final_answer_ms=self.final_at,
            groundedness=answer.groundedness_score if answer else None,
            citation_coverage=answer.citation_coverage if answer else None,
            citation_precision=answer.citation_precision if answer else None,
            citation_support=answer.citation_support if answer else None,
            unknown_citations=final.unknown_citations if final else None,
            searches=self.searches or None,
            gate_verdicts=self.verdicts or None,
            grounded_before_first_token=self.grounded,
        )

    def _rate(self) -> float | None:
        if self.first_token is None or self.last_token is None or self.last_token == self.first_token:
            return None
        return round((self.tokens - 1) * 1000 / (self.last_token - self.first_token), 1)
