"""Corrections sets: drafts with an error planted in them, the documents that tell of it, and harmless controls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from evaluation.sets import Line, SetError, digest, lines, named

PLANTED = Path(__file__).with_name("planted") / "contradictions.jsonl"
"""The set that comes with the package."""
Kind = Literal["number", "date", "negation", "entity", "documents", "none"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CONTROL: Kind = "none"


class Paper(Line):
    """A document of a case."""

    id: Annotated[str, Field(min_length=1)]
    title: str | None = None
    content: Annotated[str, Field(min_length=1, pattern=r"\S")]
    metadata: dict[str, Any] = Field(default_factory=dict)


class Sentence(Line):
    """A sentence of the draft, and the sentence of a document it cites."""

    text: Annotated[str, Field(min_length=1, pattern=r"\S")]
    cites: str | None = None


class Expected(Line):
    """What the final answer must say and must not assert.

    A phrase is found as whole words, whatever its case; one that begins with `re:` is a regular expression.
    """

    says: tuple[tuple[str, ...], ...] = ()
    """Of each of these lists, one phrase."""
    wrong: tuple[str, ...] = Field((), alias="not")


class Case(Line):
    """A question, the draft a model writes, and what should become of it."""

    id: str
    kind: Kind
    """What is wrong with the draft; `documents`: it is right by one document, and another one says otherwise."""
    documents: Annotated[tuple[Paper, ...], Field(min_length=1)]
    question: Annotated[str, Field(min_length=1)]
    draft: Annotated[tuple[Sentence, ...], Field(min_length=1)]
    expect: Expected = Expected()
    keeps: tuple[int, ...] = ()
    """The sentences of the draft that are right, counted from 0."""
    undecided: bool = False
    """Whether nothing tells which document is right, so that both must be told."""
    note: bool = False
    """Whether a control's text may be followed by a word on another source."""

    @model_validator(mode="after")
    def _whole(self) -> "Case":
        if any(not 0 <= at < len(self.draft) for at in self.keeps):
            raise ValueError("keeps names a sentence that the draft does not have")
        if self.kind == CONTROL and len(self.keeps) != len(self.draft):
            raise ValueError("a control keeps every sentence")
        contents = [paper.content for paper in self.documents]
        for sentence in self.draft:
            if sentence.cites is not None and not any(sentence.cites in content for content in contents):
                raise ValueError(f"no document holds {sentence.cites!r}")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectionSet:
    """Cases that are measured together."""

    name: str
    path: Path
    digest: str
    """Of the file: the first 12 digits of its SHA-256."""
    cases: tuple[Case, ...]


def read_corrections(path: Path) -> CorrectionSet:
    """Read a corrections file. Raises `SetError`, and `OSError` for a file that is not there."""
    name = "planted errors" if path == PLANTED else named(path)[0]
    cases: dict[str, Case] = {}
    for number, case in lines(path, Case):
        if case.id in cases:
            raise SetError(f"{path}:{number}: the id {case.id!r} was there before")
        cases[case.id] = case
    if not cases:
        raise SetError(f"{path}: there are no cases in it")
    return CorrectionSet(name=name, path=path, digest=digest(path), cases=tuple(cases.values()))
