"""Reading streams in tests."""

import json
from collections.abc import Iterable
from typing import Any

Envelope = dict[str, Any]


def envelopes(body: str) -> list[Envelope]:
    """The envelopes of a body of server-sent events, without the end frame."""
    frames = [frame for frame in body.split("\n\n") if frame and not frame.startswith("event: end")]
    lines = [line for frame in frames for line in frame.split("\n") if line.startswith("data: ")]
    return [json.loads(line[6:]) for line in lines]


def end_of(body: str) -> Envelope:
    """The data of the end frame."""
    last = body.strip().split("\n\n")[-1]
    name, data = last.split("\n")
    assert name == "event: end"
    end: Envelope = json.loads(data.removeprefix("data: "))
    return end


def kinds(events: Iterable[Envelope]) -> list[str]:
    """The types of events, in order."""
    return [event["event_type"] for event in events]


def payloads(events: Iterable[Envelope], kind: str) -> list[Envelope]:
    """The payloads of one type of event, in order."""
    return [event["payload"] for event in events if event["event_type"] == kind]


def said(events: Iterable[Envelope]) -> str:
    """The text of revision 0: all tokens joined."""
    return "".join(payload["token"] for payload in payloads(events, "token"))


def check_grammar(events: list[Envelope]) -> None:
    """What holds for every stream, whatever happened in it."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["request_id"] for event in events}) == 1
    assert events[0]["event_type"] == "status_update"
    assert events[-1]["event_type"] == "pipeline_metric"
    endings = [e for e in events if e["event_type"] == "final_answer" or (e["payload"].get("fatal") is True)]
    assert endings == [events[-2]]
    verdict = None
    for event in events:
        if event["event_type"] == "gate_decision":
            verdict = event["payload"]["verdict"]
        if event["event_type"] in ("token", "partial_answer", "citation_attached"):
            assert verdict == "open"
    text = said(events)
    offset = 0
    for token in payloads(events, "token"):
        assert token["offset"] == offset
        offset += len(token["token"])
    for citation in payloads(events, "citation_attached"):
        assert text[citation["start"] : citation["end"]] == f"[{citation['index']}]"
    for sentence in payloads(events, "partial_answer"):
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
    final = payloads(events, "final_answer")
    if final:
        check_final(final[0], tokens=bool(text))


def check_final(final: Envelope, *, tokens: bool) -> None:
    """What holds for every final answer."""
    assert final["complete"] is True
    assert bool(final["citations"]) == (final["outcome"] == "answered")
    assert final["safe_fallback"] == (final["outcome"] != "answered")
    for citation in final["citations"]:
        assert final["answer"][citation["start"] : citation["end"]] == f"[{citation['index']}]"
        assert citation["revision"] == final["revision"]
    if tokens and final["outcome"] != "answered":
        assert final["revision"] > 0
