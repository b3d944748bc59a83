"""A summary as it is asked for: the body of `POST /documents/{id}/summary` and the argument of `hub.summarise`."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from graph.digest import SummaryInput
from graph.query import Name, Query
from graph.work import asked
from retrieval.library import DOCS_COLLECTION, Library
from retrieval.records import StoredDocument

DEFAULT_SECTIONS, MOST_SECTIONS = 40, 100
_ASKED = "Summarise this document."


class AmbiguousDocument(LookupError):
    """Documents of several collections have this id; their names."""


class SummaryRequest(BaseModel):
    """How a document is to be summarised; `collection` may be left out where only one has a document of that id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: Name | None = None
    max_sections: Annotated[int, Field(ge=1, le=MOST_SECTIONS, strict=True)] = DEFAULT_SECTIONS
    stream: bool = True
    include_sources: bool = True
    on_disconnect: Literal["cancel", "continue"] = "cancel"

    def as_query(self, document: StoredDocument) -> Query:
        """What the run of a summary is asked."""
        return Query(
            query=_ASKED,
            collection=document.collection,
            stream=self.stream,
            include_sources=self.include_sources,
            on_disconnect=self.on_disconnect,
        )

    def fingerprint(self, document_id: str) -> str:
        """Tells one request from another."""
        return hashlib.sha256(f"summary {document_id}\0{self.model_dump_json()}".encode("utf-8", "replace")).hexdigest()

    def given(self, document: StoredDocument) -> SummaryInput:
        """What the graph starts with."""
        return {
            **asked(self.as_query(document), document.collection),
            "document": document,
            "max_sections": self.max_sections,
        }


def find_document(library: Library, document_id: str, collection: str | None) -> StoredDocument | None:
    """The live document of an id, in a collection or in the only one that has it. Raises `AmbiguousDocument`."""
    names = list(library.sizes()) if collection is None else [collection]
    found = [document for name in names if (document := library.stored.document(name, document_id)) is not None]
    if collection is None:  # the server's own guide is not meant where somebody's document is
        found = [document for document in found if document.collection != DOCS_COLLECTION] or found
    if len(found) > 1:
        raise AmbiguousDocument(", ".join(document.collection for document in found))
    return found[0] if found else None
