"""What happens to a question that a person answers: a small graph of its own, which waits for that person.

draft -> queue -> wait -> release. Everything up to `wait` is behind a durable checkpoint when the asker is told, and
only `wait` runs again when a decision resumes it. The state is plain JSON, so that no class comes out of a checkpoint.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson
from langchain_core.documents import Document
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from callbacks.answer import AnswerStream
from callbacks.events import FinalAnswer, GateDecision, as_dict
from chains.answer import answer_messages
from chains.prompts import fitting
from chains.verify import lexical_judge
from graph.context import RagContext
from graph.failures import ModelFailure
from graph.gate import judge
from graph.nodes.generate import write_draft
from graph.refusals import rejected_text
from graph.released import Saved, answer_of, book_of, refusal, restored, saved, shown_without_sources
from graph.state import RagState
from retrieval.library import Library
from retrieval.reviews import ReviewStore

log = logging.getLogger(__name__)

TOO_THIN = "the evidence is too thin"
SEARCH_FAILED = "the search failed"
MODEL_FAILED = "the model failed"
MODEL_SILENT = "the model wrote nothing"


class Asked(TypedDict):
    """What a review starts with."""

    request_id: str
    question: str
    collection: str
    domain: str
    rule: str | None
    include_sources: bool
    told: str  # what the asker reads meanwhile


class Drafted(TypedDict):
    """Written by `draft`."""

    passages: list[Saved]
    sources: list[dict[str, Any]]
    why: dict[str, Any] | None  # what the gate would have said; None where nothing could be searched
    draft: dict[str, Any] | None  # a final answer
    sentences: list[dict[str, Any]]
    no_draft: str | None


class ReviewState(Asked, Drafted, total=False):
    """Everything that is known of a question under review."""

    decision: dict[str, Any]  # wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """The run that hands a question over; its stream, book and handlers are the review's own."""

    state: RagState
    context: RagContext


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewContext:
    """What a review uses."""

    library: Library
    store: ReviewStore
    asking: Asking | None = None
    """None once there is a draft: the run may be long gone."""


async def draft(state: ReviewState, runtime: Runtime[ReviewContext]) -> Drafted:
    """Search and let the model write, into a stream that nobody hears. What fails leaves the question without a draft.

    Thin evidence is not written from: a person sees what the gate would have said, and what was found.
    """
    asking = runtime.context.asking
    assert asking is not None
    try:
        passages, decision = await _search(asking)
    except Exception:  # whatever is wrong with the index: the question can still be answered by a person
        log.exception("the search for review %s failed", state["request_id"])
        return _drafted([], None, asking.context.stream, None, SEARCH_FAILED)
    stream = asking.context.stream
    asking.context.book.announce(passages, wave=1)
    stream.begin([passage.metadata["source_id"] for passage in passages])
    if decision.verdict not in ("open", "verify_first"):
        return _drafted(passages, decision, stream, None, TOO_THIN)
    no_draft = await _write(state["question"], passages, asking.context)
    final = None if no_draft else answer_of(stream, passages, domain=state["domain"])
    return _drafted(passages, decision, stream, final, no_draft)


async def queue(state: ReviewState, runtime: Runtime[ReviewContext]) -> None:
    """Let people see it. From here on the question is not lost."""
    answer = state["draft"]
    item = {key: state[key] for key in ("question", "collection", "domain", "rule", "why", "no_draft", "sources")}  # type: ignore[literal-required]
    if answer is not None:
        shown = {key: answer[key] for key in ("answer", "citations", "truncated", "safety_pass")}
        item["draft"] = {**shown, "sentences": state["sentences"]}
    add = runtime.context.store.add
    await asyncio.to_thread(add, state["request_id"], told=state["told"], item=item, drafted=answer is not None)


async def wait(state: ReviewState) -> dict[str, Any]:
    """Until somebody has decided."""
    return {"decision": interrupt(state["request_id"])}


async def release(state: ReviewState, runtime: Runtime[ReviewContext]) -> None:
    """Make the decision what the asker reads."""
    context, answer = runtime.context, _decided(state, runtime.context.library)
    final = as_dict(answer) if state["include_sources"] else shown_without_sources(answer)
    await asyncio.to_thread(context.store.release, state["request_id"], final)


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


async def _search(asking: Asking) -> tuple[list[Document], GateDecision]:
    """What an answer would be written from, and what the gate would say of it, after a wider search if need be."""
    state, context = asking.state, asking.context
    question, policy = state["question"], state["policy"]
    retriever = context.retriever(state, context.judged(state))
    found = await retriever.ainvoke(question)
    decision = judge(question, found, policy, domain=state["domain"], stage="once")
    if decision.verdict == "expand":
        wider = context.retriever(state, max(policy.expand_k, state["top_k"]), wide=True)
        found = await wider.ainvoke(question)
        decision = judge(question, found, policy, domain=state["domain"], stage="wider")
    return fitting(found[: state["top_k"]], context.collaborators.limits.context_tokens), decision


async def _write(question: str, passages: list[Document], context: RagContext) -> str | None:
    """Have the model write into the stream of `context`; why there is no draft, if there is none."""
    try:
        await write_draft(question, passages, answer_messages(question, passages), context)
    except ModelFailure as failure:
        log.warning("a draft for review failed: %s (%r)", failure.code, failure.__cause__)
        if not context.stream.text:
            return f"{MODEL_FAILED}: {failure}"
    return None if context.stream.text.strip() else MODEL_SILENT


def _drafted(
    passages: list[Document],
    decision: GateDecision | None,
    stream: AnswerStream,
    final: FinalAnswer | None,
    no_draft: str | None,
) -> Drafted:
    why = None
    if decision is not None:
        verdict = "fallback" if decision.verdict == "expand" else decision.verdict
        why = {"verdict": verdict, "reasons": decision.reasons, "missing": decision.missing or []}
    drafted: Drafted = {
        "passages": saved(passages),
        "sources": [as_dict(stream.book[passage.metadata["source_id"]].event) for passage in passages],
        "why": why,
        "draft": None if final is None else as_dict(final),
        "sentences": [as_dict(sentence) for sentence in stream.sentences] if final is not None else [],
        "no_draft": no_draft,
    }
    plain: Drafted = orjson.loads(orjson.dumps(drafted))  # tuples and the like would not come back as they were
    return plain


def _decided(state: ReviewState, library: Library) -> FinalAnswer:
    """The answer that a decision releases."""
    decision, domain = state["decision"], state["domain"]
    match decision["decision"]:
        case "approve":
            return FinalAnswer.model_validate(state["draft"])
        case "reject":
            return refusal(rejected_text(decision["note"]), domain=domain, outcome="fallback")
    passages = restored(state["passages"])
    rows = [passage.metadata["source_id"] for passage in passages]
    stream = AnswerStream(book_of(passages), lexical_judge(library.idf(state["collection"])), rows)
    for _ in (*stream.feed(decision["answer"]), *stream.finish()):
        pass  # what a stream would publish is in its text, citations and sentences
    return answer_of(stream, passages, domain=domain)
