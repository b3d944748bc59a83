"""A set's own corpus, made searchable."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

from evaluation.sets import Entry, QuestionSet
from retrieval.library import Library, Submission
from retrieval.loaders import LoadError

T = TypeVar("T")


class Track(Protocol):
    """Goes through items while somebody watches."""

    def __call__(self, items: Sequence[T], what: str, /) -> Iterator[T]:
        """The items, one by one."""
        ...


def unwatched(items: Sequence[T], what: str, /) -> Iterator[T]:
    """A `Track` that nobody watches."""
    return iter(items)


def index(library: Library, collection: str, questions: QuestionSet, track: Track = unwatched) -> int:
    """Add a set's documents to a collection; how many were left out because there is nothing to read in them.

    A title that is a question of the set would give it away, and is not used.
    """
    asked = {question.question.strip().casefold() for question in questions.questions}
    left_out = 0
    for entry in track(list((questions.corpus or {}).values()), "Indexing"):
        try:
            library.add(collection, _submission(entry, asked))
        except LoadError:
            left_out += 1
    return left_out


def _submission(entry: Entry, asked: set[str]) -> Submission:
    title = (entry.title or "").strip()
    title = "" if title.casefold() in asked else title
    metadata: dict[str, Any] = {"title": title, "group": entry.group or "", "set_id": entry.id}
    if entry.page is not None:
        metadata["page"] = entry.page
    return Submission(data=entry.text, id=entry.id, title=title or None, metadata=metadata)
