"""Evidence that stands in several documents: how often ten sources hold all of it, after one search and after hops."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from langchain_core.documents import Document

from chains.hops import MOST_ROUNDS, Hop, brings_news, next_queries, queries_allowed, sufficient_without_model
from chains.ledger import arranged
from chains.plan import decompose
from evaluation.corpus import Track, unwatched
from evaluation.sets import Question, QuestionSet
from graph.policy import BUILT_IN
from retrieval.library import Library
from retrieval.retriever import HybridRetriever

SOURCES = 10
"""Places of which all evidence must have one."""
_FIRST = 5


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found for a question, in the order of the sources."""

    sources: list[Document]
    searches: int
    ms: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One question, searched for once and looked into in depth."""

    question: Question
    once: Looked
    deep: Looked


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are 0..1."""

    all_evidence: float
    """Of questions whose relevant documents are all among ten sources."""
    some_evidence: float
    """Of questions with a relevant document among the first five."""
    searches: float
    """On average."""
    most_searches: int
    ms: float
    """On average."""
    slowest_ms: float


class DeepSearch:
    """The searches of deep research by the rules alone, one after another; sources are shared as those of answers."""

    def __init__(self, library: Library, collection: str, sources: int = SOURCES) -> None:
        self._library, self._collection, self._sources = library, collection, sources
        self._floor = BUILT_IN["general"].floor

    def once(self, question: str) -> Looked:
        """One search for the whole question."""
        began = perf_counter()
        found = self._search(question)
        return Looked(found[: self._sources], 1, 1000 * (perf_counter() - began))

    def deep(self, question: str) -> Looked:
        """The plan of the rules, each branch round after round; a question without a plan is its own branch."""
        began = perf_counter()
        whole = Hop(question, self._search(question))
        parts = decompose(question)
        if not parts and sufficient_without_model(question, whole.documents, self._idf):
            return Looked(list(whole.documents)[: self._sources], 1, 1000 * (perf_counter() - began))
        asked, hops = {question}, [whole]
        for part in parts or [question]:
            hops += self._branch(question, part, whole, asked, len(parts) or 1)
        searches = sum(hop is not whole for hop in hops) + 1
        sources = arranged([hop.documents for hop in hops], self._sources)
        return Looked(sources, searches, 1000 * (perf_counter() - began))

    def _branch(self, question: str, part: str, whole: Hop, asked: set[str], branches: int) -> list[Hop]:
        """What a branch has searched for, its own question first."""
        hops = [whole if part == question else Hop(part, self._search(part))]
        asked.add(part)
        rounds = 1
        if sufficient_without_model(part, hops[0].documents, self._idf):
            return hops
        while rounds < MOST_ROUNDS:
            allowed = queries_allowed(rounds, branches)
            queries = next_queries(question, hops, asked, self._idf, allowed)
            known = {str(document.id) for hop in hops for document in hop.documents}
            found = [Hop(query, self._search(query)) for query in queries]
            asked.update(queries)
            hops += found
            rounds += 1
            if not brings_news(question, known, [d for hop in found for d in hop.documents], self._floor):
                break
        return hops

    def _idf(self, words: set[str]) -> dict[str, float]:
        return self._library.idf(self._collection)(words)

    def _search(self, text: str) -> list[Document]:
        retriever = HybridRetriever(
            library=self._library, collection=self._collection, k=SOURCES, places=self._sources, floor=self._floor
        )
        return retriever.invoke(text)


def compare(library: Library, collection: str, questions: QuestionSet, track: Track = unwatched) -> list[Compared]:
    """Look for the evidence of every question that has some, both ways; the first search only warms up."""
    searching = DeepSearch(library, collection)
    wanted = [q for q in questions.questions if q.answerable is not False and q.documents]
    for question in wanted[:1]:
        searching.once(question.question)
    return [
        Compared(question, searching.once(question.question), searching.deep(question.question))
        for question in track(wanted, "Searching")
    ]


def figures(questions: Sequence[Question], looked: Sequence[Looked]) -> Figures:
    """The figures of one way to search. Raises `ValueError` without questions."""
    if not questions:
        raise ValueError("there are no questions with evidence")
    pairs = [(q.documents, _documents(one.sources)) for q, one in zip(questions, looked, strict=True)]
    count = len(questions)
    return Figures(
        all_evidence=sum(wanted <= set(found[:SOURCES]) for wanted, found in pairs) / count,
        some_evidence=sum(not wanted.isdisjoint(found[:_FIRST]) for wanted, found in pairs) / count,
        searches=sum(one.searches for one in looked) / count,
        most_searches=max(one.searches for one in looked),
        ms=sum(one.ms for one in looked) / count,
        slowest_ms=max(one.ms for one in looked),
    )


def _documents(sources: Sequence[Document]) -> list[str]:
    return [document.metadata["document_id"] for document in sources]
