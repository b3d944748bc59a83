"""Running the application under uvicorn, and ending it without cutting answers short."""

import asyncio
import socket
import sys

import uvicorn
from fastapi import FastAPI

from server.context import AppContext

_SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the others waiting: every step of a question in the event loop waits for it
when a slow path computes, and the usual 5 ms add up to more than the whole way to the first token."""


class Server(uvicorn.Server):
    """Lets runs finish within the grace before connections are closed; meanwhile `/ready` says 503."""

    def __init__(self, config: uvicorn.Config, context: AppContext) -> None:
        super().__init__(config)
        self._context = context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        sys.setswitchinterval(_SWITCH_SECONDS)
        await self._context.jobs.resume()
        await self._context.hub.reviews.resume()
        await self._context.hub.threads.resume()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self._context.settings.shutdown_grace
        await asyncio.gather(self._context.hub.drain(grace), self._context.jobs.drain(grace))
        await super().shutdown(sockets)
        await asyncio.to_thread(self._context.library.close)


def build_server(app: FastAPI, context: AppContext, *, host: str, port: int) -> Server:
    """A server of ours for this application."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=context.settings.log_level,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
        lifespan="off",
    )
    return Server(config, context)
