"""The vocabulary: every event a run or a job can report, as one discriminated union.

A key without a default is always on the wire, null when unknown; a key with one is left out while it is null.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Stage = Literal[
    "understanding",
    "searching",
    "expanding",
    "drafting",
    "verifying",
    "refining",
    "planning",
    "researching",
    "writing",
    "reviewing",
    "cached",
]
Verdict = Literal["open", "expand", "verify_first", "fallback", "review", "blocked"]
Support = Literal["supported", "partial", "unsupported", "contradicted", "uncited"]
Action = Literal["confirm", "patch", "replace", "retract"]
Trigger = Literal["contradicted", "disagreement", "unsupported", "aspect", "safety"]
"""What made a draft change: its own source says otherwise, another document does, none says it, a part of the question
was left open, or it holds what must not be said."""
Outcome = Literal["answered", "fallback", "blocked", "review"]
DocumentStageName = Literal["received", "parsed", "chunked", "embedded", "indexed", "ready", "failed"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class Payload(BaseModel):
    """What one event says."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StatusUpdate(Payload):
    """What is being worked on. The first one after the first token carries `time_to_first_token_ms`."""

    stage: Stage
    message: str
    progress: Probability | None = None
    branch: str | None = None
    time_to_first_token_ms: int | None = None
    budget: dict[str, dict[str, float]] | None = None
    """Of deep research, by name: what was `spent`, and its `limit`."""
    standalone: str | None = None
    """How a follow-up was understood, where that differs from what was asked."""


class Source(Payload):
    """A passage the answer may cite. Its index never changes; `score` is calibrated."""

    index: Annotated[int, Field(ge=1)]
    source_id: str
    document_id: str
    source: str
    section: str | None
    page: int | None
    start: int
    end: int
    score: Probability
    snippet: str
    wave: Annotated[int, Field(ge=1)]
    uri: str | None = None
    metadata: dict[str, Any] | None = None
    branch: str | None = None
    flags: Sequence[str] | None = None
    """What a reader should know of it: `instructions` where a part of it reads as if it spoke to a model."""


class GateDecision(Payload):
    """Whether anything may be said, by which thresholds, and what the evidence lacks."""

    verdict: Verdict
    domain: str
    chunks: int
    top_score: Probability
    min_chunks: int
    min_score: float
    reasons: Sequence[str]
    missing: Sequence[str] | None = None
    rule: str | None = None


class Thinking(Payload):
    """A model's reasoning, or progress derived from the work; never a part of the answer."""

    text: str
    kind: Literal["raw", "summary", "derived"]
    step: int | None = None
    branch: str | None = None


class Token(Payload):
    """A piece of revision 0 of the answer, at its place in code points."""

    token: str
    grounded: Literal[True]
    revision: Literal[0]
    offset: int


class PartialAnswer(Payload):
    """A sentence just completed and what the sources say of it; told again when a slower check has settled it."""

    sentence: int
    text: str
    revision: int
    start: int
    end: int
    support: Support
    score: Probability
    method: str
    unknown_citations: Sequence[str] | None = None
    """What the sentence cites and no row has, as the model wrote it; dropped from the text."""


class CitationAttached(Payload):
    """A marker `[n]` and the words of the source behind it; the quote is cut by the server, never by a model."""

    index: int
    source_id: str
    source: str
    section: str | None
    page: int | None
    confidence: Probability
    quote: str
    source_start: int
    source_end: int
    revision: int
    start: int
    end: int
    sentence: int
    cited_as: str | None = None
    """What the model had cited, where another sentence of the sources says what that one does not."""


class Change(Payload):
    """One sentence of a revision that is not as it was."""

    sentence: int
    before: str
    after: str


class RefinementUpdate(Payload):
    """What deeper evidence made of the answer: always the whole text and the whole list of citations."""

    message: str
    action: Action
    revision: int
    refined_answer: str
    additional_citations: Sequence[CitationAttached]
    reasons: Sequence[str]
    changes: Sequence[Change]
    triggers: Sequence[Trigger] | None = None
    """What made the draft change; null where nothing did."""


class FinalAnswer(Payload):
    """The answer as it stands; the one successful ending of a run."""

    complete: Literal[True]
    answer: str
    revision: int
    groundedness_score: Probability
    safety_pass: bool
    citations: Sequence[CitationAttached]
    sources: Sequence[Source]
    outcome: Outcome
    safe_fallback: bool
    citation_coverage: Probability
    uncited_sources: Sequence[str]
    unknown_citations: int
    domain: str
    thread_id: str | None
    truncated: bool
    citation_precision: Probability | None = None
    """The share of citations that speak for their sentence."""
    citation_support: Probability | None = None
    """The share of sentences that their citations support."""
    budget: dict[str, dict[str, float]] | None = None
    """Of deep research, by name: what was `spent`, and its `limit`."""
    stopped_by: Sequence[str] | None = None
    """The budgets of deep research that ended any work."""
    safety_flags: Sequence[str] | None = None
    """What the safety checks took out, found or could not check, by kind."""
    standalone: str | None = None
    """Of a follow-up, the question as it was answered, where that differs from what was asked."""
    sentences: Sequence[PartialAnswer] | None = None
    """Those of the answer as it stands, with what the sources say of each; null where none was judged."""


