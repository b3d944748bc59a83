"""What is indexed and found: a passage with its exact place in its document."""

from dataclasses import dataclass, field
from typing import Any

from language.invisible import legible, visible
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
    header: str | None = None
    """Of the table its rows come from, if they do not carry it themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A stored passage, as it is shown and indexed."""

    key: int
    """The row number in SQLite: never used again for another passage."""
    document: int
    """The row number of its document."""
    source_id: str
    """`collection:document:version.ordinal`, what the outside calls it; a version of a document has ids of its own."""
    document_id: str
    title: str
    text: str
    start: int
    end: int
    section: str | None
    page: int | None
    sentences: tuple[Span, ...]
    header: str | None = None
    uri: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Title, section and table header: found by them, though only the text is shown."""
        return heading(self.title, self.section, self.header)

    @property
    def indexed_text(self) -> str:
        """What the legs of the search see: its sentences, without invisible characters, below its heading."""
        text, _ = legible(self.text, self.sentences)
        return f"{self.heading}\n{text}" if self.heading else text

    @property
    def indexed_sentences(self) -> list[Span]:
        """The spans of the sentences in `indexed_text`."""
        _, spans = legible(self.text, self.sentences)
        head = len(self.heading) + 1 if self.heading else 0
        return [(start + head, end + head) for start, end in spans]


def place_of(source_id: str) -> tuple[str, str, int, int] | None:
    """The collection, the document, its version and the ordinal that a source id names; None if it is none."""
    collection, _, rest = source_id.partition(":")
    document_id, _, place = rest.rpartition(":")
    version, _, ordinal = place.partition(".")
    known = all(part.isascii() and part.isdecimal() and len(part) < 16 for part in (version, ordinal))
    return (collection, document_id, int(version), int(ordinal)) if known else None


def heading(title: str, section: str | None, header: str | None = None) -> str:
    """The line before a passage's text in what is indexed."""
    return visible(" > ".join(part for part in (title, section, header) if part))
