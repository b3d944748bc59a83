"""The library as a LangChain retriever, so that its callbacks fire and any chain can use it."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from retrieval.hybrid import Evidence, Hit
from retrieval.library import Library
from retrieval.passages import Passage
from retrieval.reach import Reach
from retrieval.sharing import shared_out

SHARED_DEPTH = 30
"""Passages among which other documents' are looked for."""


class HybridRetriever(BaseRetriever):
    """Hybrid search of one collection.

    The metadata of each `Document`: `source_id`, `document_id`, `source` (title), `section`, `header` (of its table),
    `page`, `start`, `end` (code points in the document), `score` (calibrated, 0..1), `evidence` (of all of them, 0..1),
    `sentences` (spans in the text), `sentence_scores` (0..1, how well each matches the question), `uri`, and
    `metadata` (what the caller stored with the document).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: Library
    collection: str
    k: int = 6
    filters: dict[str, Any] | None = None
    wide: bool = False
    """Whether to look further: with words of the best passages, and at their neighbours."""
    also: tuple[str, ...] = ()
    """Texts whose nearest passages are looked at, too; the question alone scores them."""
    places: int = 0
    """Of so many that come first, one document has at most half while others have passages that score `floor`."""
    floor: float = 0.0

    @property
    def _reach(self) -> Reach:
        return Reach(wide=self.wide, also=self.also)

    @property
    def _depth(self) -> int:
        """Where places are shared, others are looked for further down."""
        return max(self.k, SHARED_DEPTH) if self.places > 1 else self.k

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return self._shared(self.library.search_now(self.collection, query, self._depth, self.filters, self._reach))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return self._shared(await self.library.search(self.collection, query, self._depth, self.filters, self._reach))

    def _shared(self, evidence: Evidence) -> list[Document]:
        return shared_out(documents_of(evidence), self.places, self.floor)[: self.k]


def documents_of(evidence: Evidence) -> list[Document]:
    """LangChain documents of what a search found, best first."""
    return [_document(evidence, hit) for hit in evidence.hits]


def _document(evidence: Evidence, hit: Hit) -> Document:
    found = tuple(round(value, 4) for value in hit.sentence_features)
    return document_of(hit.passage, round(evidence.score(hit), 4), round(evidence.probability, 4), found)


def document_of(passage: Passage, score: float, evidence: float, sentence_scores: tuple[float, ...] = ()) -> Document:
    """A passage as a document whose metadata has the retriever's keys."""
    return Document(
        id=passage.source_id,
        page_content=passage.text,
        metadata={
            "source_id": passage.source_id,
            "document_id": passage.document_id,
            "source": passage.title,
            "section": passage.section,
            "header": passage.header,
            "page": passage.page,
            "start": passage.start,
            "end": passage.end,
            "score": score,
            "evidence": evidence,
            "sentences": passage.sentences,
            "sentence_scores": sentence_scores,
            "uri": passage.uri,
            "metadata": passage.metadata,
        },
    )
