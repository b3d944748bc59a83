"""The conversation as a graph of its own: recall -> answer -> remember.

Its checkpointed state is what was said last, as plain JSON, so that no class comes out of a checkpoint; whole turns are
rows beside it. What one turn needs on its way is not checkpointed: a run that ends before `remember` leaves the
conversation as it was.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langgraph.channels import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from callbacks.events import FinalAnswer, as_dict
from callbacks.personal import Mask
from chains.followup import Exchange

RECALLED = 6
"""Turns that a question can refer to: a prompt holds no more, however long the conversation is."""
_LONGEST = 2000
"""Characters of an answer that are recalled."""
_SOURCE_KEYS = (
    *("index", "source_id", "document_id", "source", "section", "page", "uri", "snippet"),
    *("start", "end", "score", "wave", "branch"),
)


class Said(TypedDict):
    """What later questions can refer to."""

    question: str  # as it was asked
    standalone: str  # as it was answered
    answer: str
    outcome: str
    citations: list[dict[str, Any]]


class Turn(Said):
    """A question and its answer, as they are kept."""

    request_id: str
    created: str
    mode: str
    collection: str
    sources: list[dict[str, Any]]
    sentences: list[dict[str, Any]]
    """Of the answer, with what the sources say of each: shaped like `partial_answer`."""


def _last(before: list[Said], new: list[Said]) -> list[Said]:
    """What is recalled and no more, so that a turn costs the same however long the conversation is."""
    return [*before, *new][-RECALLED:]


class Asked(TypedDict):
    """What a turn starts with."""

    request_id: Annotated[str, UntrackedValue]


class ConversationState(Asked, total=False):
    """A conversation, and the turn under way."""

    turns: Annotated[list[Said], _last]  # remember
    history: Annotated[list[Exchange], UntrackedValue]  # recall
    turn: Annotated[Turn, UntrackedValue]  # answer


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversationContext:
    """What a turn uses: the run that answers it, and where it is kept."""

    answer: Callable[[Sequence[Exchange]], Awaitable[Turn]]
    keep: Callable[[Turn], Awaitable[None]]


async def recall(state: ConversationState) -> dict[str, Any]:
    """What was said last."""
    return {"history": recalled(state.get("turns", []))}


async def answer(state: ConversationState, runtime: Runtime[ConversationContext]) -> dict[str, Any]:
    """Have the run answer."""
    return {"turn": await runtime.context.answer(state["history"])}


async def remember(state: ConversationState, runtime: Runtime[ConversationContext]) -> dict[str, Any]:
    """Keep the turn."""
    turn = state["turn"]
    await runtime.context.keep(turn)
    return {"turns": [{key: turn[key] for key in Said.__annotations__}]}  # type: ignore[literal-required]


def build_conversation() -> StateGraph[ConversationState, ConversationContext, Asked, ConversationState]:
    """The graph of a conversation; it needs a checkpointer to be compiled with."""
    builder = StateGraph(ConversationState, context_schema=ConversationContext, input_schema=Asked)
    for node in (recall, answer, remember):
        builder.add_node(node)
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "answer")
    builder.add_edge("answer", "remember")
    builder.add_edge("remember", END)
    return builder


def recalled(turns: Sequence[Said]) -> list[Exchange]:
    """The last turns as what later questions may refer to. The words of a refusal are no context."""
    return [
        {
            "question": turn["question"],
            "standalone": turn["standalone"],
            "answer": turn["answer"][:_LONGEST] if turn["outcome"] == "answered" else None,
            "titles": list(dict.fromkeys(citation["source"] for citation in turn["citations"])),
        }
        for turn in turns[-RECALLED:]
    ]


def turn_of(
    final: FinalAnswer,
    *,
    request_id: str,
    created: str,
    mode: str,
    collection: str,
    question: str,
    standalone: str,
    mask: Mask | None,
) -> Turn:
    """A turn to keep: the answer as it is shown, the question without what must not be read."""
    told = as_dict(final)
    hide = mask or str
    return {
        "request_id": request_id,
        "created": created,
        "mode": mode,
        "collection": collection,
        "question": hide(question),
        "standalone": hide(standalone),
        "answer": told["answer"],
        "outcome": told["outcome"],
        "citations": told["citations"],
        "sources": [{key: source.get(key) for key in _SOURCE_KEYS} for source in told["sources"]],
        "sentences": told.get("sentences", []),
    }
