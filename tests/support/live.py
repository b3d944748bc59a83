"""Applications under a real uvicorn, in a thread with an event loop of its own, on a free port of loopback."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn

from retrieval.library import Library

T = TypeVar("T")


class Live:
    """A server that runs."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(listening,), daemon=True)
        self._thread.start()

    def _serve(self, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self.server.serve([listening]))

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 20) -> T:
        """Run something in the server's loop and wait for it here."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def stop(self) -> None:
        """Stop as SIGTERM would."""
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextmanager
def live(server_of: Any) -> Iterator[Live]:
    """Run the server that `server_of(port)` makes."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = Live(server_of(listening.getsockname()[1]), listening)
    started = threading.Event()
    while not running.server.started:
        started.wait(0.01)
    try:
        yield running
    finally:
        running.stop()


def plain_server(app: Any) -> Any:
    """A uvicorn without anything of ours, for the scripted provider."""
    return lambda port: uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )


class Lent(Library):
    """A library that outlives the server it is lent to."""

    def __init__(self, library: Library) -> None:
        self.__dict__ = library.__dict__

    def close(self) -> None:
        """Whoever lent it closes it."""


class Fails(Lent):
    """A library whose searches fail."""

    async def search(self, *args: Any, **kwargs: Any) -> Any:
        raise OSError("the disk is at /dev/secret")


class FailsDeeper(Lent):
    """A library whose wide searches fail, and with them the slow path."""

    async def search(self, collection: str, text: str, k: int, filters: Any = None, reach: Any = None) -> Any:
        if reach is not None and reach.wide:
            raise OSError("the disk is at /dev/secret")
        return await super().search(collection, text, k, filters, reach)
