"""The draft for a person: searched, written and judged behind the closed gate, heard by nobody."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import orjson
from langchain_core.documents import Document

from callbacks.answer import AnswerStream
from callbacks.events import FinalAnswer, GateDecision, as_dict
from chains.prompts import fitting
from graph.context import RagContext
from graph.failures import ModelFailure
from graph.gate import judge
from graph.lines import assembled, cited
from graph.mending import bench_for, mend, stands
from graph.released import Saved, answer_of, masked, saved
from graph.screening import SERIOUS, answer_concerns
from graph.state import RagState, join_passages
from graph.writing import prompt_for, write_draft

log = logging.getLogger(__name__)

TOO_THIN = "the evidence is too thin"
SEARCH_FAILED = "the search failed"
MODEL_FAILED = "the model failed"
MODEL_SILENT = "the model wrote nothing"
UNSUPPORTED = "the sources support nothing of what the model wrote"
DRAFT_FAILED = "the draft could not be made"


class Drafted(TypedDict):
    """What became of the question before a person sees it."""

    passages: list[Saved]
    sources: list[dict[str, Any]]
    why: dict[str, Any] | None  # what the gate would have said; None where nothing could be searched
    draft: dict[str, Any] | None  # a final answer
    sentences: list[dict[str, Any]]
    no_draft: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """The run that hands a question over; its stream, book and handlers are the review's own."""

    state: RagState
    context: RagContext


async def unheard_draft(asking: Asking) -> Drafted:
    """Search and let the model write. What fails leaves the question without a draft: a person can still answer it.

    Thin evidence is not written from: a person sees what the gate would have said, and what was found.
    """
    state, context = asking.state, asking.context
    try:
        passages, decision = await _search(state, context)
    except Exception:  # whatever is wrong with the index
        log.exception("the search for review %s failed", context.request_id)
        return _drafted([], None, context.stream, no_draft=SEARCH_FAILED)
    context.book.announce(passages, wave=1)
    context.stream.begin([passage.metadata["source_id"] for passage in passages])
    no_draft = TOO_THIN
    if decision.verdict in ("open", "verify_first"):
        no_draft = await _write(state, passages, context) or ""
    if no_draft:
        return _drafted(passages, decision, context.stream, no_draft=no_draft)
    mended = await _mended(state, passages, context)
    if mended is None:
        return _drafted(passages, decision, context.stream, no_draft=UNSUPPORTED)
    passages, notes = mended
    concerns = [*await answer_concerns(state["question"], context.stream.text, context), *context.stream.removed]
    answer = answer_of(context.stream, passages, domain=state["domain"])
    checked = {"safety_pass": answer.safety_pass and SERIOUS.isdisjoint(concerns), "safety_flags": concerns or None}
    final = masked(answer.model_copy(update=checked), context.collaborators.guarding.mask)
    return _drafted(passages, decision, context.stream, final=final, notes=notes)


async def _mended(
    state: RagState, passages: Sequence[Document], context: RagContext
) -> tuple[list[Document], list[str]] | None:
    """The draft put right as a heard one would be, in place; what it is written from now, and what was changed and why.

    None if nothing of it stands.
    """
    stream = context.stream
    deeper = context.retriever(state, max(context.collaborators.limits.deep_k, state["top_k"]), wide=True)
    evidence = join_passages(passages, await deeper.ainvoke(state["question"]))
    lines, notes = await mend(stream, bench_for(state, evidence, {}, context), (), context.lanes)
    if not stands(lines):
        return None
    added = [line.rests_on.document for line in lines if line.rests_on is not None]
    context.book.announce(added, wave=2)
    answer = assembled([cited(line, context.book) for line in lines], 0)
    stream.text, stream.citations, stream.sentences = answer.text, answer.citations, answer.sentences
    written_from = join_passages(passages, added)
    stream.rows = [passage.metadata["source_id"] for passage in written_from]
    return written_from, [note.text for note in notes]


async def _search(state: RagState, context: RagContext) -> tuple[list[Document], GateDecision]:
    """What an answer would be written from, and what the gate would say of it, after a wider search if need be."""
    question, policy = state["question"], state["policy"]
    found = await context.retriever(state, context.judged(state)).ainvoke(question)
    decision = judge(question, found, policy, domain=state["domain"], stage="once")
    if decision.verdict == "expand":
        wider = context.retriever(state, max(policy.expand_k, state["top_k"]), wide=True)
        found = await wider.ainvoke(question)
        decision = judge(question, found, policy, domain=state["domain"], stage="wider")
    return fitting(found[: state["top_k"]], context.collaborators.limits.context_tokens), decision


async def _write(state: RagState, passages: Sequence[Document], context: RagContext) -> str | None:
    """Have the model write into the stream of `context`; why there is no draft, if there is none."""
    try:
        await write_draft(state["question"], passages, prompt_for(state, passages), context)
    except ModelFailure as failure:
        log.warning("the draft for review %s failed: %s (%r)", context.request_id, failure.code, failure.__cause__)
        if not context.stream.text:
            return f"{MODEL_FAILED}: {failure}"
    except Exception:  # a passage no prompt can be made of, whatever is wrong with it
        log.exception("the draft for review %s failed", context.request_id)
        return DRAFT_FAILED
    return None if context.stream.text.strip() else MODEL_SILENT


def _drafted(
    passages: Sequence[Document],
    decision: GateDecision | None,
    stream: AnswerStream,
    *,
    final: FinalAnswer | None = None,
    no_draft: str | None = None,
    notes: Sequence[str] = (),
) -> Drafted:
    mask = (stream.guarding and stream.guarding.mask) or str
    drafted: Drafted = {
        "passages": saved(passages),
        "sources": [
            {**as_dict(stream.book[passage.metadata["source_id"]].event), "text": mask(passage.page_content)}
            for passage in passages
        ],
        "why": None if decision is None else {**_why(decision), "changed": list(notes)},
        "draft": None if final is None else as_dict(final),
        "sentences": [] if final is None else [as_dict(sentence) for sentence in stream.sentences],
        "no_draft": no_draft,
    }
    plain: Drafted = orjson.loads(orjson.dumps(drafted))  # tuples and the like would not come back as they were
    return plain


def _why(decision: GateDecision) -> dict[str, Any]:
    verdict = "fallback" if decision.verdict == "expand" else decision.verdict
    return {"verdict": verdict, "reasons": decision.reasons, "missing": decision.missing or []}
