"""ASGI middleware around every route: a request id on each response, and a bound on each body."""

from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import problem


class RequestId:
    """Gives every response an `X-Request-ID`; a run's response brings its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("X-Request-ID", str(uuid4()))
            await send(message)

        await self._app(scope, receive, sending)


class BodyLimit:
    """Refuses bodies over a limit with 413, whether or not they say their length."""

    def __init__(self, app: ASGIApp, *, query_bytes: int, upload_bytes: int) -> None:
        self._app = app
        self._query_bytes = query_bytes
        self._upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            return await self._app(scope, receive, send)
        limit = self._upload_bytes if scope["path"].startswith("/documents") else self._query_bytes
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > limit:
            return await _too_large(limit)(scope, receive, send)
        await self._counted(limit, scope, receive, send)

    async def _counted(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0
        started = False

        async def receiving() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _BodyTooLarge
            return message

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        except _BodyTooLarge:
            if started:
                raise
            await _too_large(limit)(scope, receive, send)


class _BodyTooLarge(Exception):
    """More came than was allowed."""


def _too_large(limit: int) -> ASGIApp:
    return problem(413, "too_large", f"The body is larger than {limit} bytes.", field="body")
