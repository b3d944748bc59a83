"""`groundswell calibrate`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from evaluation.calibration import figures
from evaluation.sets import Question, SetError, read_set
from retrieval.hybrid import search
from retrieval.index import Snapshot
from retrieval.library import Library, UnknownCollection
from retrieval.refit import Sample, TooSmall, made_up
from server.bootstrap import open_library
from server.calibrating import calibrate
from server.commands import mendable, server_or_folder
from server.commands.remote import post
from server.settings import Settings

_SEARCH_K = 6


def run(settings: Settings, collection: str, questions: Path | None) -> None:
    """Refit the confidence of a collection, and say how good it is. Raises `click.ClickException`."""
    with mendable(), server_or_folder(settings.data_dir, None) as url:
        if url is None:
            with closing(open_library(settings)) as library:
                found, used, page = _here(settings, library, collection, questions)
        elif questions is not None:
            raise click.ClickException(f"with --questions the folder must be free: stop the server at {url} first")
        else:
            found = post(url, f"/collections/{quote(collection, safe='')}/calibrate")
            used, page = found.pop("used"), settings.data_dir / "calibration" / found.pop("page")
    table = Table("figure", "value", title=f"Confidence of {collection}")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    Console(highlight=False).print(table)
    better = "is in use now" if used else "was no better on questions it had not seen, and is not used"
    click.echo(f"The fitted curve {better}. The reliability plot is in {page}.")


def _here(
    settings: Settings, library: Library, collection: str, questions: Path | None
) -> tuple[dict[str, Any], bool, Path]:
    try:
        sample = made_up(library, collection) if questions is None else _labelled(library, collection, questions)
    except UnknownCollection:
        known = ", ".join(sorted(library.sizes()))
        raise click.ClickException(f"there is no collection {collection}; these are: {known}") from None
    except (TooSmall, SetError) as error:
        raise click.ClickException(str(error)) from error
    fitted, page = calibrate(library, collection, sample, settings.data_dir)
    return dict(figures(fitted)), fitted.better, page


def _labelled(library: Library, collection: str, path: Path) -> Sample:
    """Features of questions whose answers are known; without their documents they cannot be answered.

    Raises `SetError`, `TooSmall` and `UnknownCollection`.
    """
    snapshot = library.snapshot(collection)
    rows = [row for question in read_set(path).questions for row in _features(library, snapshot, question)]
    answerable = np.array([feature for label, feature in rows if label])
    unanswerable = np.array([feature for label, feature in rows if not label])
    if min(len(answerable), len(unanswerable)) < 20:
        raise TooSmall(f"{path.name} has too few questions about {collection}: 20 of both kinds are needed")
    return Sample(answerable, unanswerable)


def _features(library: Library, snapshot: Snapshot, question: Question) -> Iterator[tuple[bool, float]]:
    if question.answerable is None:
        return
    asked = library.question(question.question)
    yield question.answerable, search(snapshot, library.stored, asked, _SEARCH_K).feature
    relevant = [key for key, member in snapshot.members.items() if member.id in question.documents]
    if question.answerable and relevant:
        rest = snapshot.keys[~np.isin(snapshot.owners, relevant)]
        yield False, search(snapshot, library.stored, asked, _SEARCH_K, among=rest).feature
