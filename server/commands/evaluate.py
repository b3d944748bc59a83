"""`groundswell eval`."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

import click
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from evaluation import conversations, mending, verification
from evaluation.claims import ClaimSet, read_claims
from evaluation.conversations import Conversing, FollowUpSet, index_corpus, read_followups
from evaluation.corpus import Track, index
from evaluation.correcting import Correcting
from evaluation.corrections import PLANTED, CorrectionSet, read_corrections
from evaluation.measurement import Measurement
from evaluation.page import write
from evaluation.results import CorrectionsResult, Report, Result, SetResult
from evaluation.sets import QuestionSet, SetError, named, read_set
from evaluation.tables import tables
from graph.policy import DEFAULT_DOMAIN, Policy
from retrieval.library import DOCS_COLLECTION, Library, UnknownCollection
from server.bootstrap import build_collaborators, build_hub, open_library
from server.commands import mendable
from server.lock import DataLock
from server.settings import Settings

T = TypeVar("T")
_OWN = "evaluation"
"""The collection a set's own corpus goes to, in a temporary folder."""


def run(
    settings: Settings, paths: Sequence[Path], *, collection: str | None, report: Path | None, limit: int, seed: int
) -> None:
    """Measure every set, print the tables, write the page. Every set is read before the first is measured."""
    if report is not None and not report.resolve().parent.is_dir():
        raise click.ClickException(f"{report}: there is no such folder")
    with mendable():
        sets = _read(paths)
        models: dict[str, str] = {}
        results: list[Result] = []
        followed: list[Group] = []
        for one in sets:
            with _progress(one.name) as track:
                if isinstance(one, ClaimSet):
                    models["verification"] = "tier 1, lexical"
                    results.append(verification.measure(one, seed, track))
                    continue
                if isinstance(one, FollowUpSet):
                    models["chat"] = settings.chat_model
                    followed.append(_followed(settings, one, track, seed))
                    continue
                if isinstance(one, CorrectionSet):
                    models |= {"chat": settings.chat_model, "drafts": "scripted"}
                    results.append(_corrections(settings, one, track, seed))
                    continue
                with _library(settings, one, collection) as opened:
                    models |= {"chat": settings.chat_model, "search": opened.library.dense_name}
                    results.append(_measure(settings, opened, one, track, limit, seed))
        found = Report(
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            version=version("groundswell"),
            models=models,
            seed=seed,
            sets=tuple(results),
        )
        Console(highlight=False).print(tables(found), *followed)
        if report is not None:
            write(found, report)
            click.echo(f"The report is in {report}.", err=True)


class Opened(NamedTuple):
    """What a set of questions is measured on."""

    library: Library
    collection: str
    policy: Policy


def _read(paths: Sequence[Path]) -> list[QuestionSet | ClaimSet | CorrectionSet | FollowUpSet]:
    try:
        return [_read_one(path) for path in paths]
    except SetError as error:
        raise click.ClickException(str(error)) from error


def _read_one(path: Path) -> QuestionSet | ClaimSet | CorrectionSet | FollowUpSet:
    kind = named(path)[1]
    if path.name == conversations.PLANTED.name:
        return read_followups(path)
    if path == PLANTED or kind == "corrections":
        return read_corrections(path)
    return read_claims(path) if kind == "claims" else read_set(path)


def _corrections(settings: Settings, given: CorrectionSet, track: Track, seed: int) -> CorrectionsResult:
    """Measured in a temporary folder, with a collection for each case, so that a policy of the user's has no part."""
    with TemporaryDirectory(prefix="groundswell-eval-") as folder:
        apart = settings.model_copy(update={"data_dir": Path(folder), "policy": None})
        library = open_library(apart)
        try:
            make = partial(build_collaborators, apart, library)
            return mending.measure(given, Correcting(library=library, make_collaborators=make, track=track), seed)
        finally:
            library.close()


def _followed(settings: Settings, given: FollowUpSet, track: Track, seed: int) -> Group:
    """Asked in a temporary folder, of the built-in documentation and of the corpora beside the set."""
    with TemporaryDirectory(prefix="groundswell-eval-") as folder:
        apart = settings.model_copy(update={"data_dir": Path(folder), "policy": None})
        library = open_library(apart)
        try:
            corpora = given.corpora()
            for corpus, path in corpora.items():
                index_corpus(library, corpus, path, track)
            collections = {name: name for name in (DOCS_COLLECTION, *corpora)}
            make = partial(build_hub, apart, library)
            asked = Conversing(library=library, make_hub=make, collections=collections, track=track)
            return conversations.tables(given, asked.follow(given.follow_ups), seed)
        except SetError as error:
            raise click.ClickException(str(error)) from error
        finally:
            library.close()


def _measure(
    settings: Settings, opened: Opened, questions: QuestionSet, track: Track, limit: int, seed: int
) -> SetResult:
    left_out = index(opened.library, opened.collection, questions, track) if questions.corpus else 0
    measurement = Measurement(
        library=opened.library,
        make_hub=partial(build_hub, settings, opened.library),
        collection=opened.collection,
        policy=opened.policy,
        embedded=settings.chat_model == "embedded",
        limit=limit,
        seed=seed,
        track=track,
    )
    return measurement.measure(questions, left_out)


@contextmanager
def _library(settings: Settings, questions: QuestionSet, collection: str | None) -> Iterator[Opened]:
    """A library and the collection to ask: a temporary one for a set with a corpus, else the one in the data folder."""
    if questions.corpus is not None:
        with TemporaryDirectory(prefix="groundswell-eval-") as folder:
            yield from _open(settings.model_copy(update={"data_dir": Path(folder)}), _OWN, create=True)
        return
    lock = DataLock(settings.data_dir)
    lock.acquire()
    try:
        yield from _open(settings, collection, create=False)
    finally:
        lock.release()


def _open(settings: Settings, collection: str | None, *, create: bool) -> Iterator[Opened]:
    library = open_library(settings)
    try:
        policy = asyncio.run(_policy(settings, library))
        if create and collection is not None:
            library.create(collection)
        yield Opened(library, _resolve(library, collection), policy)
    finally:
        library.close()


async def _policy(settings: Settings, library: Library) -> Policy:
    """The policy of the default domain; fails before the work. Raises `ModelUnavailable` and `PolicyError`."""
    collaborators = build_collaborators(settings, library)
    await collaborators.close()
    return collaborators.policies[DEFAULT_DOMAIN]


def _resolve(library: Library, collection: str | None) -> str:
    try:
        return library.resolve(collection)
    except UnknownCollection:
        known = ", ".join(sorted(library.sizes()))
        raise click.ClickException(f"there is no collection {collection}; these are: {known}") from None


@contextmanager
def _progress(name: str) -> Iterator[Track]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(items: Sequence[T], what: str, /) -> Iterator[T]:
            return iter(progress.track(items, description=f"{name}: {what}"))

        yield track
