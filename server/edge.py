"""ASGI middleware around every route: a request id on each response, and a look at where the request is from."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit
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


_THIS_MACHINE = "0.0.0.0"  # noqa: S104 - as a name in a URL it means this machine, too


class Guard:
    """Refuses bodies that say they are too large, and requests that a foreign page or name has sent.

    Without API keys only this machine may ask. A page of another site can still make a browser here send a form, and a
    name that resolves to this machine can make it read the answer: the `Origin` and the `Host` tell.
    """

    def __init__(self, app: ASGIApp, *, query_bytes: int, upload_bytes: int, hosts: Collection[str]) -> None:
        self._app = app
        self._query_bytes = query_bytes
        self._upload_bytes = upload_bytes
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refusal = self._refusal(scope)
            if refusal is not None:
                return await refusal(scope, receive, send)
        return await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if not self._known(f"//{headers.get('host', 'localhost')}"):
            return problem(403, "host_not_allowed", "This server does not answer to that name.", field="Host")
        origin = headers.get("origin", "null")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and origin != "null" and not self._known(origin):
            return problem(403, "origin_not_allowed", "Pages of other sites may not use this server.", field="Origin")
        limit = self._upload_bytes if scope["path"].startswith("/documents") else self._query_bytes
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > limit:
            return problem(413, "too_large", f"The body is larger than {limit} bytes.", field="body")
        return None

    def _known(self, url: str) -> bool:
        try:
            name = urlsplit(url).hostname or ""
        except ValueError:
            return False
        return is_loopback(name) or name == _THIS_MACHINE or name in self._hosts


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address or name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
