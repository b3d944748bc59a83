"""The sources of one run: each gets its index when it is first shown, and keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.documents import Document

from callbacks.events import Source
from callbacks.personal import Mask
from language.instructions import speaks_to_a_model
from language.invisible import legible, seen_span, visible

INSTRUCTIONS = "instructions"
"""The flag of a source that reads in part as if it spoke to a model."""
_SNIPPET = 320


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A passage the reader has been told about."""

    event: Source
    document: Document

    def sentence(self, number: int) -> tuple[str, int, int]:
        """The text of a sentence, counted from 1, and its span in the document. Raises `IndexError`."""
        if number < 1:
            raise IndexError(number)
        start, end = self.document.metadata["sentences"][number - 1]
        start, end = seen_span(self.document.page_content, start, end)
        begin = self.event.start
        return self.document.page_content[start:end], begin + start, begin + end

    def quotable(self, number: int) -> bool:
        """Whether a sentence, counted from 1, may speak for anything: not one that speaks to a model."""
        start, end = self.document.metadata["sentences"][number - 1]
        return not speaks_to_a_model(self.document.page_content[start:end])

    @property
    def sentences(self) -> list[str]:
        """The texts of all its sentences."""
        text = self.document.page_content
        spans = (seen_span(text, start, end) for start, end in self.document.metadata["sentences"])
        return [text[start:end] for start, end in spans]


class SourceBook:
    """Which passages were shown, in which order."""

    def __init__(self, mask: Mask | None = None) -> None:
        self._mask = mask or str
        self._shown: dict[str, Shown] = {}
        self.waves = 0
        """The last wave in which something was shown."""

    def announce(self, documents: Sequence[Document], wave: int, branch: str | None = None) -> list[Source]:
        """Take up passages that were not shown before; their events, in order. For metadata keys see the retriever."""
        fresh = []
        for document in documents:
            if document.metadata["source_id"] not in self._shown:
                event = source_event(document, len(self._shown) + 1, wave, self._mask, branch)
                shown = Shown(event, document)
                self._shown[shown.event.source_id] = shown
                fresh.append(shown.event)
        if fresh:
            self.waves = max(self.waves, wave)
        return fresh

    def __getitem__(self, source_id: str) -> Shown:
        return self._shown[source_id]

    def __contains__(self, source_id: str) -> bool:
        return source_id in self._shown

    def __len__(self) -> int:
        return len(self._shown)


def source_event(document: Document, index: int, wave: int, mask: Mask = str, branch: str | None = None) -> Source:
    """The event that shows a retrieved passage, without what `mask` blacks out."""
    known: dict[str, Any] = document.metadata
    return Source(
        index=index,
        source_id=known["source_id"],
        document_id=known["document_id"],
        source=mask(visible(known["source"])),
        section=mask(visible(known["section"])) if known["section"] else None,
        page=known["page"],
        start=known["start"],
        end=known["end"],
        score=known["score"],
        snippet=_snippet(mask(legible(document.page_content, known["sentences"])[0])),
        wave=wave,
        branch=branch,
        uri=known.get("uri"),
        metadata=masked_values(known.get("metadata"), mask) or None,
        flags=[INSTRUCTIONS] if instructs(document) else None,
    )


def honest_text(document: Document) -> str:
    """What a passage says to its reader: its sentences but for those that speak to a model."""
    spans = document.metadata["sentences"]
    said = (document.page_content[start:end] for start, end in spans)
    return "\n".join(sentence for sentence in said if not speaks_to_a_model(sentence))


def masked_values(value: Any, mask: Mask) -> Any:
    """What was stored with a document, without what `mask` blacks out, at any depth."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked_values(item, mask) for key, item in value.items()}
    return [masked_values(item, mask) for item in value] if isinstance(value, list) else value


def instructs(document: Document) -> bool:
    """Whether some sentence of a passage, its title or its section speaks to a model; each is judged once."""
    known: dict[str, Any] = document.metadata
    above = (known["source"], known["section"] or "")
    text, spans = legible(document.page_content, known["sentences"])
    return any(map(speaks_to_a_model, (*above, *(text[start:end] for start, end in spans))))


def _snippet(text: str) -> str:
    if len(text) <= _SNIPPET:
        return text
    return text[:_SNIPPET].rsplit(maxsplit=1)[0] + "…"
