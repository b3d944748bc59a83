"""A server with a scripted model, and the truth about each question: the log of its run."""

import json
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import httpx

from graph.run import Run
from tests.support.live import Live
from tests.support.promises import REFUSED, Envelope, broken_promises
from tests.support.scripted import MARK, SECRET
from tests.support.streams import check_grammar, kinds, payloads, said
from tests.support.surfaces import SURFACES, Body, Caller, Observation, Surface, hub_of
from tests.support.upstream import Script, Upstream


class Scene:
    """What a test of promises looks at. Asks one question at a time."""

    def __init__(self, server: Live, http: httpx.Client, upstream: Upstream, provider: Live) -> None:
        self.caller = Caller(server, http)
        self.upstream = upstream
        self.provider = provider
        self._ended: SimpleQueue[Run] = SimpleQueue()
        hub_of(server).watch(self._ended.put)

    def rehearse(self, script: Script) -> None:
        """Have the model do something else from now on, as if nothing had been asked of it."""
        self.upstream.script = script
        self.upstream.calls.clear()
        self.upstream.left.clear()

    def events(self, **body: Any) -> list[Envelope]:
        """What `POST /query` streams, checked."""
        _, events = self.ask(SURFACES["post"], body)
        check_grammar(events)
        assert broken_promises(events) == []
        return events

    def ask(self, surface: Surface, body: Body) -> tuple[Observation, list[Envelope]]:
        """What a surface gave its reader, and everything the run said."""
        observation = surface.ask(self.caller, body)
        run = self._ended.get(timeout=10)
        return observation, [json.loads(entry.encoded) for entry in run.log.entries]


def check_surface(seen: Observation, truth: Sequence[Envelope], *, sources_shown: bool = True) -> None:
    """What holds on every surface, whatever the question."""
    final = next(iter(payloads(truth, "final_answer")), None)
    verdicts = {decision["verdict"] for decision in payloads(truth, "gate_decision")}
    assert broken_promises(truth, sources_shown=sources_shown) == []
    assert seen.endings == 1
    assert seen.outcome in (None, final["outcome"] if final else "error")
    if final:
        assert seen.shown.endswith(final["answer"])
        assert final["outcome"] == "answered" or MARK not in final["answer"]
    if seen.events is not None:
        _check_events(list(seen.events), truth, sources_shown)
    if REFUSED & verdicts:
        assert final is not None
        assert seen.shown == final["answer"]
        assert MARK not in seen.raw.decode().lower()
    if "verify_first" in verdicts:
        opened = next((event["seq"] for event in truth if event["payload"].get("verdict") == "open"), len(truth))
        assert not [event for event in truth[:opened] if event["event_type"] == "source"]
        assert "open" in verdicts or SECRET not in seen.raw.decode().lower()
    if {"review", "blocked"} & verdicts:
        assert not payloads(truth, "source")
        assert SECRET not in seen.raw.decode().lower()


def _check_events(events: list[Envelope], truth: Sequence[Envelope], sources_shown: bool) -> None:
    assert [event["seq"] for event in events] == [event["seq"] for event in truth]
    assert said(events) == said(truth)
    told = kinds(events)
    assert not sources_shown or "token" not in told or "source" in told[: told.index("token")]
    assert broken_promises(events, sources_shown=sources_shown) == []
    check_grammar(events)
