"""`groundswell ingest`."""

import hashlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from retrieval.ingest import Ingestion
from retrieval.jobs import JobStore, Recorded
from retrieval.library import DOCS_COLLECTION, Library
from retrieval.loaders import LOADERS
from retrieval.parsing import ParserProcess
from retrieval.submissions import Submission
from server.calibrating import calibrate_when_grown
from server.commands import mendable, server_or_folder
from server.commands.remote import ServerRefused, events
from server.jobs import closing_metrics, closing_state
from server.routes.collections import CollectionIn
from server.settings import Settings

log = logging.getLogger(__name__)

_BATCH_FILES = 200
_BATCH_BYTES = 16 * 1024 * 1024

Files = dict[Path, str]
"""Files, and the ids they are stored under."""
Send = Callable[[Files, "Watch"], None]
"""Hand files in and tell the watch of every stage."""


def run(settings: Settings, paths: list[Path], collection: str, server: str | None) -> None:
    """Index files through the server that holds the data folder, or directly. Exits with 1 if any failed."""
    if collection == DOCS_COLLECTION:
        raise click.ClickException("the collection docs is built in and cannot be written to")
    try:
        CollectionIn(name=collection)
    except ValidationError:
        raise click.ClickException("a collection's name holds no slash, colon or white space") from None
    absent = [path for path in paths if not path.exists()]
    files, skipped = find_files([path for path in paths if path.exists()])
    with mendable(), server_or_folder(settings.data_dir, server) as url, Watch(files) as watch:
        if url is not None:
            _send_all(files, _through(url, collection), watch)
        else:
            _directly(settings, files, collection, watch)
    where = f"folder {settings.data_dir}" if url is None else url
    indexed = len(files) - len(watch.failures)
    _report(
        indexed,
        {**watch.failures, **dict.fromkeys(absent, "there is no such file")},
        skipped,
        f"“{collection}” ({where})",
    )


def find_files(paths: list[Path]) -> tuple[Files, int]:
    """The files to index with their ids, and how many files of other kinds were left out.

    Indexed again, a file replaces its former version, however its path was typed.
    """
    files: Files = {}
    skipped = 0
    for path in paths:
        if path.is_file():
            files[path.resolve()] = _id_of(path)
            continue
        for found in sorted(path.rglob("*")):
            if found.is_file() and not any(part.startswith(".") for part in found.relative_to(path).parts):
                if found.suffix.lower() in LOADERS:
                    files[found.resolve()] = _id_of(found)
                else:
                    skipped += 1
    return files, skipped


def _id_of(path: Path) -> str:
    """Its folder and name, for people, and a mark of its whole path, so that no other file has the same id."""
    whole = path.resolve()
    mark = hashlib.sha256(whole.as_posix().encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return f"{whole.parent.name}/{whole.name}~{mark}".lstrip("/")


class Watch:
    """Progress bars on a terminal, and what failed."""

    def __init__(self, files: Files) -> None:
        self.failures: dict[Path, str] = {}
        self._paths = {document_id: path for path, document_id in files.items()}
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)
        self._all = self._bars.add_task("Documents", total=len(files))
        self._passages: dict[str, TaskID] = {}

    def __enter__(self) -> "Watch":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def see(self, document_id: str, stage: str, done: int, total: int, error: str | None) -> None:
        """A document got further."""
        if stage == "chunked" and total > 1:
            self._passages[document_id] = self._bars.add_task(f"  {document_id[-40:]}", total=total)
        elif stage == "embedded" and document_id in self._passages:
            self._bars.update(self._passages[document_id], completed=done)
        elif stage == "failed":
            self.fail(self._paths[document_id], error or "cannot be indexed")
        if stage in ("ready", "failed"):
            if document_id in self._passages:
                self._bars.remove_task(self._passages.pop(document_id))
            self._bars.advance(self._all)

    def fail(self, path: Path, reason: str) -> None:
        """A file that could not even be handed in, or did not get through."""
        self.failures[path] = reason


