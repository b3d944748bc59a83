"""`groundswell ask`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click
from rich.console import Console

from server.commands import mendable, server_or_folder
from server.commands.asked import Asked, AskedHere, AskedThere
from server.commands.interrupts import finish_then_cancel
from server.commands.reading import LiveView, cited, is_fatal
from server.settings import Settings

Say = Callable[[str], None]


def run(settings: Settings, body: dict[str, Any], *, as_json: bool, server: str | None) -> None:
    """Ask a server, or without one the data folder itself. Exits with 1 if the run fails."""
    with mendable(), server_or_folder(settings.data_dir, server) as url:
        asked = AskedHere(settings, body) if url is None else AskedThere(url, body)
        failed = show(asked, deep=body.get("mode") == "deep", as_json=as_json)
    if failed:
        sys.exit(1)


def show(asked: Asked, *, deep: bool, as_json: bool) -> bool:
    """Print the run as it comes: envelopes as lines, a live view on a terminal, plain text into a pipe.

    In deep research Ctrl-C has the report written, and cancels when it is pressed again. Says whether the run failed.
    """
    live = LiveView(Console(highlight=False)) if not as_json and sys.stdout.isatty() else None
    with _interrupts(asked, live.say if live else _say, deep=deep):
        if live is not None:
            return live.show(asked.envelopes())
        return (_print_json if as_json else _print_plain)(asked.envelopes())


def _interrupts(asked: Asked, say: Say, *, deep: bool) -> AbstractContextManager[None]:
    return finish_then_cancel(asked, say) if deep else nullcontext()


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print_json(envelopes: Iterator[dict[str, Any]]) -> bool:
    failed = False
    for event in envelopes:
        click.echo(json.dumps(event, ensure_ascii=False))
        failed = failed or is_fatal(event)
    return failed


def _print_plain(envelopes: Iterator[dict[str, Any]]) -> bool:
    failed = False
    for event in envelopes:
        if is_fatal(event):
            click.echo(f"error: {event['payload']['message']}", err=True)
            failed = True
        if event["event_type"] == "final_answer":
            final = event["payload"]
            click.echo(final["answer"])
            for line in cited(final):
                click.echo(line)
    return failed
