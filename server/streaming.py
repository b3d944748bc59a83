"""The response that follows a log. It only reads: the run belongs to the hub."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from callbacks.log import Entry, EventLog
from server.protocols import ndjson, sse

Batches = AsyncIterator[Sequence[Entry]]


class EventStream(Response):
    """A plain ASGI response over batches of entries: everything that waits goes out in one write.

    An empty batch becomes a heartbeat. A client that leaves ends the reading at once.
    """

    def __init__(
        self,
        batches: Batches,
        *,
        request_id: str,
        media_type: str,
        render: Callable[[Sequence[Entry]], bytes],
        heartbeat: bytes = b"",
        end: Callable[[], bytes] = lambda: b"",
    ) -> None:
        super().__init__(media_type=media_type)
        self._batches = batches
        self._render = render
        self._heartbeat = heartbeat
        self._end = end
        self.raw_headers = [
            (b"content-type", media_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            (b"x-request-id", request_id.encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pump = asyncio.ensure_future(self._pump(send))
        left = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({pump, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, left):
                task.cancel()
            await asyncio.gather(pump, left, return_exceptions=True)
        if not pump.cancelled():
            pump.result()  # whatever broke the stream is to be seen in the log

    async def _pump(self, send: Send) -> None:
        async for batch in self._batches:
            body = self._render(batch) if batch else self._heartbeat
            if body:
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": self._end(), "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def follow(
    request: Request, log: EventLog, batches: Batches, *, after: int, numbered: bool, outcome: Callable[[], str]
) -> Response:
    """A log after `after` as the client wants it; 204 when it has ended and there is no more, so that it stops."""
    if log.closed and after >= len(log):
        return Response(status_code=204, headers={"X-Request-ID": log.request_id})
    if ndjson.MEDIA_TYPE in request.headers.get("accept", ""):
        return EventStream(batches, request_id=log.request_id, media_type=ndjson.MEDIA_TYPE, render=ndjson.lines)
    return EventStream(
        batches,
        request_id=log.request_id,
        media_type=sse.MEDIA_TYPE,
        render=sse.numbered_frames if numbered else sse.frames,
        heartbeat=sse.HEARTBEAT,
        end=lambda: sse.end_frame(log.request_id, len(log), outcome()),
    )