def _directly(settings: Settings, files: Files, collection: str, watch: Watch) -> None:
    from server.bootstrap import open_library, parse_limits

    library = open_library(settings)
    with closing(library), closing(ParserProcess(parse_limits(settings))) as parser:
        _finish_former(library, parser)
        _send_all(files, _into(library, parser, collection, watch), watch)
        if settings.auto_calibrate:
            calibrate_when_grown(library, collection, settings.data_dir)


def _finish_former(library: Library, parser: ParserProcess) -> None:
    """Go on with what a process left unfinished that was ended."""
    jobs = JobStore(library.stored.database)
    for job_id in jobs.running():
        _work_off(library, Ingestion(library, jobs, parser, lambda *_: None), jobs, job_id)


def _into(library: Library, parser: ParserProcess, collection: str, watch: Watch) -> Send:
    jobs = JobStore(library.stored.database)

    def tell(_: str, recorded: Sequence[Recorded]) -> None:
        for report in (one.report for one in recorded if one.report is not None):
            error = report.error.message if report.error else None
            watch.see(report.document_id, report.stage, report.done, report.total, error)

    def send(files: Files, watch: Watch) -> None:
        job_id = str(uuid4())
        library.create(collection)
        submissions = [Submission(data=path.read_bytes(), name=path.name, id=name) for path, name in files.items()]
        jobs.create(job_id, collection, submissions)
        _work_off(library, Ingestion(library, jobs, parser, tell), jobs, job_id)

    return send


def _work_off(library: Library, ingestion: Ingestion, jobs: JobStore, job_id: str) -> None:
    record = jobs.record_of(job_id)
    assert record is not None
    while ingestion.step(record):
        pass
    record = jobs.record_of(job_id)
    assert record is not None
    ingestion.finish(record, closing_state(record), closing_metrics(record, library))


def _through(url: str, collection: str) -> Send:
    def send(files: Files, watch: Watch) -> None:
        upload: dict[str, Any] = {
            "files": [("files", (path.name, path.read_bytes())) for path in files],
            "data": {"collection": collection, "id": list(files.values())},
        }
        for event in events(url, "/documents", **upload):
            if event["event_type"] == "document_stage":
                told = event["payload"]
                error = told["error"]["message"] if told.get("error") else None
                watch.see(told["document_id"], told["stage"], told["done"], told["total"], error)

    return send


def _send_all(files: Files, send: Send, watch: Watch) -> None:
    for batch in _batches(files, watch):
        try:
            send(batch, watch)
        except ServerRefused as refused:
            if len(batch) == 1:
                watch.fail(next(iter(batch)), str(refused))
                continue
            for path, name in batch.items():  # one of them is to blame; the others need not suffer
                try:
                    send({path: name}, watch)
                except ServerRefused as error:
                    watch.fail(path, str(error))


def _batches(files: Files, watch: Watch) -> Iterator[Files]:
    """Files that can be read, as many at a time as go into one request."""
    batch: Files = {}
    size = 0
    for path, name in files.items():
        try:
            length = path.stat().st_size
            path.open("rb").close()
        except OSError as error:
            watch.fail(path, error.strerror or str(error))
            continue
        if batch and (size + length > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield batch
            batch, size = {}, 0
        batch[path] = name
        size += length
    if batch:
        yield batch


def _report(indexed: int, failures: dict[Path, str], skipped: int, where: str) -> None:
    documents = "1 document" if indexed == 1 else f"{indexed} documents"
    click.echo(f"Indexed {documents} into {where}.")
    if skipped:
        click.echo(f"Left out {skipped} files of other kinds; these can be read: {', '.join(sorted(LOADERS))}.")
    if failures:
        click.echo(f"{len(failures)} failed:", err=True)
        for path, reason in failures.items():
            click.echo(f"  {path}: {reason}", err=True)
        sys.exit(1)
