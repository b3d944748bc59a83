"""What is indexed and found: a passage with its exact place in its document."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from language.sentences import Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A passage before it is stored: `document[start:end]`, whole sentences of one section."""

    start: int
    end: int
    section: str | None
    page: int | None
    sentences: tuple[Span, ...]
    """Spans relative to `start`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A stored passage, as the searches see it."""

    key: int
    """The row number in SQLite: never used again for another passage."""
    source_id: str
    """`collection:document:ordinal`, what the outside calls it."""
    document_id: str
    title: str
    text: str
    start: int
    end: int
    section: str | None
    page: int | None
    sentences: tuple[Span, ...]
    uri: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    sentence_vectors: npt.NDArray[np.float16]

    @property
    def indexed_text(self) -> str:
        """Title and section before the text: found by them, though only the text is shown."""
        return indexed_text(self.title, self.section, self.text)


def indexed_text(title: str, section: str | None, text: str) -> str:
    """What the legs of the search see of a passage."""
    head = " > ".join(part for part in (title, section) if part)
    return f"{head}\n{text}" if head else text
