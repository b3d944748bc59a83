"""Question sets: what is asked, what would be right, and the corpus it is asked of."""

import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.query import MAX_QUERY, Text

LONG = 4000
"""Characters; a longer document makes several passages, so that finding just any of them is finding nothing."""
_NAME = re.compile(r"(?P<name>.+?)(\.(?P<kind>queries|corpus|claims|corrections))?\.jsonl(\.gz)?")


class SetError(ValueError):
    """A question set that cannot be used; the message names the file and, where there is one, the line."""


class Line(BaseModel):
    """One line of a file; keys that are not known are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class Question(Line):
    """A question and what would be right."""

    id: str
    question: Annotated[Text, Field(min_length=1, max_length=MAX_QUERY, pattern=r"\S")]
    answers: tuple[str, ...] = ()
    relevant: tuple[str, ...] = ()
    """Ids of the documents that hold the answer, or of those a question without one was made from."""
    answerable: bool | None = True
    """None where nobody knows."""
    group: str | None = None
    """The topic."""
    spans: tuple[tuple[str, int, int], ...] = ()
    """Document id, start, end, in code points."""

    @property
    def documents(self) -> frozenset[str]:
        """The relevant documents."""
        return frozenset(self.relevant) or frozenset(span[0] for span in self.spans)


class Entry(Line):
    """A document of a corpus; in a corpus of pages, a page."""

    id: Annotated[str, Field(min_length=1)]
    text: str
    title: str | None = None
    group: str | None = None
    page: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionSet:
    """Questions, with or without a corpus of their own."""

    name: str
    path: Path
    digest: str
    """Of the question file: the first 12 digits of its SHA-256."""
    questions: tuple[Question, ...]
    corpus: Mapping[str, Entry] | None
    """By id; None if the questions are for a collection that exists."""
    long: frozenset[str] = field(default=frozenset())
    """Ids of the documents where only a span counts as found."""

    def by_span(self, question: Question) -> bool:
        """Whether a hit must overlap a span, rather than come from a relevant document."""
        return bool(question.spans) and (self.corpus is None or any(s[0] in self.long for s in question.spans))


def read_set(path: Path) -> QuestionSet:
    """Read a question file and the corpus beside it. Raises `SetError`, and `OSError` for a file that is not there."""
    name, kind = named(path)
    if kind in ("claims", "corrections"):
        raise SetError(f"{path}: holds {kind}, not questions")
    if kind == "corpus":
        raise SetError(f"{path}: is a corpus; name the questions beside it, and it is found")
    questions = tuple(question for _, question in lines(path, Question))
    if not questions:
        raise SetError(f"{path}: there are no questions in it")
    beside = _corpus_of(path, name)
    corpus = None if beside is None else _read_corpus(beside)
    if corpus is not None:
        _check(path, questions, corpus)
    return QuestionSet(
        name=name,
        path=path,
        digest=digest(path),
        questions=questions,
        corpus=corpus,
        long=frozenset(key for key, entry in (corpus or {}).items() if len(entry.text) > LONG),
    )


def named(path: Path) -> tuple[str, str | None]:
    """The name of a set, and what its file says it is: `queries`, `corpus`, `claims`, `corrections` or nothing.

    Raises `SetError`.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise SetError(f"{path}: a set is a .jsonl or .jsonl.gz file")
    return match["name"], match["kind"]


def digest(path: Path) -> str:
    """The first 12 digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _corpus_of(path: Path, name: str) -> Path | None:
    beside = (path.with_name(f"{name}.corpus.jsonl{suffix}") for suffix in (".gz", ""))
    return next((corpus for corpus in beside if corpus.is_file()), None)


def _read_corpus(path: Path) -> dict[str, Entry]:
    corpus: dict[str, Entry] = {}
    for number, entry in lines(path, Entry):
        if entry.id in corpus:
            raise SetError(f"{path}:{number}: the id {entry.id!r} was there before")
        corpus[entry.id] = entry
    return corpus


def _check(path: Path, questions: tuple[Question, ...], corpus: Mapping[str, Entry]) -> None:
    twice = [key for key, count in Counter(question.id for question in questions).items() if count > 1]
    if twice:
        raise SetError(f"{path}: the id {twice[0]!r} is there more than once")
    for question in questions:
        unknown = sorted(question.documents.union(span[0] for span in question.spans) - corpus.keys())
        if unknown:
            raise SetError(f"{path}: question {question.id!r} names {unknown[0]!r}, which is not in the corpus")


L = TypeVar("L", bound=Line)


def lines(path: Path, model: type[L]) -> Iterator[tuple[int, L]]:
    """The lines with their numbers, from 1; blank ones are passed over. Raises `SetError` and `OSError`."""
    opened = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opened(path, "rt", encoding="utf-8") as read:
            for number, line in enumerate(read, 1):
                if line.strip():
                    yield number, model.model_validate_json(line)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}".removeprefix(": ") for e in error.errors()[:3])
        raise SetError(f"{path}:{number}: {told}") from error
    except (EOFError, UnicodeDecodeError, gzip.BadGzipFile) as error:
        raise SetError(f"{path}:{number + 1}: {error}") from error
