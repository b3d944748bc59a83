"""The verbs of the command line, one file each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from callbacks.personal import PersonalUnavailable
from chains.models import ModelUnavailable
from graph.hub import Refusal
from graph.policy_file import PolicyError
from retrieval.database import DataFolderDamaged, DataFolderTooNew
from retrieval.stores import StoreUnavailable
from server.lock import DataFolderHeld, DataLock


@contextmanager
def mendable() -> Iterator[None]:
    """What the operator can mend is told in a line, without a traceback."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error
    except (
        DataFolderDamaged,
        DataFolderHeld,
        DataFolderTooNew,
        ModelUnavailable,
        PersonalUnavailable,
        PolicyError,
        Refusal,
        StoreUnavailable,
    ) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def server_or_folder(folder: Path, server: str | None) -> Iterator[str | None]:
    """The URL of the server to go through, the one named or the one that holds the folder; None while we hold it.

    Raises `DataFolderHeld` if a process without an address holds it.
    """
    if server is not None:
        yield server
        return
    lock = DataLock(folder)
    try:
        lock.acquire()
    except DataFolderHeld as held:
        if held.url is None:
            raise
        server = held.url
    if server is not None:
        yield server
        return
    try:
        yield None
    finally:
        lock.release()
