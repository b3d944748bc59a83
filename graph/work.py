"""What a run does: a graph, and what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.pregel import Pregel

from chains.followup import Exchange, follow_up
from graph.query import Query
from graph.state import RagInput


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One call of a graph; its context and its callbacks are the run's."""

    graph: Pregel[Any, Any, Any, Any]
    given: Mapping[str, Any]
    greeting: str = "Understanding your question"
    """What is said at once, before anything is known."""
    answers: bool = True
    """Whether it answers a question: figures of how fast that is done leave other work out."""


def asked(query: Query, collection: str) -> RagInput:
    """What the graphs that answer a question start with."""
    return {
        "question": query.query,
        "collection": collection,
        "named_domain": query.domain if "domain" in query.model_fields_set else None,
        "top_k": query.top_k,
        "filters": query.filters,
    }


def going_on(given: Mapping[str, Any], history: Sequence[Exchange]) -> dict[str, Any]:
    """What such a graph starts with in a conversation: the question as it stands alone, beside what the user wrote."""
    wording = given["question"]
    found = follow_up(wording, history)
    return {
        **given,
        "question": wording if found is None else found.text,
        "wording": wording,
        "unsure": found is not None and not found.sure,
        "history": list(history),
    }
