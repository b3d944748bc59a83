"""What indexing costs, and what hostile files cost everybody else: `python -m benchmarks.ingestion [cost] [lag] [pdf]`.

The cost: passages per second of processor time from upload to searchable, the reading process included, over the bare
encoder's on the same passages in the same run. The lag: how late a ticker of 5 ms comes in the server's event loop
while bombs are uploaded and read. The PDF: 1,000 synthetic pages through the reading process.
"""

import asyncio
import io
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.first_events import FACTS, THINGS, TOWNS

RESULT = Path(__file__).with_suffix(".md")
PASSAGES = 600
PAGES = 1_000
_TICK = 0.005
_PATIENCE = 25
"""Seconds after which a bomb's job is cancelled."""


def main() -> None:
    """Measure and write the figures."""
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(Path(sys.argv[2]), int(sys.argv[3])))
        return
    parts: dict[str, Callable[[], str]] = {"cost": cost, "lag": lag, "pdf": pages}
    chosen = sys.argv[1:] or list(parts)
    head = (
        f"# Ingestion\n\n{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}. `python -m benchmarks.ingestion` measures again.\n"
    )
    text = "\n".join([head, *(parts[name]() for name in chosen)])
    print(text)
    if chosen == list(parts):
        RESULT.write_text(text, encoding="utf-8")


# --- the cost


def cost() -> str:
    """Passages per second of processor time, beside the bare encoder."""
    rows = [cost_of(shape, per_document) for shape, per_document in (("25 passages each", 25), ("one each", 1))]
    return "\n".join(
        [
            f"## Passages per second of processor time\n\n{PASSAGES} passages of about 90 words; goal: 0.8 of the"
            " bare encoder.\n",
            "| documents | bare encoder | whole pipeline | share |",
            "|---|---:|---:|---:|",
            *rows,
            "",
        ]
    )


def cost_of(shape: str, per_document: int) -> str:
    """One row: the pipeline, then the encoder alone on the same passages, the better of two times."""
    from retrieval.embeddings import MiniLM

    encoder = MiniLM()
    encoder.encode_query("warm")
    with tempfile.TemporaryDirectory() as folder:
        seconds, count, texts = through_the_pipeline(Path(folder), encoder, per_document)
    bare = []
    for _ in range(2):
        began = time.process_time()
        for start in range(0, len(texts), 32):
            encoder.encode(texts[start : start + 32])
        bare.append(time.process_time() - began)
    encoder_rate, rate = len(texts) / min(bare), count / seconds
    return f"| {shape} | {encoder_rate:.0f} | {rate:.0f} | {rate / encoder_rate:.2f} |"


def through_the_pipeline(
    folder: Path, encoder: object, per_document: int
) -> tuple[float, int, list[tuple[str, list[tuple[int, int]]]]]:
    """Processor seconds, passages, and what the encoder was given."""
    from retrieval.ingest import Ingestion
    from retrieval.jobs import JobStore
    from retrieval.parsing import ParseLimits, ParserProcess
    from retrieval.submissions import Submission
    from server.bootstrap import library_in

    library = library_in(folder, encoder)  # type: ignore[arg-type]
    jobs = JobStore(library.stored.database)
    with closing(library):
        parser = ParserProcess(ParseLimits())
        ingestion = Ingestion(library, jobs, parser, lambda *_: None)
        parser(Submission(data="Warm."))  # a server's is warm, too
        before = processor_seconds(parser)
        handed_in = [Submission(data=text, id=str(at)) for at, text in enumerate(documents(per_document))]
        jobs.create("job", "default", handed_in)
        record = jobs.record_of("job")
        assert record is not None
        while ingestion.step(record):
            pass
        ingestion.finish(record, "done", {})
        seconds = processor_seconds(parser) - before
        parser.close()
        keys = library.snapshot("default").keys.tolist()
        passages = library.stored.passages(keys)
        texts = [(passages[key].indexed_text, passages[key].indexed_sentences) for key in keys]
        return seconds, len(keys), texts


def processor_seconds(parser: object) -> float:
    """Of this process and of the reading one."""
    import psutil

    children = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return time.process_time() + sum(times.user + times.system for times in children)


def documents(per_document: int) -> Iterator[str]:
    """Texts of paragraphs that are a passage each."""
    chance = random.Random(1)
    for first in range(0, PASSAGES, per_document):
        yield "\n\n".join(paragraph(number, chance) for number in range(first, first + per_document))


