"""A scripted model provider over real HTTP: OpenAI's and Anthropic's streaming, with their faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Reply:
    """What the provider does with one call."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: Sequence[str] | None = None
    """The text, split as it is to be streamed; by default word by word."""
    finish: str | None = "stop"
    """None: the stream ends without a reason."""
    cut: bool = False
    """The connection breaks off after the last piece."""
    wait_for: asyncio.Event | None = None
    """Nothing is sent before this event."""
    hang: bool = False
    """After the last piece nothing more comes, and the connection stays open."""
    thoughts: Sequence[str] = ()
    """What the model thinks before it writes, split as it is to be streamed."""
    thoughts_in: str = "reasoning_content"
    """The key of OpenAI's compatible servers for it; Anthropic has blocks of their own."""
    pauses: Sequence[asyncio.Event] = ()
    """Before piece n, thoughts included, the n-th of these is waited for, as far as there are any."""


Script = Callable[[dict[str, Any]], Reply]


def is_answer(body: dict[str, Any]) -> bool:
    """Whether a call asks for the answer, rather than for a rewrite or a correction."""
    return "Evidence:" in body["messages"][-1]["content"] and "Problems:" not in body["messages"][-1]["content"]


class Upstream:
    """The provider; `script` decides what each call gets, `calls` holds their bodies."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.calls: list[dict[str, Any]] = []
        self.streaming = 0
        self._moved = asyncio.Event()
        self.left = asyncio.Event()
        """Set when a client has left a stream before its end."""
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._openai, methods=["POST"]),
                Route("/v1/messages", self._anthropic, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
            ]
        )

    async def _openai(self, request: Request) -> Response:
        return await self._answer(request, _openai_frames, {"error": {"message": "sk-secret leaked in prompt"}})

    async def _anthropic(self, request: Request) -> Response:
        error = {"type": "error", "error": {"type": "rate_limit_error", "message": "sk-secret leaked in prompt"}}
        return await self._answer(request, _anthropic_frames, error)

    async def _answer(self, request: Request, frames: Any, error: dict[str, Any]) -> Response:
        body = await request.json()
        self.calls.append(body)
        reply = self.script(body)
        if reply.status != 200:
            return JSONResponse(error, reply.status, headers=reply.headers)
        if not body.get("stream"):
            return await self._whole(request, reply)
        return StreamingResponse(self._stream(frames, reply), media_type="text/event-stream")

    async def _whole(self, request: Request, reply: Reply) -> Response:
        if reply.wait_for is not None:
            await reply.wait_for.wait()
        if reply.hang:
            self._count(1)
            while (await request.receive())["type"] != "http.disconnect":
                pass
            self._count(-1)
            self.left.set()
        text = reply.text or "".join(reply.pieces or ())
        return JSONResponse(_completion(text, {reply.thoughts_in: "".join(reply.thoughts)} if reply.thoughts else {}))

    async def _stream(self, frames: Any, reply: Reply) -> AsyncIterator[bytes]:
        self._count(1)
        try:
            if reply.wait_for is not None:
                await reply.wait_for.wait()
            pauses = [None, *reply.pauses]
            for at, frame in enumerate(frames(reply)):
                if at < len(pauses) and (pause := pauses[at]) is not None:
                    await pause.wait()
                yield frame
                await asyncio.sleep(0)
            if reply.hang:
                await asyncio.Event().wait()
            if reply.cut:
                raise ConnectionResetError("cut by the script")
        except asyncio.CancelledError:
            self.left.set()
            raise
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self.streaming += change
        self._moved.set()
        self._moved = asyncio.Event()

    async def until_streaming(self, count: int) -> None:
        """Wait until so many streams are open, and replies that hang."""
        while self.streaming != count:
            await self._moved.wait()

    async def _embeddings(self, request: Request) -> Response:
        body = await request.json()
        self.calls.append(body)
        count = len(body["input"]) if isinstance(body["input"], list) else 1
        rows = [{"object": "embedding", "index": at, "embedding": [1.0, 0.5, 0.25]} for at in range(count)]
        return JSONResponse({"object": "list", "data": rows, "model": body["model"], "usage": {}})


def words(text: str) -> list[str]:
    """A text in pieces of a word each, with the spaces before them."""
    pieces = text.split(" ")
    return [piece if at == 0 else f" {piece}" for at, piece in enumerate(pieces)]


def _completion(text: str, thoughts: dict[str, str]) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **thoughts}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": choices,
        "usage": None,
    }


def _openai_frames(reply: Reply) -> list[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": choices}
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    pieces = reply.pieces if reply.pieces is not None else words(reply.text)
    thoughts = (chunk({"content": None, reply.thoughts_in: thought}) for thought in reply.thoughts)
    said = (chunk({"content": piece}) for piece in pieces)
    frames = [chunk({"role": "assistant", "content": ""}), *thoughts, *said]
    if reply.cut or reply.hang:
        return frames
    ending = [chunk({}, reply.finish)] if reply.finish else []
    return [*frames, *ending, b"data: [DONE]\n\n"]


def _anthropic_frames(reply: Reply) -> list[bytes]:
    def frame(kind: str, **body: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **body})}\n\n".encode()

    message = {"id": "m", "type": "message", "role": "assistant", "model": "scripted", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
    frames = [frame("message_start", message=message)]
    text = 0
    if reply.thoughts:
        text = 1
        block = {"type": "thinking", "thinking": "", "signature": ""}
        frames.append(frame("content_block_start", index=0, content_block=block))
        frames += [
            frame("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": t})
            for t in reply.thoughts
        ]
        frames.append(frame("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}))
        frames.append(frame("content_block_stop", index=0))
    frames.append(frame("content_block_start", index=text, content_block={"type": "text", "text": ""}))
    pieces = reply.pieces if reply.pieces is not None else words(reply.text)
    frames += [frame("content_block_delta", index=text, delta={"type": "text_delta", "text": p}) for p in pieces]
    if reply.cut or reply.hang:
        return frames
    frames.append(frame("content_block_stop", index=text))
    if reply.finish:
        reason = {"stop_reason": "end_turn", "stop_sequence": None}
        frames.append(frame("message_delta", delta=reason, usage={"output_tokens": 5}))
        frames.append(frame("message_stop"))
    return frames
