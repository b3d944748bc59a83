"""Running the application under uvicorn, and ending it without cutting answers short."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

from server.context import AppContext


class Server(uvicorn.Server):
    """Lets runs finish within the grace before connections are closed; meanwhile `/ready` says 503."""

    def __init__(self, config: uvicorn.Config, context: AppContext) -> None:
        super().__init__(config)
        self._context = context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._context.jobs.resume()
        await self._context.hub.reviews.resume()
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
