"""`groundswell ingest`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from retrieval.library import DOCS_COLLECTION, Library, Submission
from retrieval.loaders import LOADERS, LoadError
from server.commands.remote import events
from server.lock import DataFolderHeld, DataLock
from server.settings import Settings

Add = Callable[[Path], None]
"""Index one file. Raises `LoadError`."""


def run(settings: Settings, paths: list[Path], collection: str, server: str | None) -> None:
    """Index files through the server that holds the data folder, or directly. Exits with 1 if any failed."""
    if collection == DOCS_COLLECTION:
        raise click.ClickException("the collection docs is built in and cannot be written to")
    files, skipped = find_files(paths)
    lock = DataLock(settings.data_dir)
    if server is None:
        try:
            lock.acquire()
        except DataFolderHeld as held:
            if held.url is None:
                raise click.ClickException(str(held)) from held
            server = held.url
    if server is not None:
        failures = _index(files, _through(server, collection))
    else:
        try:
            failures = _directly(settings, files, collection)
        finally:
            lock.release()
    _report(len(files) - len(failures), failures, skipped, collection)


def find_files(paths: list[Path]) -> tuple[list[Path], int]:
    """The files to index: those named, and in folders those of a known kind; how many of other kinds were left out."""
    files: list[Path] = []
    skipped = 0
    for path in paths:
        if path.is_file():
            files.append(path)
            continue
        for found in sorted(path.rglob("*")):
            if found.is_file() and not any(part.startswith(".") for part in found.relative_to(path).parts):
                if found.suffix.lower() in LOADERS:
                    files.append(found)
                else:
                    skipped += 1
    return files, skipped


def _directly(settings: Settings, files: list[Path], collection: str) -> dict[Path, str]:
    from server.bootstrap import open_library

    library = open_library(settings)
    try:
        return _index(files, _into(library, collection))
    finally:
        library.close()


def _into(library: Library, collection: str) -> Add:
    def add(path: Path) -> None:
        library.add(collection, Submission(data=path.read_bytes(), name=path.name))

    return add


def _through(url: str, collection: str) -> Add:
    def add(path: Path) -> None:
        upload = {"files": [("files", (path.name, path.read_bytes()))], "data": {"collection": collection}}
        for event in events(url, "/documents", **upload):
            error = event["payload"].get("error")
            if error:
                raise LoadError(error["code"], error["message"])

    return add


def _index(files: list[Path], add: Add) -> dict[Path, str]:
    failures: dict[Path, str] = {}
    for path in _with_progress(files):
        try:
            add(path)
        except LoadError as error:
            failures[path] = str(error)
        except OSError as error:
            failures[path] = error.strerror or str(error)
    return failures


def _with_progress(files: list[Path]) -> Iterator[Path]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Indexing", total=len(files))
        for path in files:
            progress.update(task, description=path.name[:40])
            yield path
            progress.advance(task)


def _report(indexed: int, failures: dict[Path, str], skipped: int, collection: str) -> None:
    documents = "1 document" if indexed == 1 else f"{indexed} documents"
    click.echo(f"Indexed {documents} into “{collection}”.")
    if skipped:
        click.echo(f"Left out {skipped} files of other kinds; these can be read: {', '.join(sorted(LOADERS))}.")
    if failures:
        click.echo(f"{len(failures)} failed:", err=True)
        for path, reason in failures.items():
            click.echo(f"  {path}: {reason}", err=True)
        sys.exit(1)
