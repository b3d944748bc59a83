"""The gate's own decisions, over the searches a run would make."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from langchain_core.documents import Document

from graph.context import Limits
from graph.gate import Searched, judge
from graph.policy import DEFAULT_DOMAIN, Policy
from graph.state import join_passages
from language.words import STOPWORDS
from retrieval.library import Library
from retrieval.retriever import HybridRetriever, documents_of

LENIENT_SCORE = 0.60
LENIENT_CHUNKS = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gate makes of a question."""

    probability: float
    """Of the evidence that the first search found."""
    at_first: bool
    """Whether it opens for that."""
    in_the_end: bool
    """Whether it opens for that or for what the wider search finds."""
    ms: float
    """The first decision alone, without the search."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """A collection, and the policy its gate goes by."""

    library: Library
    collection: str
    policy: Policy
    depth: int = Limits().judged_passages

    def see(self, question: str, filters: dict[str, Any] | None) -> Seen:
        """Judge the question like a run without a model's wordings, in what passes the filters of the collection."""
        evidence = self.library.search_now(self.collection, question, self.depth, filters)
        found = documents_of(evidence)
        began = perf_counter()
        verdict = self._judge(question, found, "once")
        ms = 1000 * (perf_counter() - began)
        at_first = verdict == "open"
        wider = verdict == "expand" and self._judge(question, self._wider(question, found, filters), "wider") == "open"
        return Seen(evidence.probability, at_first, at_first or wider, ms)

    def _judge(self, question: str, found: list[Document], stage: Searched) -> str:
        return judge(question, found, self.policy, domain=DEFAULT_DOMAIN, stage=stage).verdict

    def _wider(self, question: str, found: list[Document], filters: dict[str, Any] | None) -> list[Document]:
        """As `expand` searches: wider with the question, and with its keywords alone."""
        keywords = " ".join(word for word in question.split() if word.lower().strip("?,.!") not in STOPWORDS)
        wide = HybridRetriever(
            library=self.library, collection=self.collection, k=self.policy.expand_k, filters=filters, wide=True
        )
        found = join_passages(found, wide.invoke(question))
        if keywords not in ("", question):
            found = join_passages(found, wide.model_copy(update={"wide": False}).invoke(keywords))
        return found


def lenient(policy: Policy) -> Policy:
    """A policy that asks for two passages at 0.60 and for no check before."""
    return policy.model_copy(
        update={
            "min_score": LENIENT_SCORE,
            "min_chunks": LENIENT_CHUNKS,
            "floor": min(policy.floor, LENIENT_SCORE),
            "expand_min_score": min(policy.expand_min_score, LENIENT_SCORE),
            "precheck": "none",
        }
    )
