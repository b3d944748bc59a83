"""How soon a reader sees something: start to ready, then first event, source and token over 1,000 passages.

    python -m benchmarks.first_events [--questions 60]

Starts `groundswell serve` in a process of its own with a fresh data folder, fills it, asks one question after another
over one connection, and writes the figures to `benchmarks/first_events.md`.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

RESULT = Path(__file__).with_suffix(".md")
TARGETS = {"first event": 50, "first source": 100, "first token": 150}
PASSAGES = 1000
TOWNS = ["Aldermoor", "Brack", "Corvale", "Dunmere", "Elsing", "Farrow", "Galdrum", "Harth", "Ilvery", "Jorvin"]
THINGS = ["ferry", "market", "lighthouse", "bakery", "archive", "mill", "school", "observatory", "bridge", "harbour"]
FACTS = [
    "The {thing} of {town} number {n} was founded in {year} by the guild of weavers.",
    "It opens at {hour} in the morning and closes after sunset on every day but Sunday.",
    "Visitors of the {thing} in {town} pay {n} crowns, and children below seven years pay nothing.",
    "The keeper of the {thing} reports to the council of {town} at the end of each month.",
    "Repairs to the {thing} number {n} are paid from the tolls that {town} takes at its gates.",
    "In the winter of {year} a storm damaged the roof, and the townspeople mended it within a week.",
]


def corpus() -> list[dict[str, object]]:
    """Documents of one passage each."""
    chance = random.Random(1)
    documents: list[dict[str, object]] = []
    for number in range(PASSAGES):
        facts = {
            "town": TOWNS[number % 10],
            "thing": THINGS[number // 10 % 10],
            "n": number,
            "year": 1500 + number % 400,
            "hour": chance.randint(5, 11),
        }
        content = " ".join(fact.format(**facts) for fact in FACTS)
        title = f"{facts['thing']} of {facts['town']} {number}"
        documents.append({"id": str(number), "content": content, "metadata": {"title": title}})
    return documents


def questions(count: int) -> Iterator[str]:
    """Questions whose answers are in the corpus."""
    chance = random.Random(2)
    for _ in range(count):
        number = chance.randrange(PASSAGES)
        yield f"Who founded the {THINGS[number // 10 % 10]} of {TOWNS[number % 10]} number {number}?"


@contextmanager
def server(folder: str) -> Iterator[tuple[str, float]]:
    """A running server: its URL and the seconds from start to ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    command = [sys.executable, "-m", "server", "serve", "--port", str(port), "--data-dir", folder]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
    try:
        while True:
            try:
                if httpx.get(f"{url}/ready", trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                if time.monotonic() - started > 60 or process.poll() is not None:
                    raise
            time.sleep(0.02)
        yield url, time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def ask(client: httpx.Client, question: str) -> dict[str, float]:
    """Milliseconds from the request to the first event, source and token."""
    seen: dict[str, float] = {}
    began = time.perf_counter()
    with client.stream("POST", "/query", json={"query": question}) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                kind = json.loads(line[6:]).get("event_type", "end")
                elapsed = (time.perf_counter() - began) * 1000
                seen.setdefault("first event", elapsed)
                seen.setdefault(f"first {kind}", elapsed)
    return seen


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=60)
    count = parser.parse_args().questions
    with tempfile.TemporaryDirectory() as folder:
        with server(folder) as (url, first_start), httpx.Client(base_url=url, timeout=300, trust_env=False) as client:
            began = time.monotonic()
            client.post("/documents", params={"wait": True}, json={"documents": corpus()}).raise_for_status()
            ingestion = time.monotonic() - began
            timings = [ask(client, question) for question in questions(count + 5)][5:]
        with server(folder) as (_, next_start):
            pass
    rows = ["| | p50 ms | p95 ms | target p95 |", "|---|---|---|---|"]
    for name, target in TARGETS.items():
        values = sorted(timing[name] for timing in timings if name in timing)
        rows.append(f"| {name} | {values[len(values) // 2]:.1f} | {values[int(len(values) * 0.95)]:.1f} | {target} |")
    answered = sum("first token" in timing for timing in timings)
    text = "\n".join(
        [
            "# First events",
            "",
            f"{PASSAGES} passages, {count} questions one after another ({answered} answered), embedded models, "
            f"{os.cpu_count()} cores. `make bench` measures again.",
            "",
            *rows,
            "",
            f"Start to `/ready`: {first_start:.1f} s with an empty data folder (the built-in documentation is embedded "
            f"then), {next_start:.1f} s afterwards; target 12 s, goal 8 s. Ingestion: {PASSAGES / ingestion:.0f} "
            "passages a second, a document each.",
            "",
        ]
    )
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
