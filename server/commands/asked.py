"""A question under way, in this process or on a server: its events, and what can be asked of it meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol

import click
import httpx
from pydantic import ValidationError

from server.commands.remote import events
from server.settings import Settings

_TIMEOUT = httpx.Timeout(10)


class Asked(Protocol):
    """A question under way. What is asked of it may be asked from any thread."""

    def envelopes(self) -> Iterator[dict[str, Any]]:
        """What it says, as it comes."""
        ...

    @property
    def begun(self) -> bool:
        """Whether there is a run."""
        ...

    def finish(self) -> None:
        """Have deep research write its report now."""
        ...

    def cancel(self) -> None:
        """Stop it; its last words say so."""
        ...


class AskedThere:
    """On a server. Raises `click.ClickException` with what the server says."""

    def __init__(self, url: str, body: dict[str, Any]) -> None:
        self._url, self._body = url, body
        self._request_id: str | None = None

    def envelopes(self) -> Iterator[dict[str, Any]]:
        """What the server streams."""
        for envelope in events(self._url, "/query", json=self._body):
            self._request_id = envelope["request_id"]
            yield envelope

    @property
    def begun(self) -> bool:
        """Whether the server has named its run."""
        return self._request_id is not None

    def finish(self) -> None:
        """`POST /runs/{id}/finish`."""
        self._post("finish")

    def cancel(self) -> None:
        """`POST /runs/{id}/cancel`."""
        self._post("cancel")

    def _post(self, verb: str) -> None:
        try:
            url = f"{self._url.rstrip('/')}/runs/{self._request_id}/{verb}"
            httpx.post(url, timeout=_TIMEOUT, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            raise click.ClickException(f"the server did not take it: {error}") from error


class AskedHere:
    """In this process, pulled step by step from an event loop of its own."""

    def __init__(self, settings: Settings, body: dict[str, Any]) -> None:
        self._settings, self._body = settings, body
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finish: Callable[[], object] = lambda: None
        self._cancel: Callable[[], object] = lambda: None

    def envelopes(self) -> Iterator[dict[str, Any]]:
        """What the run says. Raises `click.ClickException` for a question that cannot be asked."""
        from callbacks.events import as_dict
        from graph.hub import Hub
        from graph.query import Query
        from server.bootstrap import build_hub, open_library

        try:
            query = Query.model_validate(self._body)
            library = open_library(self._settings)
        except ValidationError as error:
            raise click.ClickException("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())) from error
        with asyncio.Runner() as runner:

            async def begin() -> tuple[Hub, AsyncIterator[Any]]:
                hub = build_hub(self._settings, library)
                run = hub.start(query)
                self._finish, self._cancel = lambda: hub.finish(run.request_id), lambda: run.cancel(_BY_REQUEST)
                self._loop = asyncio.get_running_loop()
                return hub, (entry.event async for batch in hub.follow(run) for entry in batch)

            try:
                hub, stream = runner.run(begin())
                while (event := runner.run(_next(stream))) is not None:
                    yield as_dict(event)
                runner.run(hub.drain(0))
            finally:
                self._loop = None
                library.close()

    @property
    def begun(self) -> bool:
        """Whether the run has started."""
        return self._loop is not None

    def finish(self) -> None:
        """As `POST /runs/{id}/finish` does."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._finish)

    def cancel(self) -> None:
        """As `POST /runs/{id}/cancel` does."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cancel)


_BY_REQUEST = "cancelled by request"


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream, None)
