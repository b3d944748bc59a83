"""Talking to a running server from the command line."""

import json
from collections.abc import Iterator
from typing import Any

import click
import httpx

_TIMEOUT = httpx.Timeout(10, read=None)


class ServerRefused(click.ClickException):
    """The server does not take what it was sent."""


def events(url: str, path: str, **request: Any) -> Iterator[dict[str, Any]]:
    """The envelopes a server streams in answer to a POST. Raises `click.ClickException` with what it says."""
    headers = {"Accept": "application/x-ndjson"}
    try:
        with (
            httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False) as client,
            client.stream("POST", path, headers=headers, **request) as response,
        ):
            if response.status_code != 200:
                raise ServerRefused(_problem(response))
            for line in response.iter_lines():
                if line:
                    yield json.loads(line)
    except httpx.TransportError as error:
        raise click.ClickException(f"the server at {url} cannot be reached: {error}") from error


def post(url: str, path: str) -> dict[str, Any]:
    """What a server answers to a POST without a body. Raises `click.ClickException` with what it says."""
    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT, trust_env=False) as client:
            response = client.post(path)
    except httpx.TransportError as error:
        raise click.ClickException(f"the server at {url} cannot be reached: {error}") from error
    if response.status_code != 200:
        raise ServerRefused(_problem(response))
    answer: dict[str, Any] = response.json()
    return answer


def _problem(response: httpx.Response) -> str:
    body = response.read()
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {response.status_code}"
