"""Schedules for the log: what several writers of one run, lawful ones and careless ones, may come to append."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import orjson

from callbacks.events import (
    Change,
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
    Thinking,
    Token,
    Verdict,
    encode,
    envelope,
    timestamp_now,
)
from callbacks.grammar import GrammarError
from callbacks.log import EventLog
from callbacks.metrics import Meter
from tests.support.promises import Envelope

VERDICTS: Sequence[Verdict] = get_args(Verdict)
SOURCES = 3


def accepted(schedule: Sequence[Payload]) -> list[Envelope]:
    """What of a schedule the log lets through, as a client reads it."""
    log = EventLog("r")
    for payload in schedule:
        try:
            log.append(payload)
        except GrammarError:
            continue
    return [orjson.loads(entry.encoded) for entry in log.entries]


def unlocked(schedule: Sequence[Payload]) -> list[Envelope]:
    """All of a schedule, as a log without a grammar would tell it."""
    events = [envelope(payload, "r", seq, timestamp_now()) for seq, payload in enumerate(schedule, start=1)]
    return [orjson.loads(encode(event)) for event in events]


def schedule(chance: random.Random) -> list[Payload]:
    """What one to four writers append, each in its own order, in whatever order they get to it."""
    writers = [_writer(chance) for _ in range(chance.choice((1, 1, 2, 2, 3, 4)))]
    if chance.random() < 0.9:
        writers[0].insert(0, STATUS)
    merged: list[Payload] = []
    while writers:
        writer = chance.choice(writers)
        merged.append(writer.pop(0))
        writers = [left for left in writers if left]
    return merged


def lawful(chance: random.Random) -> list[Payload]:
    """A whole run as it should be."""
    path = chance.choice(PATHS)
    shown = list(range(1, chance.randint(1, SOURCES) + 1))
    hidden = path[0] in ("verify_first", "review", "blocked")
    run: list[Payload] = [STATUS]
    run += [] if hidden else [source(index) for index in shown]
    run += [decision(verdict) for verdict in path]
    if path[-1] != "open":
        return [*run, final("fallback" if path[-1] == "fallback" else path[-1]), METRIC]
    run += [source(index) for index in shown] if hidden else []
    for at in range(chance.randint(1, 2)):
        run += [TOKEN, citation(chance.choice(shown)), *([sentence(at)] if chance.random() < 0.5 else [])]
    ending = chance.choice(("confirm", "retract", "none", "error"))
    if ending == "error":
        return [*run, FATAL, METRIC]
    if ending == "retract":
        return [*run, refinement("retract"), final("fallback"), METRIC]
    run += [refinement("confirm", citation(shown[-1]))] if ending == "confirm" else []
    return [*run, final("answered", citation(chance.choice(shown))), METRIC]


def reached(events: Sequence[Envelope]) -> Counter[str]:
    """What a schedule came to, so that a test can tell that its schedules come to everything."""
    kinds = {event["event_type"] for event in events}
    final_answers = [event["payload"]["outcome"] for event in events if event["event_type"] == "final_answer"]
    return Counter([*kinds, *final_answers])


def _writer(chance: random.Random) -> list[Payload]:
    kind = chance.random()
    if kind < 0.35:
        return lawful(chance)
    if kind < 0.55:  # leaves out, repeats and swaps
        run = [payload for payload in lawful(chance) for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        at, until = sorted((chance.randint(0, len(run)), chance.randint(0, len(run))))
        return [*run[:at], *reversed(run[at:until]), *run[until:]] or [TOKEN]
    if kind < 0.75:  # a model that cannot be stopped
        return [TOKEN, citation(1), sentence(0), *[TOKEN] * chance.randint(0, 3)]
    return chance.choices(ALPHABET, k=chance.randint(1, 8))


def decision(verdict: Verdict) -> GateDecision:
    return GateDecision(
        verdict=verdict, domain="general", chunks=1, top_score=0.5, min_chunks=1, min_score=0.5, reasons=[]
    )


@cache
def source(index: int, source_id: str | None = None) -> Source:
    return Source(
        index=index,
        source_id=source_id or f"s{index}",
        document_id="d",
        source="D",
        section=None,
        page=None,
        start=0,
        end=5,
        score=0.9,
        snippet="words",
        wave=1,
    )


@cache
def citation(index: int, source_id: str | None = None) -> CitationAttached:
    return CitationAttached(
        index=index,
        source_id=source_id or f"s{index}",
        source="D",
        section=None,
        page=None,
        confidence=1.0,
        quote="words",
        source_start=0,
        source_end=5,
        revision=0,
        start=0,
        end=3,
        sentence=0,
    )


@cache
def sentence(at: int) -> PartialAnswer:
    return PartialAnswer(
        sentence=at, text="a", revision=0, start=0, end=1, support="supported", score=1.0, method="lexical"
    )


def refinement(action: Any, *citations: CitationAttached) -> RefinementUpdate:
    return RefinementUpdate(
        message="",
        action=action,
        revision=1,
        refined_answer="",
        additional_citations=citations,
        reasons=[],
        changes=[Change(sentence=0, before="a", after="")],
    )


def final(outcome: Any, *citations: CitationAttached) -> FinalAnswer:
    return FinalAnswer(
        complete=True,
        answer="",
        revision=0,
        groundedness_score=0,
        safety_pass=True,
        citations=citations,
        sources=[],
        outcome=outcome,
        safe_fallback=outcome != "answered",
        citation_coverage=0,
        uncited_sources=[],
        unknown_citations=0,
        domain="general",
        thread_id=None,
        truncated=False,
    )


def failure(*, fatal: bool) -> Error:
    return Error(code="internal", message="", fatal=fatal, retryable=True)


STATUS = StatusUpdate(stage="searching", message="Searching")
TOKEN = Token(token="a", grounded=True, revision=0, offset=0)
FATAL = failure(fatal=True)
METRIC: PipelineMetric = Meter().metric()
PATHS: Sequence[Sequence[Verdict]] = [
    ["open"],
    ["open"],
    ["expand", "open"],
    ["expand", "fallback"],
    ["verify_first", "open"],
    ["verify_first", "fallback"],
    ["review"],
    ["blocked"],
]
ALPHABET: Sequence[Payload] = [
    STATUS,
    TOKEN,
    sentence(0),
    *(source(index) for index in range(1, SOURCES + 1)),
    source(2, "s1"),
    *(citation(index) for index in range(1, SOURCES + 1)),
    citation(2, "s1"),
    citation(9),
    refinement("confirm"),
    refinement("patch", citation(1)),
    refinement("replace", citation(9)),
    refinement("retract"),
    *(Thinking(text="t", kind=kind) for kind in ("raw", "summary", "derived")),
    DocumentStage(document_id="d", stage="ready", done=1, total=1),
    failure(fatal=False),
    FATAL,
    METRIC,
    final("answered", citation(1)),
    final("answered", citation(9)),
    final("answered"),
    final("fallback", citation(1)),
    *(final(outcome) for outcome in ("fallback", "review", "blocked")),
    *(decision(verdict) for verdict in VERDICTS),
]
