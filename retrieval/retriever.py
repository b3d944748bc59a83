"""The library as a LangChain retriever, so that its callbacks fire and any chain can use it."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from retrieval.hybrid import Evidence, Hit
from retrieval.library import Library
from retrieval.reach import Reach


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

    @property
    def _reach(self) -> Reach:
        return Reach(wide=self.wide, also=self.also)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return documents_of(self.library.search_now(self.collection, query, self.k, self.filters, self._reach))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        return documents_of(await self.library.search(self.collection, query, self.k, self.filters, self._reach))


def documents_of(evidence: Evidence) -> list[Document]:
    """LangChain documents of what a search found, best first."""
    return [_document(evidence, hit) for hit in evidence.hits]


def _document(evidence: Evidence, hit: Hit) -> Document:
    passage = hit.passage
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
            "score": round(evidence.score(hit), 4),
            "evidence": round(evidence.probability, 4),
            "sentences": passage.sentences,
            "sentence_scores": tuple(round(value, 4) for value in hit.sentence_features),
            "uri": passage.uri,
            "metadata": passage.metadata,
        },
    )
