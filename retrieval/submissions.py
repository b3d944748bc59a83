"""What is handed in to be indexed, and what reading it gives."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retrieval.chunking import CountPieces, cut_passages
from retrieval.loaders import LoadError, load, load_text
from retrieval.passages import Draft


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A document as it was handed in, before anything is known of it."""

    data: bytes | str
    """A file's bytes, or a text to be kept verbatim."""
    name: str | None = None
    """The file's name; its suffix says how bytes are read."""
    id: str | None = None
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def as_bytes(self) -> bytes:
        """The data as bytes; a text in UTF-8."""
        return self.data if isinstance(self.data, bytes) else self.data.encode("utf-8", "surrogatepass")

    @property
    def document_id(self) -> str:
        """The id it is stored under: its own, else one made of its content."""
        return self.id if self.id is not None else hashlib.sha256(self.as_bytes).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A document's text, and the passages it is to be cut into."""

    text: str
    title: str | None
    media_type: str
    pages: int | None
    drafts: Sequence[Draft]


Parse = Callable[[Submission], Parsed]
"""Raises `LoadError`."""


def parse(submission: Submission, count_pieces: CountPieces) -> Parsed:
    """Read and cut a document here, in this process. Raises `LoadError`."""
    if isinstance(submission.data, str):
        if "\0" in submission.data:
            raise LoadError("undecodable", "The text holds NUL characters.")
        loaded = load_text(submission.data)
    else:
        loaded = load(submission.name or "", submission.data)
    drafts = cut_passages(loaded.text, loaded.blocks, count_pieces)
    if not drafts:
        raise LoadError("empty", "There is no text in this document.")
    return Parsed(
        text=loaded.text,
        title=loaded.title,
        media_type=loaded.media_type,
        pages=max((block.page for block in loaded.blocks if block.page is not None), default=None),
        drafts=drafts,
    )
