"""What happens to a question that a person answers: a small graph of its own, which waits for that person.

draft -> queue -> wait -> release. Everything up to `wait` is behind a durable checkpoint when the asker is told, and
only `wait` runs again when a decision resumes it. The state is plain JSON, so that no class comes out of a checkpoint.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from callbacks.answer import AnswerStream
from callbacks.events import FinalAnswer, as_dict
from callbacks.guard import Guarding
from chains.verify import Idf, lexical_judge
from graph.refusals import rejected_text
from graph.released import answer_of, book_of, masked, refusal, restored, shown_without_sources
from graph.unheard import Asking, Drafted, unheard_draft
from retrieval.library import Library
from retrieval.reviews import ReviewStore

Failpoint = Callable[[str], None]


class Asked(TypedDict):
    """What a review starts with."""

    request_id: str
    question: str  # as it stands alone
    wording: str  # as it was written
    collection: str
    thread_id: str | None
    domain: str
    rule: str | None
    include_sources: bool
    told: str  # what the asker reads meanwhile


class ReviewState(Asked, Drafted, total=False):
    """Everything that is known of a question under review."""

    decision: dict[str, Any]  # wait


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewContext:
    """What a review uses."""

    library: Library
    guarding: Guarding
    store: ReviewStore
    asking: Asking | None = None
    """None once there is a draft: the run may be long gone."""
    failpoint: Failpoint = lambda _: None
    """Called at named places, so that a test can end the process there."""


async def draft(state: ReviewState, runtime: Runtime[ReviewContext]) -> Drafted:
    """Search and let the model write, into a stream that nobody hears."""
    asking = runtime.context.asking
    assert asking is not None
    return await unheard_draft(asking)


async def queue(state: ReviewState, runtime: Runtime[ReviewContext]) -> None:
    """Let people see it. From here on the question is not lost."""
    runtime.context.failpoint("drafted")
    answer = state["draft"]
    item = {key: state[key] for key in ("question", "collection", "domain", "rule", "why", "no_draft", "sources")}
    if state["wording"] != state["question"]:
        item["wording"] = state["wording"]
    if answer is not None:
        shown = {key: answer[key] for key in ("answer", "citations", "truncated", "safety_pass")}
        item["draft"] = {**shown, "sentences": state["sentences"]}
    add = runtime.context.store.add
    await asyncio.to_thread(add, state["request_id"], told=state["told"], item=item, drafted=answer is not None)
    runtime.context.failpoint("queued")


async def wait(state: ReviewState) -> dict[str, Any]:
    """Until somebody has decided."""
    return {"decision": interrupt(state["request_id"])}


async def release(state: ReviewState, runtime: Runtime[ReviewContext]) -> None:
    """Make the decision what the asker reads."""
    context = runtime.context
    context.failpoint("resumed")
    answer = await asyncio.to_thread(_decided, state, context)  # a long text takes its time
    answer = answer.model_copy(update={"thread_id": state.get("thread_id")})  # none in checkpoints of earlier versions
    final = as_dict(answer) if state["include_sources"] else shown_without_sources(answer)
    await asyncio.to_thread(context.store.release, state["request_id"], final)
    context.failpoint("kept")


def build_review() -> StateGraph[ReviewState, ReviewContext, Asked, ReviewState]:
    """The graph of a review; it needs a checkpointer to be compiled with."""
    builder = StateGraph(ReviewState, context_schema=ReviewContext, input_schema=Asked)
    for node in (draft, queue, wait, release):
        builder.add_node(node)
    builder.add_edge(START, "draft")
    builder.add_edge("draft", "queue")
    builder.add_edge("queue", "wait")
    builder.add_edge("wait", "release")
    builder.add_edge("release", END)
    return builder


def _decided(state: ReviewState, context: ReviewContext) -> FinalAnswer:
    """The answer that a decision releases."""
    decision, domain = state["decision"], state["domain"]
    match decision["decision"]:
        case "approve":
            return FinalAnswer.model_validate(state["draft"])
        case "reject":
            return refusal(rejected_text(decision["note"]), domain=domain, outcome="fallback")
    edited = _edited(state, decision["answer"], context)
    shown = masked(edited, context.guarding.mask)
    return shown.model_copy(update={"answer": edited.answer})  # a person chose these words


def _edited(state: ReviewState, text: str, context: ReviewContext) -> FinalAnswer:
    """A person's text, cited and judged as a streamed one."""
    passages = restored(state["passages"])
    rows = [passage.metadata["source_id"] for passage in passages]
    judged = lexical_judge(_idf(context.library, state["collection"]))
    stream = AnswerStream(book_of(passages, context.guarding.mask), judged, rows, guarding=None)
    for _ in (*stream.feed(text), *stream.finish()):
        pass  # what a stream would publish is in its text, citations and sentences
    return answer_of(stream, passages, domain=state["domain"])


def _idf(library: Library, collection: str) -> Idf:
    """How telling words are; all alike where the collection was removed while the question waited."""
    return library.idf(collection) if collection in library.sizes() else lambda wanted: dict.fromkeys(wanted, 1.0)
