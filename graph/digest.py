"""What a summary knows beside what every run knows: its document, the outline, and the sections as they are told."""

from dataclasses import dataclass

from chains.extraction import Vectors
from graph.evidence import Piece
from graph.lines import Line
from graph.state import RagInput, RagState
from retrieval.outline import Section
from retrieval.records import StoredDocument


class SummaryInput(RagInput):
    """What a summary starts with."""

    document: StoredDocument
    max_sections: int


class SummaryState(RagState, total=False):
    """Everything a summary knows."""

    document: StoredDocument
    max_sections: int
    outline: list[Section]  # outline
    kept_back: bool  # outline: whether the policy keeps something of the document back
    digests: list["Digest"]  # summarise
    model_lost: bool  # summarise: whether every further call to the model would fail


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """A section in a few bullets, each of which a sentence of the document carries."""

    lines: list[Line]
    """Their markers are those of the section's own passages, until it is told."""
    pieces: list[Piece]
    """The sentences of the document that they rest on, in reading order."""
    vectors: Vectors | None
    """Of those sentences, a row each."""
    written: bool
    """By a model, rather than extracted."""
    withheld: bool = False
    """Whether nothing of the section may be told, its heading included."""
    dropped: int = 0
    """Bullets of a model that nothing carried."""
    concerns: tuple[str, ...] = ()
    """What the checks took out of it or found wrong with it, by kind."""