def paragraph(number: int, chance: random.Random) -> str:
    """A passage of the corpus of `benchmarks.first_events`."""
    facts = {"town": TOWNS[number % 10], "thing": THINGS[number // 10 % 10], "n": number}
    return " ".join(fact.format(**facts, year=1500 + number % 400, hour=chance.randint(5, 11)) for fact in FACTS)


# --- the lag


def lag() -> str:
    """How late the event loop's ticker comes while bombs are uploaded and read."""
    rows, everything = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ticks"
        windows = []
        with server(Path(folder)) as url, httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            windows.append(("nothing", *quietly()))
            for name, send in bombs().items():
                windows.append((name, *explode(client, send)))
        ticks = [tuple(map(float, line.split())) for line in out.read_text().splitlines()]
    for name, began, ended, outcome in windows:
        late = sorted(lateness * 1000 for at, lateness in ticks if began <= at <= ended)
        if name != "nothing":
            everything += late
        rows.append(f"| {name} | {ended - began:.1f} | {outcome} | {_quantiles(late)} |")
    rows.append(f"| **all bombs** | | | {_quantiles(sorted(everything))} |")
    return "\n".join(
        [
            "## Lag of the event loop\n\nA ticker of 5 ms in a server, milliseconds late; goal: p99 at most 50. A job"
            f" that works for longer than {_PATIENCE} s is cancelled.\n",
            "| uploaded | s | outcome | p50 | p99 | max |",
            "|---|---:|---|---:|---:|---:|",
            *rows,
            "",
        ]
    )


def _quantiles(late: list[float]) -> str:
    return f"{late[len(late) // 2]:.1f} | {late[int(len(late) * 0.99)]:.1f} | {late[-1]:.0f}"


Send = Callable[[httpx.Client], httpx.Response]


def bombs() -> dict[str, Send]:
    """What is sent, by name; each is made only when it is its turn."""
    line = 64 * 1024 * 1024 - 10_000

    def file(name: str, make: Callable[[], bytes]) -> Send:
        return lambda client: client.post("/documents", files={"files": (name, make())})

    def verbatim(content: Callable[[], str]) -> Send:
        return lambda client: client.post("/documents", json={"documents": [{"content": content()}]})

    return {
        "64 MiB of one line, as a file": file("line.txt", lambda: b"word " * (line // 5)),
        "64 MiB of one line, as JSON": verbatim(lambda: "word " * (line // 5)),
        "a zip bomb (1 GiB) as .docx": file("bomb.docx", lambda: package(b" " * 2**20, 1024)),
        "a billion laughs as .docx": file("laughs.docx", lambda: package(laughs(), 1)),
        "1,000,000 nested <div>": file("deep.html", lambda: b"<div>" * 1_000_000 + b"The end."),
        "1,000,000 tiny paragraphs": file("tiny.txt", lambda: b"A few words.\n\n" * 1_000_000),
    }


def package(part: bytes, times: int) -> bytes:
    """A .docx whose text is a part, many times over."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>')  # fmt: skip  # noqa: E501
        with archive.open("word/document.xml", "w", force_zip64=True) as entry:
            for _ in range(times):
                entry.write(part)
    return out.getvalue()


def laughs() -> bytes:
    """Ten entities, each ten of the one before."""
    entities = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "laugh">{entities}]><d>&l9;</d>'.encode()


def quietly() -> tuple[float, float, str]:
    """A while without anything."""
    began = time.monotonic()
    time.sleep(3)
    return began, time.monotonic(), ""


def explode(client: httpx.Client, send: Send) -> tuple[float, float, str]:
    """Hand in a bomb and wait for its end, or cancel it."""
    prepared = time.monotonic()
    response = send(client)
    if response.status_code != 202:
        return prepared, time.monotonic(), str(response.json()["code"])
    job, cancelled = f"/jobs/{response.json()['job_id']}", False
    while (told := client.get(job).json())["state"] == "running":
        time.sleep(0.1)
        if not cancelled and time.monotonic() - prepared > _PATIENCE:
            client.post(f"{job}/cancel")
            cancelled = True
    codes = [one["error"]["code"] for one in told["failed"]]
    return prepared, time.monotonic(), ", ".join(codes) or told["state"]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A server in a process of its own; it writes down its ticks."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.ingestion", "--serve", str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                httpx.get(f"{url}/ready", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


async def serve(folder: Path, port: int) -> None:
    """The server beside a ticker in its loop."""
    from server.app import create_app
    from server.bootstrap import build_context
    from server.serving import build_server
    from server.settings import Settings

    settings = Settings(data_dir=folder / "data", port=port, log_level="error")
    context = build_context(settings)
    uvicorn_server = build_server(create_app(context), context, host="127.0.0.1", port=port)
    ticking = asyncio.create_task(_tick(folder / "ticks"))
    await uvicorn_server.serve()
    ticking.cancel()


async def _tick(out: Path) -> None:
    with out.open("w", encoding="utf-8", buffering=1) as file:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_TICK)
            ended = time.monotonic()
            file.write(f"{ended} {ended - began - _TICK}\n")


# --- PDF


def pages() -> str:
    """How fast a long PDF is read and cut into passages."""
    from retrieval.parsing import ParseLimits, ParserProcess
    from retrieval.submissions import Submission

    data = long_pdf()
    with closing(ParserProcess(ParseLimits())) as parser:
        parser.warm_up()
        began = time.monotonic()
        parsed = parser(Submission(data=data, name="long.pdf"))
        seconds = time.monotonic() - began
    return (
        f"## A PDF of {PAGES:,} pages\n\nRead and cut into {len(parsed.drafts):,} passages in {seconds:.1f} s"
        f" ({PAGES / seconds:.0f} pages a second, {len(data) / 1e6:.1f} MB); goal: 20 s.\n"
    )


def long_pdf() -> bytes:
    """Headings, paragraphs, a running header, and a small table on every fifth page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    out, chance = io.BytesIO(), random.Random(1)
    canvas = Canvas(out, pagesize=A4, invariant=1)
    for number in range(1, PAGES + 1):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 815, "Chronicle of the towns")
        canvas.drawString(290, 30, str(number))
        canvas.setFont("Helvetica-Bold", 15)
        canvas.drawString(72, 785, f"Chapter {number}")
        canvas.setFont("Helvetica", 10)
        y = 760.0
        for part in range(4):
            for row in _lines(paragraph(number * 4 + part, chance), 92):
                canvas.drawString(72, y, row)
                y -= 13
            y -= 10
        for row in range(6 if number % 5 == 0 else 0):
            for at, value in enumerate((TOWNS[row], str(number + row), str(chance.randint(1, 10**6)))):
                canvas.drawString(72 + 120 * at, y - 14 * row, value)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _lines(text: str, width: int) -> list[str]:
    rows = [""]
    for word in text.split():
        if len(rows[-1]) + len(word) >= width:
            rows.append("")
        rows[-1] = f"{rows[-1]} {word}".strip()
    return rows


if __name__ == "__main__":
    main()
