"""Every way to ask a question, and what its reader gets: the tests of promises run over this table.

A surface that comes later is one function and one line in `SURFACES`; it inherits every promise.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx

from callbacks.events import encode
from graph.hub import Hub
from graph.query import Query
from tests.support.live import Live
from tests.support.promises import Envelope

Body = dict[str, Any]
"""The body of `POST /query`."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What one question got on one surface."""

    raw: bytes
    """Everything that was received."""
    shown: str
    """What is left to read: the answer, after the tokens where the surface is plain text."""
    outcome: str | None
    """`error` for a run that failed; None where the surface does not tell."""
    endings: int
    """How often it said that this is the end."""
    events: Sequence[Envelope] | None
    """None where the surface carries none."""


@dataclass(frozen=True)
class Caller:
    """Whoever asks a server that runs, over HTTP or in its own event loop."""

    server: Live
    http: httpx.Client

    def post(self, path: str, body: Body, **headers: str) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)


@dataclass(frozen=True)
class Surface:
    """A way to ask; one that only takes a question `takes` no other key of the body."""

    observe: Callable[[Caller, Body], Observation]
    takes: frozenset[str] | None = None

    def ask(self, caller: Caller, body: Body) -> Observation:
        """Ask, as far as the surface can say it."""
        return self.observe(caller, {key: body[key] for key in body if self.takes is None or key in self.takes})


def hub_of(server: Live) -> Hub:
    """The hub of a server that runs."""
    return cast(Hub, cast(Any, server.server.config.app).state.context.hub)


def _of_events(raw: bytes, events: Sequence[Envelope]) -> Observation:
    finals = [event["payload"] for event in events if event["event_type"] == "final_answer"]
    fatal = [event for event in events if event["event_type"] == "error" and event["payload"]["fatal"]]
    return Observation(
        raw=raw,
        shown=finals[0]["answer"] if finals else "",
        outcome=finals[0]["outcome"] if finals else "error",
        endings=len(finals) + len(fatal),
        events=events,
    )


def _of_final(raw: bytes, final: Body | None) -> Observation:
    return Observation(
        raw=raw,
        shown=final["answer"] if final else "",
        outcome=final["outcome"] if final else "error",
        endings=1,
        events=None,
    )


def _data(body: str) -> list[Any]:
    """The data of server-sent events without a name or named `data`."""
    frames = [frame.split("\n") for frame in body.replace("\r\n", "\n").split("\n\n")]
    told = [frame for frame in frames if not any(line in ("event: end", "event: metadata") for line in frame)]
    return [json.loads(line[6:]) for frame in told for line in frame if line.startswith("data: ")]


def post_sse(caller: Caller, body: Body) -> Observation:
    response = caller.post("/query", body)
    return _of_events(response.content, _data(response.text))


def post_ndjson(caller: Caller, body: Body) -> Observation:
    response = caller.post("/query", body, accept="application/x-ndjson")
    return _of_events(response.content, [json.loads(line) for line in response.text.splitlines()])


def post_json(caller: Caller, body: Body) -> Observation:
    response = caller.post("/query", {**body, "stream": False})
    return _of_final(response.content, response.json() if response.status_code == 200 else None)


def get_sse(caller: Caller, body: Body) -> Observation:
    params = {key: json.dumps(value) if isinstance(value, bool | dict) else value for key, value in body.items()}
    response = caller.get("/query", **params)
    return _of_events(response.content, _data(response.text))


def run_summary(caller: Caller, body: Body) -> Observation:
    request_id = caller.post("/query", {**body, "stream": False}).headers["x-request-id"]
    response = caller.get(f"/runs/{request_id}")
    return _of_final(response.content, response.json().get("final_answer"))


def run_replay(caller: Caller, body: Body) -> Observation:
    request_id = caller.post("/query", {**body, "stream": False}).headers["x-request-id"]
    response = caller.get(f"/runs/{request_id}/events")
    return _of_events(response.content, _data(response.text))


def rag_stream(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag/stream", {"input": body})
    return _of_events(response.content, _data(response.text))


def rag_stream_log(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag/stream_log", {"input": body})
    operations = [operation for patch in _data(response.text) for operation in patch["ops"]]
    events = [operation["value"] for operation in operations if operation["path"] == "/streamed_output/-"]
    return _of_events(response.content, events)


def rag_invoke(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag/invoke", {"input": body})
    return _of_final(response.content, response.json().get("output"))


def rag_batch(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag/batch", {"inputs": [body]})
    return _of_final(response.content, response.json().get("output", [None])[0])


def _chat(body: Body) -> Body:
    return {"input": {"messages": [{"type": "human", "content": body["query"]}]}}


def chat_invoke(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag-chat/invoke", _chat(body))
    answer = response.json().get("output", "")
    return Observation(raw=response.content, shown=answer, outcome=None, endings=1, events=None)


def chat_stream(caller: Caller, body: Body) -> Observation:
    response = caller.post("/rag-chat/stream", _chat(body))
    pieces = _data(response.text)
    ended = response.text.count("event: end")
    return Observation(raw=response.content, shown="".join(pieces), outcome=None, endings=ended, events=None)


def python(caller: Caller, body: Body) -> Observation:
    async def ask() -> list[bytes]:
        return [encode(event) async for event in hub_of(caller.server).ask(Query.model_validate(body))]

    encoded = caller.server.call(ask())
    return _of_events(b"\n".join(encoded), [json.loads(line) for line in encoded])


_ONLY_THE_QUESTION = frozenset({"query"})

SURFACES: Mapping[str, Surface] = {
    "post": Surface(post_sse),
    "post-ndjson": Surface(post_ndjson),
    "post-json": Surface(post_json),
    "get": Surface(get_sse),
    "run": Surface(run_summary),
    "run-events": Surface(run_replay),
    "rag-stream": Surface(rag_stream),
    "rag-stream-log": Surface(rag_stream_log),
    "rag-invoke": Surface(rag_invoke),
    "rag-batch": Surface(rag_batch),
    "chat-invoke": Surface(chat_invoke, _ONLY_THE_QUESTION),
    "chat-stream": Surface(chat_stream, _ONLY_THE_QUESTION),
    "python": Surface(python),
}
