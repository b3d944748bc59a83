"""The verbs of the command line, one file each."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from chains.models import ModelUnavailable
from graph.hub import Refusal
from graph.policy import PolicyError
from retrieval.documents import DataFolderDamaged, DataFolderTooNew
from server.lock import DataFolderHeld


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
        PolicyError,
        Refusal,
    ) as error:
        raise click.ClickException(str(error)) from error
