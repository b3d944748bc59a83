"""The log: replayable, gapless, bounded, and the gate's lock."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.events import (
    CitationAttached,
    Error,
    FinalAnswer,
    GateDecision,
    Payload,
    PipelineMetric,
    RefinementUpdate,
    Source,
    StatusUpdate,
    Token,
    Verdict,
    encode,
)
from callbacks.grammar import GrammarError
from callbacks.log import EventLog, LogFull
from callbacks.metrics import Meter

STATUS = StatusUpdate(stage="searching", message="Searching")
TOKEN = Token(token="a", grounded=True, revision=0, offset=0)
VERDICTS: list[Verdict] = ["open", "expand", "verify_first", "fallback", "review", "blocked"]


def decision(verdict: Verdict) -> GateDecision:
    return GateDecision(
        verdict=verdict, domain="general", chunks=1, top_score=0.5, min_chunks=1, min_score=0.5, reasons=[]
    )


def source(index: int = 1) -> Source:
    return Source(
        index=index,
        source_id=f"s{index}",
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


def citation(index: int = 1) -> CitationAttached:
    return CitationAttached(
        index=index,
        source_id=f"s{index}",
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


def retraction() -> RefinementUpdate:
    return RefinementUpdate(
        message="", action="retract", revision=1, refined_answer="", additional_citations=[], reasons=[], changes=[]
    )


def final(outcome: Any) -> FinalAnswer:
    return FinalAnswer(
        complete=True,
        answer="",
        revision=0,
        groundedness_score=0,
        safety_pass=True,
        citations=[citation()] if outcome == "answered" else [],
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


def fatal() -> Error:
    return Error(code="internal", message="", fatal=True, retryable=True)


ANY: list[Payload] = [
    STATUS,
    TOKEN,
    source(),
    citation(),
    retraction(),
    fatal(),
    Error(code="degraded", message="", fatal=False, retryable=True),
    Meter().metric(),
    *(final(outcome) for outcome in ("answered", "fallback", "review", "blocked")),
    *(decision(verdict) for verdict in VERDICTS),
]


def log_of(*payloads: Payload) -> EventLog:
    log = EventLog("r")
    for payload in payloads:
        log.append(payload)
    return log


@pytest.mark.parametrize("verdict", [None, "expand", "verify_first", "fallback", "review", "blocked"])
def test_the_log_refuses_a_token_without_an_open_gate(verdict: Verdict | None) -> None:
    log = log_of(STATUS, *([decision(verdict)] if verdict else []))
    with pytest.raises(GrammarError):
        log.append(TOKEN)
    assert len(log) == 1 + bool(verdict)


def test_a_refused_event_leaves_no_trace() -> None:
    log = log_of(STATUS)
    with pytest.raises(GrammarError):
        log.append(TOKEN)
    assert log.append(STATUS).seq == 2


@pytest.mark.parametrize("verdict", ["fallback", "review", "blocked"])
def test_a_refusal_is_final(verdict: Verdict) -> None:
    log = log_of(STATUS, decision(verdict))
    with pytest.raises(GrammarError):
        log.append(decision("open"))


@pytest.mark.parametrize("verdict", ["review", "blocked", "verify_first"])
def test_no_source_is_shown_under_a_verdict_that_hides_them(verdict: Verdict) -> None:
    with pytest.raises(GrammarError):
        log_of(STATUS, decision(verdict), source())


def test_a_citation_needs_its_source_first() -> None:
    with pytest.raises(GrammarError):
        log_of(STATUS, decision("open"), citation())


def test_tokens_that_were_said_must_be_withdrawn_before_a_fallback() -> None:
    with pytest.raises(GrammarError):
        log_of(STATUS, source(), decision("open"), TOKEN, final("fallback"))
    assert len(log_of(STATUS, source(), decision("open"), TOKEN, retraction(), final("fallback"))) == 6


def test_there_is_exactly_one_ending_and_then_only_metrics() -> None:
    log = log_of(STATUS, fatal())
    for payload in (STATUS, fatal(), final("fallback")):
        with pytest.raises(GrammarError):
            log.append(payload)
    log.append(Meter().metric())
    with pytest.raises(GrammarError):
        log.append(Meter().metric())


def test_the_log_is_bounded_in_bytes_and_leaves_room_to_end() -> None:
    log = EventLog("r", limit=300 * 1024)
    log.append(STATUS)
    long = StatusUpdate(stage="searching", message="x" * 10_000)
    with pytest.raises(LogFull):
        list(map(log.append, [long] * 100))
    log.append(fatal())
    log.append(Meter().metric())


def test_line_breaks_that_json_allows_are_escaped() -> None:
    log = log_of(StatusUpdate(stage="searching", message="a\u2028b\u2029c\x85d"))
    encoded = encode(log.entries[0].event)
    assert len(encoded.decode().splitlines()) == 1
    assert b"\\u2028" in encoded
    assert b"\\u2029" in encoded
    assert b"\\u0085" in encoded


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(ANY), max_size=40))
def test_no_schedule_gets_a_broken_stream_past_the_log(schedule: list[Payload]) -> None:
    log = EventLog("r")
    for payload in schedule:
        try:
            log.append(payload)
        except GrammarError:
            continue
    events = [entry.event for entry in log.entries]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    verdict = None
    endings = 0
    for event in events:
        said = event.payload
        if isinstance(said, GateDecision):
            verdict = said.verdict
        if isinstance(said, Token | CitationAttached | RefinementUpdate):
            assert verdict == "open"
        if endings:
            assert isinstance(said, PipelineMetric)
        endings += isinstance(said, FinalAnswer) or (isinstance(said, Error) and said.fatal)
    assert endings <= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_every_reader_sees_every_event_in_order_whatever_the_schedule(seed: int, readers: int) -> None:
    chance = random.Random(seed)

    async def write(log: EventLog) -> None:
        for payload in [STATUS, source(), decision("open"), *[TOKEN] * chance.randint(0, 30), citation()]:
            log.append(payload)
            for _ in range(chance.randint(0, 2)):
                await asyncio.sleep(0)
        log.append(final("answered"))
        log.append(Meter().metric())
        log.close()

    async def read(log: EventLog, after: int) -> list[int]:
        seen: list[int] = []
        async for batch in log.follow(after):
            seen += [entry.event.seq for entry in batch]
            for _ in range(chance.randint(0, 5)):
                await asyncio.sleep(0)
        return seen

    async def both() -> None:
        log = EventLog("r")
        starts = [chance.randint(0, 10) for _ in range(readers)]
        results = await asyncio.gather(write(log), *(read(log, start) for start in starts))
        for start, seen in zip(starts, results[1:], strict=True):
            assert seen == list(range(start + 1, len(log) + 1))

    asyncio.run(both())


async def test_silence_is_told_to_whoever_asks_for_it() -> None:
    log = log_of(STATUS)
    reader = log.follow(1, idle=0.01)
    assert list(await anext(reader)) == []
    log.append(STATUS)
    assert [entry.event.seq for entry in await anext(reader)] == [2]
    await reader.aclose()  # type: ignore[attr-defined]
