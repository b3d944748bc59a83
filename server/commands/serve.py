"""`groundswell serve`."""

import gc
import logging
import socket
import warnings

import click

from server.app import create_app
from server.bootstrap import build_context
from server.commands import mendable
from server.edge import is_loopback
from server.lock import DataLock
from server.serving import build_server
from server.settings import Settings

_SEND_BUFFER = 256 * 1024
_UNACKNOWLEDGED_MS = 30_000


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `click.ClickException` for what the operator can mend."""
    if not is_loopback(settings.host):
        raise click.ClickException(
            f"{settings.host} can be reached from other machines, and there are no API keys: use 127.0.0.1"
        )
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)-8s %(name)s: %(message)s")
    warnings.filterwarnings("ignore", message=".*astream_log.*")  # LangServe's playgrounds rest on it
    listening = _listen(settings.host, settings.port)
    with mendable():
        lock = DataLock(settings.data_dir)
        lock.acquire()
        context = build_context(settings)
    port = listening.getsockname()[1]
    url = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{port}"
    lock.announce(url)
    server = build_server(create_app(context), context, host=settings.host, port=port)
    gc.freeze()  # what is here now stays: the collector need not look at it again
    click.echo(f"Groundswell is at {url}  (chat model: {settings.chat_model}, Ctrl-C stops it)")
    try:
        server.run(sockets=[listening])
    finally:
        lock.release()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # without it asyncio leaves Nagle on
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # a reader that stops reading would be invisible for the first megabytes, and a vanished one for hours
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}; try --port") from error
    return listening
