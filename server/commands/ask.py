"""`groundswell ask`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import click
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from server.commands import mendable, server_or_folder
from server.commands.remote import events
from server.settings import Settings


def run(settings: Settings, body: dict[str, Any], *, as_json: bool, server: str | None) -> None:
    """Ask a server, or without one the data folder itself. Exits with 1 if the run fails."""
    with mendable(), server_or_folder(settings.data_dir, server) as url:
        envelopes = _local(settings, body) if url is None else events(url, "/query", json=body)
        show(envelopes, as_json=as_json)


def show(envelopes: Iterator[dict[str, Any]], *, as_json: bool) -> None:
    """Print the run as it comes: envelopes as lines, a live view on a terminal, plain text into a pipe."""
    if as_json:
        failed = _print_json(envelopes)
    elif sys.stdout.isatty():
        failed = _print_live(envelopes, Console(highlight=False))
    else:
        failed = _print_plain(envelopes)
    if failed:
        sys.exit(1)


def _print_json(envelopes: Iterator[dict[str, Any]]) -> bool:
    failed = False
    for event in envelopes:
        click.echo(json.dumps(event, ensure_ascii=False))
        failed = failed or _is_fatal(event)
    return failed


def _print_plain(envelopes: Iterator[dict[str, Any]]) -> bool:
    for event in envelopes:
        if _is_fatal(event):
            click.echo(f"error: {event['payload']['message']}", err=True)
            return True
        if event["event_type"] == "final_answer":
            final = event["payload"]
            click.echo(final["answer"])
            for line in _cited(final):
                click.echo(line)
    return False


def _print_live(envelopes: Iterator[dict[str, Any]], console: Console) -> bool:
    status = console.status("Asking")
    status.start()
    writing = failed = False
    for event in envelopes:
        payload = event["payload"]
        match event["event_type"]:
            case "status_update" if not writing:
                status.update(payload["message"])
            case "source":
                console.print(_source_line(payload))
            case "gate_decision":
                console.print(Text(f"gate: {payload['verdict']} ({'; '.join(payload['reasons'])})", style="dim"))
            case "thinking" if not writing:
                status.stop()
                console.print(Text(payload["text"], style="dim italic"))
                status.start()
            case "token":
                if not writing:
                    status.stop()
                    console.print()
                    writing = True
                console.print(Text(payload["token"]), end="")
            case "refinement_update" if payload["action"] != "confirm":
                console.print(Text(f"\n\n{payload['message']} ({'; '.join(payload['reasons'])}):\n", style="yellow"))
                console.print(Text(payload["refined_answer"]))
            case "error":
                status.stop()
                console.print(Text(f"\n{payload['message']}", style="red" if payload["fatal"] else "yellow"))
                failed = failed or payload["fatal"]
            case "final_answer":
                status.stop()
                console.print(Text("" if writing else f"\n{payload['answer']}"))
                console.print(Text("\n".join(["", *_cited(payload)]), style="dim"))
            case "pipeline_metric":
                console.print(Text(_figures(payload), style="dim"))
    status.stop()
    return failed


def _source_line(source: dict[str, Any]) -> Text:
    line = Text(f"[{source['index']}] {source['source']}", style="cyan")
    if source["section"]:
        line.append(f" > {source['section']}")
    if source["page"] is not None:
        line.append(f", p. {source['page']}")
    return line.append(f"  {source['score']:.2f}", style="dim")


def _cited(final: dict[str, Any]) -> list[str]:
    """A line for each citation: the marker, where it is from, the words."""
    lines = []
    for citation in final["citations"]:
        place = " > ".join(part for part in (citation["source"], citation["section"]) if part)
        place += f", p. {citation['page']}" if citation["page"] is not None else ""
        lines.append(f"[{citation['index']}] {place}: “{' '.join(citation['quote'].split())}”")
    return list(dict.fromkeys(lines))


def _figures(metric: dict[str, Any]) -> str:
    named = (("first source", "time_to_first_source_ms"), ("first token", "time_to_first_token_ms"))
    parts = [f"{name} {metric[key]} ms" for name, key in named if metric[key] is not None]
    return ", ".join([*parts, f"total {metric['total_pipeline_ms']} ms"])


def _is_fatal(event: dict[str, Any]) -> bool:
    return event["event_type"] == "error" and bool(event["payload"]["fatal"])


def _local(settings: Settings, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The run in this process, pulled step by step from an event loop of its own."""
    from callbacks.events import as_dict
    from graph.hub import Hub
    from graph.query import Query
    from server.bootstrap import build_hub, open_library

    try:
        query = Query.model_validate(body)
        library = open_library(settings)
    except ValidationError as error:
        raise click.ClickException("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())) from error
    with asyncio.Runner() as runner:

        async def begin() -> Hub:
            return build_hub(settings, library)

        try:
            hub = runner.run(begin())
            stream = hub.ask(query)
            while (event := runner.run(_next(stream))) is not None:
                yield as_dict(event)
            runner.run(hub.drain(0))
        finally:
            library.close()


async def _next(stream: AsyncIterator[Any]) -> Any:
    return await anext(stream, None)
