"""`groundswell ingest`."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from retrieval.library import DOCS_COLLECTION, Library, Submission
from retrieval.loaders import LOADERS, LoadError
from server.commands import mendable, server_or_folder
from server.commands.remote import ServerRefused, events
from server.settings import Settings

log = logging.getLogger(__name__)

Files = dict[Path, str]
"""Files, and the ids they are stored under."""
Add = Callable[[Path, str], None]
"""Index one file under an id. Raises `LoadError`."""


def run(settings: Settings, paths: list[Path], collection: str, server: str | None) -> None:
    """Index files through the server that holds the data folder, or directly. Exits with 1 if any failed."""
    if collection == DOCS_COLLECTION:
        raise click.ClickException("the collection docs is built in and cannot be written to")
    files, skipped = find_files(paths)
    with mendable(), server_or_folder(settings.data_dir, server) as url:
        failures = _directly(settings, files, collection) if url is None else _index(files, _through(url, collection))
    where = f"folder {settings.data_dir}" if url is None else url
    _report(len(files) - len(failures), failures, skipped, f"“{collection}” ({where})")


def find_files(paths: list[Path]) -> tuple[Files, int]:
    """The files to index with their ids, and how many files of other kinds were left out.

    A file's id is its name, in a folder its path from there: indexed again, it replaces its former version.
    """
    files: Files = {}
    skipped = 0
    for path in paths:
        if path.is_file():
            files[path] = path.name
            continue
        for found in sorted(path.rglob("*")):
            if found.is_file() and not any(part.startswith(".") for part in found.relative_to(path).parts):
                if found.suffix.lower() in LOADERS:
                    files[found] = f"{path.resolve().name}/{found.relative_to(path).as_posix()}"
                else:
                    skipped += 1
    return files, skipped


def _directly(settings: Settings, files: Files, collection: str) -> dict[Path, str]:
    from server.bootstrap import open_library

    library = open_library(settings)
    try:
        return _index(files, _into(library, collection))
    finally:
        library.close()


def _into(library: Library, collection: str) -> Add:
    def add(path: Path, document_id: str) -> None:
        library.add(collection, Submission(data=path.read_bytes(), name=path.name, id=document_id))

    return add


def _through(url: str, collection: str) -> Add:
    def add(path: Path, document_id: str) -> None:
        upload = {
            "files": [("files", (path.name, path.read_bytes()))],
            "data": {"collection": collection, "id": document_id},
        }
        for event in events(url, "/documents", **upload):
            error = event["payload"].get("error")
            if error:
                raise LoadError(error["code"], error["message"])

    return add


def _index(files: Files, add: Add) -> dict[Path, str]:
    failures: dict[Path, str] = {}
    for path in _with_progress(files):
        try:
            add(path, files[path])
        except (LoadError, ServerRefused) as error:
            failures[path] = str(error)
        except OSError as error:
            failures[path] = error.strerror or str(error)
        except click.ClickException:  # the server is gone
            raise
        except Exception as error:  # one bad file never stops the rest
            log.exception("%s cannot be indexed", path)
            failures[path] = f"cannot be indexed ({type(error).__name__})"
    return failures


def _with_progress(files: Files) -> Iterator[Path]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Indexing", total=len(files))
        for path in files:
            progress.update(task, description=path.name[:40])
            yield path
            progress.advance(task)


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
