"""What is stored of documents and passages, and what of it searches and indexes are handed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.embeddings import Vectors

Keys = npt.NDArray[np.int64]
"""Passage or document keys, shape (n,)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDocument:
    """A document to be stored."""

    collection: str
    id: str
    title: str
    content: str
    digest: str
    """SHA-256 over title, content and metadata: the same digest means nothing to do."""
    media_type: str = "text/plain"
    uri: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    pages: int | None = None
    original: bytes | None = None
    """The file as it was handed in, if it was one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDocument:
    """What is known of a live document, without its text."""

    key: int
    collection: str
    id: str
    title: str
    uri: str | None
    media_type: str
    metadata: dict[str, Any]
    digest: str
    created: str
    passages: int
    characters: int
    pages: int | None
    bytes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """What searches score of a passage."""

    key: int
    dense: Vectors
    """Shape (dimensions of the dense leg,), unit length."""
    sentences: Vectors
    """Shape (sentences, 384), unit length."""
    words: npt.NDArray[np.uint32]
    """As `retrieval.coverage.pack` makes them."""
    stems: str
    """The stemmed words of the indexed text, separated by spaces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scorable:
    """The columns a search scores, of some candidates."""

    keys: list[int]
    dense: Vectors
    """Shape (candidates, dimensions of the dense leg)."""
    sentences: npt.NDArray[np.float16]
    """Shape (sentences of all candidates, 384)."""
    counts: npt.NDArray[np.int64]
    """How many sentences each candidate has; at least one."""
    words: list[npt.NDArray[np.uint32]]
    """As `retrieval.coverage.pack` makes them."""
    stems: list[str]
    """The stemmed words of each indexed text, separated by spaces."""


@dataclass(frozen=True, slots=True)
class Member:
    """A live document as filters see it."""

    id: str
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What a publication changes: documents by key, with the passages they bring."""

    live: dict[int, Member]
    dead: list[int]
    passages: Keys
    owners: Keys
    """The document of each passage."""
