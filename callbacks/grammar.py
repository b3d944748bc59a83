"""The grammar of a stream, as a lock: what may not be said at this point cannot be said."""

from dataclasses import dataclass, field

from callbacks.events import (
    CitationAttached,
    DocumentStage,
    Error,
    FinalAnswer,
    GateDecision,
    PartialAnswer,
    Payload,
    PipelineMetric,
    RefinementUpdate,
    Source,
    StatusUpdate,
    SummarySection,
    Thinking,
    Token,
    Verdict,
)

_HIDING: frozenset[Verdict] = frozenset({"review", "blocked", "verify_first"})
"""Verdicts under which no source is shown."""
_CLOSED: frozenset[Verdict] = frozenset({"fallback", "review", "blocked"})


class GrammarError(RuntimeError):
    """An event that must not be published here. Always a bug in whoever reported it."""


@dataclass(slots=True)
class Grammar:
    """Follows one stream and refuses, by raising `GrammarError`, what would break a promise of the contract."""

    started: bool = False
    verdict: Verdict | None = None
    tokens: int = 0
    refined: bool = False
    retracted: bool = False
    ended: bool = False
    measured: bool = False
    sources: dict[str, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether the last gate decision was `open`: only then may an answer be said."""
        return self.verdict == "open"

    @property
    def refused(self) -> bool:
        """Whether it is clear that no answer will be said."""
        return self.ended or self.verdict in _CLOSED

    def admit(self, payload: Payload) -> None:
        """Take note of the next event. Raises `GrammarError`."""
        if self.measured:
            raise GrammarError("nothing follows the metrics")
        if self.ended:
            _require(isinstance(payload, PipelineMetric), "only metrics follow the ending")
            self.measured = True
            return
        if not self.started:
            _require(isinstance(payload, StatusUpdate | DocumentStage | Error), "a stream starts with its status")
            self.started = True
        match payload:
            case Token():
                _require(self.open, "a token needs an open gate")
                _require(bool(self.sources), "sources come before the first token")
                _require(not self.refined, "the draft is complete once it was checked")
                self.tokens += 1
            case PartialAnswer() | CitationAttached() | RefinementUpdate():
                _require(self.open, "nothing is said of an answer behind a closed gate")
                self._check_answer(payload)
            case GateDecision():
                _require(self.verdict not in _CLOSED, "a refusal is final")
                _require(not (self.open and payload.verdict != "open"), "an open gate does not close again")
                _require(not (self.sources and payload.verdict in _HIDING), "sources were shown already")
                self.verdict = payload.verdict
            case Thinking():
                _require(payload.kind == "derived" or self.open, "a model wrote this")
            case Source():
                self._check_source(payload)
            case FinalAnswer():
                self._check_final(payload)
                self.ended = True
            case Error():
                self.ended = payload.fatal
            case PipelineMetric():
                raise GrammarError("metrics follow the ending")
            case SummarySection():
                _require(self.open, "nothing is said of a document behind a closed gate")
                for citation in payload.citations:
                    self._check_citation(citation)
            case StatusUpdate() | DocumentStage():
                pass

    def finish_job(self) -> None:
        """A job has no answer to end with: its metrics come next."""
        self.ended = True

    def _check_source(self, source: Source) -> None:
        _require(self.verdict not in _HIDING, "no source is shown under this verdict")
        known = self.sources.get(source.source_id)
        taken = known is None and source.index in self.sources.values()
        _require(known in (None, source.index) and not taken, "a source has an index of its own, and keeps it")
        self.sources[source.source_id] = source.index

    def _check_answer(self, payload: PartialAnswer | CitationAttached | RefinementUpdate) -> None:
        match payload:
            case CitationAttached():
                self._check_citation(payload)
            case RefinementUpdate():
                _require(not self.retracted, "what was withdrawn is not taken up again")
                bare = payload.action != "retract" or not payload.additional_citations
                _require(bare, "a withdrawal cites nothing")
                for citation in payload.additional_citations:
                    self._check_citation(citation)
                self.refined, self.retracted = True, payload.action == "retract"

    def _check_citation(self, citation: CitationAttached) -> None:
        _require(self.sources.get(citation.source_id) == citation.index, "a citation needs a source that was shown")

    def _check_final(self, final: FinalAnswer) -> None:
        for source in final.sources:
            _require(self.sources.get(source.source_id) == source.index, "a source was shown before it is listed")
        if final.outcome == "answered":
            _require(self.open, "an answer needs an open gate")
            _require(not self.retracted, "the answer was withdrawn")
            _require(bool(final.citations), "an answer has citations")
            for citation in final.citations:
                self._check_citation(citation)
        else:
            _require(not final.citations, "a refusal cites nothing")
            _require(not self.tokens or self.retracted, "tokens were said and not withdrawn")
            withdrawn = final.outcome == "fallback" and self.open  # or never begun
            _require(withdrawn or final.outcome == self.verdict, "the outcome of a refusal is the gate's verdict")


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise GrammarError(rule)