class Error(Payload):
    """A failure, in words that are safe to show. Not fatal means degraded: the stream goes on."""

    code: str
    message: str
    fatal: bool
    retryable: bool
    stage: str | None = None
    reason: str | None = None
    retry_after_ms: int | None = None


class PipelineMetric(Payload):
    """How long everything took, in milliseconds from the request."""

    time_to_first_token_ms: int | None
    time_to_first_source_ms: int | None
    time_to_first_useful_answer_ms: int | None
    retrieval_ms: int | None
    total_pipeline_ms: int
    chunks_used: int
    tokens: int
    tokens_per_second: float | None
    model_calls: int
    refined: bool
    stages: dict[str, int]
    time_to_final_answer_ms: int | None = None
    groundedness: Probability | None = None
    citation_coverage: Probability | None = None
    citation_precision: Probability | None = None
    citation_support: Probability | None = None
    unknown_citations: int | None = None
    gate_verdicts: Sequence[Verdict] | None = None
    searches: int | None = None
    """How often the documents were searched."""
    grounded_before_first_token: bool | None = None
    """Whether the gate was open when the first token came; null without tokens."""
    indexed: int | None = None
    failed: int | None = None
    collection_size: int | None = None
    elapsed_ms: int | None = None


class DocumentError(Payload):
    """Why a document failed."""

    code: str
    message: str


class DocumentStage(Payload):
    """How far one document of a job has come."""

    document_id: str
    stage: DocumentStageName
    done: int
    total: int
    error: DocumentError | None = None
    name: str | None = None


class SummarySection(Payload):
    """One section of a document, summarised; the spans of its citations are those of its own text."""

    document_id: str
    section: str | None
    index: int
    total: int
    text: str
    citations: Sequence[CitationAttached]
    method: Literal["extracted", "written"] | None = None
    """Whether its sentences are the document's own, or a model wrote them."""
    dropped: int | None = None
    """How many bullets of a model were left out because the document does not carry them."""


Name = TypeVar("Name", bound=str)
P = TypeVar("P", bound=Payload)


class Event(BaseModel, Generic[Name, P]):
    """The envelope: `seq` counts from 1 without gaps."""

    model_config = ConfigDict(frozen=True)

    v: Literal["1.0"]
    event_type: Name
    request_id: str
    seq: Annotated[int, Field(ge=1)]
    timestamp: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    payload: P


StreamEvent = Annotated[
    Event[Literal["status_update"], StatusUpdate]
    | Event[Literal["source"], Source]
    | Event[Literal["gate_decision"], GateDecision]
    | Event[Literal["thinking"], Thinking]
    | Event[Literal["token"], Token]
    | Event[Literal["partial_answer"], PartialAnswer]
    | Event[Literal["citation_attached"], CitationAttached]
    | Event[Literal["refinement_update"], RefinementUpdate]
    | Event[Literal["final_answer"], FinalAnswer]
    | Event[Literal["error"], Error]
    | Event[Literal["pipeline_metric"], PipelineMetric]
    | Event[Literal["document_stage"], DocumentStage]
    | Event[Literal["summary_section"], SummarySection],
    Field(discriminator="event_type"),
]

_EVENTS: dict[type[Payload], tuple[str, type[Event[Any, Any]]]] = {
    event.model_fields["payload"].annotation: (get_args(event.model_fields["event_type"].annotation)[0], event)
    for event in get_args(get_args(StreamEvent)[0])
}


def envelope(payload: Payload, request_id: str, seq: int, timestamp: str) -> StreamEvent:
    """Wrap a payload in its event. Nothing is validated again: the payload already is."""
    name, event = _EVENTS[type(payload)]
    wrapped: StreamEvent = event.model_construct(
        v="1.0", event_type=name, request_id=request_id, seq=seq, timestamp=timestamp, payload=payload
    )
    return wrapped


def timestamp_now() -> str:
    """RFC 3339 with microseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def encode(event: StreamEvent) -> bytes:
    """One line of JSON, also for clients that split lines as Unicode does."""
    return escape_line_breaks(orjson.dumps(event, default=_fields))


def escape_line_breaks(line: bytes) -> bytes:
    """JSON in UTF-8 with U+0085, U+2028 and U+2029 as escapes: JSON allows them raw, line-based clients break there."""
    if b"\xe2\x80" in line or b"\xc2\x85" in line:
        line = line.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
        line = line.replace(b"\xc2\x85", b"\\u0085")
    return line


def as_dict(value: BaseModel) -> dict[str, Any]:
    """The JSON object of an event or a payload, by the same rule as on the wire."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(value, default=_fields))
    return plain


def json_schema() -> dict[str, Any]:
    """JSON Schema of the union."""
    adapter: TypeAdapter[StreamEvent] = TypeAdapter(StreamEvent)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "StreamEvent"} | adapter.json_schema()


def _fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, BaseModel):
        raise TypeError(type(value).__name__)
    optional = _optional_keys(type(value))
    fields = value.__dict__
    if not optional:
        return fields
    return {key: item for key, item in fields.items() if item is not None or key not in optional}


@cache
def _optional_keys(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if not field.is_required())
