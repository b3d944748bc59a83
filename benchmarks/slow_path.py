"""What the slow path costs the readers who still wait: time to first token with it on and off, over 1,000 passages.

    python -m benchmarks.slow_path [--pairs 6] [--seconds 5]

Two servers with the embedded models over the same documents, one of which gives the slow path no time at all. Eight
askers put questions to them in alternating rounds of one run, each every other second, so that noise hits both alike;
figures are written to `benchmarks/slow_path.md`.
"""

import argparse
import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np

from benchmarks.first_events import PASSAGES, corpus, questions, server

RESULT = Path(__file__).with_suffix(".md")
ASKERS = 8
EVERY_SECONDS = 2.0
"""Between two questions of an asker, on average; nobody waits for an answer to ask again, so both get equal work."""
TARGET = 1.10
_SETTING = "GROUNDSWELL_SLOW_PATH_SECONDS"
_NO_TIME = "0.000001"
_DRAWS = 2000


class Timing(NamedTuple):
    """Milliseconds from a question to its first token and to its end."""

    token: float
    end: float


Round = list[Timing]


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, str]]:
    """The URLs of a server with the slow path and of one without, over copies of the same documents."""
    with server(str(folder / "on")) as (url, _), httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
        client.post("/documents", params={"wait": True}, json={"documents": corpus()}).raise_for_status()
    shutil.copytree(folder / "on", folder / "off")
    os.environ.pop(_SETTING, None)
    with server(str(folder / "on")) as (on, _):
        os.environ[_SETTING] = _NO_TIME
        with server(str(folder / "off")) as (off, _):
            yield {"on": on, "off": off}


async def ask(client: httpx.AsyncClient, question: str) -> Timing:
    """Ask and read to the end."""
    token, began = float("nan"), time.perf_counter()
    async with client.stream("POST", "/query", json={"query": question}) as response:
        async for line in response.aiter_lines():
            if np.isnan(token) and '"event_type":"token"' in line:
                token = (time.perf_counter() - began) * 1000
    return Timing(token, (time.perf_counter() - began) * 1000)


async def one_round(url: str, seconds: float, next_question: Callable[[], str], seed: int) -> Round:
    """What eight askers see who ask whenever their time has come; the times are those of the seed."""
    chance = random.Random(seed)
    times = sorted(chance.uniform(0, seconds) for _ in range(int(ASKERS * seconds / EVERY_SECONDS)))
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as client:

        async def one(at: float) -> Timing:
            await asyncio.sleep(at)
            return await ask(client, next_question())

        return await asyncio.gather(*(one(at) for at in times))


async def measure(urls: dict[str, str], pairs: int, seconds: float) -> dict[str, list[Round]]:
    """Rounds by turns, the order of the two changing; the first pair only warms up."""
    rounds: dict[str, list[Round]] = {"on": [], "off": []}
    asked = {name: questions(100_000) for name in urls}
    for number in range(pairs + 1):
        for name in ("on", "off") if number % 2 else ("off", "on"):
            found = await one_round(urls[name], seconds, lambda name=name: next(asked[name]), number)  # type: ignore[misc]
            if number:
                rounds[name].append(found)
    return rounds


def quantile(rounds: list[Round], share: float) -> float:
    """Of the times to the first token."""
    return float(np.nanquantile([timing.token for each in rounds for timing in each], share))


def interval(rounds: dict[str, list[Round]], share: float) -> tuple[float, float]:
    """Where on / off lies in 95 of 100 resamplings of the questions."""
    chance = np.random.default_rng(0)
    values = {name: np.array([t.token for each in given for t in each]) for name, given in rounds.items()}
    drawn = {
        name: np.nanquantile(chance.choice(one, (_DRAWS, len(one))), share, axis=1) for name, one in values.items()
    }
    low, high = np.quantile(drawn["on"] / drawn["off"], [0.025, 0.975])
    return float(low), float(high)


def report(rounds: dict[str, list[Round]], seconds: float) -> str:
    """The page."""
    asked = sum(map(len, rounds["on"]))
    silent = sum(bool(np.isnan(t.token)) for given in rounds.values() for each in given for t in each)
    rows = ["| time to first token | on, ms | off, ms | on / off | 95 % |", "|---|---|---|---|---|"]
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        on, off = quantile(rounds["on"], share), quantile(rounds["off"], share)
        low, high = interval(rounds, share)
        rows.append(f"| {name} | {on:.1f} | {off:.1f} | {on / off:.2f} | {low:.2f} to {high:.2f} |")
    ratio = quantile(rounds["on"], 0.95) / quantile(rounds["off"], 0.95)
    ends = {name: np.median([t.end for each in given for t in each]) for name, given in rounds.items()}
    return "\n".join(
        [
            "# The slow path beside the first token",
            "",
            f"{PASSAGES} passages, {ASKERS} askers with a question every {EVERY_SECONDS:g} s each, HTTP on loopback, "
            f"embedded models, {os.cpu_count()} cores (askers included). {len(rounds['on'])} rounds of {seconds:g} s "
            f"with the slow path and as many without, by turns; {asked} questions each, {silent} unanswered. "
            "`make bench` measures again.",
            "",
            *rows,
            "",
            f"Target: the slow path moves p95 by at most {TARGET - 1:.0%}: "
            f"{'met' if ratio <= TARGET else 'missed'}. "
            f"Median time to the final answer: {ends['on']:.0f} ms with the slow path, {ends['off']:.0f} ms without.",
            "",
        ]
    )


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as urls:
        rounds = asyncio.run(measure(urls, given.pairs, given.seconds))
    text = report(rounds, given.seconds)
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
