"""Deep research as it goes on: its branches, what each has found, and what all of them share."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from langchain_core.documents import Document

from callbacks.events import FinalAnswer, Payload, Source, StatusUpdate
from callbacks.spending import Spending


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """A part of the question that is looked into on its own."""

    number: int
    """From 1."""
    question: str
    own_words: bool
    """Whether it is in the words of the asker: what a model wrote is not shown before the gate is open."""

    @property
    def name(self) -> str:
        """How events call it."""
        return str(self.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """One query of a branch, and what it found, best first."""

    query: str
    documents: list[Document]


@dataclass(kw_only=True, slots=True)
class Finding:
    """What is known of a branch so far; a branch that is cut short leaves what it has."""

    branch: Branch
    hops: list[Hop] = field(default_factory=list)
    rounds: int = 0
    sufficient: bool | None = None
    """Whether what was found answers it, as far as a model or the rules say."""
    failed: bool = False

    @property
    def documents(self) -> list[Document]:
        """Everything it found, each once, in the order of the hops."""
        return list({document.metadata["source_id"]: document for document in self._all()}.values())

    def fresh(self, documents: Sequence[Document]) -> list[Document]:
        """Those that it has not found before."""
        known = {document.metadata["source_id"] for hop in self.hops for document in hop.documents}
        return [document for document in documents if document.metadata["source_id"] not in known]

    def _all(self) -> Iterator[Document]:
        for hop in self.hops:
            yield from hop.documents


@dataclass(eq=False, kw_only=True, slots=True)
class Research:
    """What the branches of one run share."""

    spending: Spending
    finishing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the asker wants the report now."""
    cut_short: bool = False
    """Whether that left anything undone."""
    asked: set[str] = field(default_factory=set)
    """Every query, so that no branch asks what another one has asked."""
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while sources are counted and shown."""
    ended: int = 0
    """Branches that look no further."""

    def claimed(self, queries: Sequence[str]) -> list[str]:
        """Those that no branch has asked so far; from now on they are asked."""
        fresh = [query for query in dict.fromkeys(queries) if query not in self.asked]
        self.asked.update(fresh)
        return fresh

    def noted(self, payload: Payload) -> Payload:
        """An event as it is to be published: sources are counted, and the status says what was spent."""
        match payload:
            case Source():
                self.spending.sources += 1
            case StatusUpdate():
                return payload.model_copy(update={"budget": self.spending.told()})
            case FinalAnswer():
                stopped_by = self.spending.stopped_by or None
                return payload.model_copy(update={"budget": self.spending.told(), "stopped_by": stopped_by})
        return payload
