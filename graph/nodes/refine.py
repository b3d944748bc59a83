"""`refine`: when draft and slow path are done, the least that makes the answer right, or a clear word that it was."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.answer import AnswerStream, Judge
from callbacks.events import Action, Change, CitationAttached, Outcome, PartialAnswer, RefinementUpdate
from callbacks.sources import Shown
from chains.refine import RefineInput
from graph.context import RagContext
from graph.nodes.fallback import shown
from graph.refusals import retraction_text, silence_text
from graph.report import report, show_sources, status
from graph.revision import (
    ACCEPTABLE,
    Revision,
    changes_between,
    disagreement,
    problems,
    repair,
    without_markers,
)
from graph.safety import unsafe_links
from graph.state import RagState, join_passages

log = logging.getLogger(__name__)


class Refined(TypedDict):
    """Written by `refine`."""

    answer: str
    revision: int
    action: Action
    changes: list[Change]
    citations: list[CitationAttached]
    outcome: Outcome
    sentences: list[PartialAnswer]


async def refine(state: RagState, runtime: Runtime[RagContext]) -> Refined:
    """Confirm the draft, patch its doubtful sentences, or retract it if nothing supports any of them."""
    context, stream = runtime.context, runtime.context.stream
    evidence = join_passages(state["passages"], state.get("evidence", []))
    unsafe = unsafe_links(evidence)
    doubtful = problems(stream.sentences)
    endangered = [at for at, sentence in enumerate(stream.sentences) if unsafe(sentence.text)]
    cited = any(citation.sentence not in {*doubtful, *endangered} for citation in stream.citations)
    if not stream.text:
        return _refused(state, context)
    if not stream.sentences:  # markers without a word
        return await _retract(state, context)
    if not doubtful and not endangered and cited:
        return await _confirm(state, stream, evidence)
    revision = await _revised(state, context, [*doubtful, *endangered])
    if revision is None or not revision.citations:
        return await _retract(state, context)
    return await _patch(stream, revision)


async def _revised(state: RagState, context: RagContext, doubtful: list[int]) -> Revision | None:
    """The better of what the model makes of the problems and what can be done without it."""
    evidence = join_passages(state["passages"], state.get("evidence", []))
    unsafe = unsafe_links(evidence)
    wanted = [without_markers(context.stream.sentences[at].text) for at in doubtful]
    supporting = {source_id for source_id, _ in state["supporting"].values()}
    judge = context.stream.judge
    speaking = await asyncio.to_thread(lambda: [d for d in evidence if _speaks(d, wanted, judge)])
    await show_sources([d for d in evidence if d.metadata["source_id"] in supporting or d in speaking], 2)
    plain = repair(context.stream, _known(evidence, context), unsafe, state["supporting"])
    broke_off = context.stream.truncated  # a model that was cut would as soon complete its half sentence as drop it
    if not plain.citations or broke_off or context.collaborators.refine is None:
        return plain
    fresh = [d for d in evidence if d.metadata["source_id"] not in context.book]
    fresh.sort(key=lambda document: -document.metadata["score"])
    floor = state["policy"].floor
    await show_sources([d for d in fresh[: state["top_k"]] if d.metadata["score"] >= floor], 2)
    await status("refining", f"Correcting {len(doubtful)} of {len(context.stream.sentences)} sentences")
    given: RefineInput = {
        "question": state["question"],
        "sentences": [sentence.text for sentence in context.stream.sentences],
        "problems": doubtful,
        "passages": [source.document for source in _known(evidence, context)],
    }
    written = await _written(given, context)
    return written if written is not None and not unsafe(written.text) else plain


def _known(evidence: Sequence[Document], context: RagContext) -> list[Shown]:
    """What may be cited of it: the reader has been told about it."""
    return [context.book[d.metadata["source_id"]] for d in evidence if d.metadata["source_id"] in context.book]


def _speaks(document: Document, wanted: Sequence[str], judge: Judge) -> bool:
    """Whether a passage supports one of some sentences."""
    pieces = [document.page_content[start:end] for start, end in document.metadata["sentences"]]
    return any(judge(sentence, pieces).support == "supported" for sentence in wanted)


async def _written(given: RefineInput, context: RagContext) -> Revision | None:
    """The model's correction, if every sentence of it is supported and none was lost: otherwise it is no better."""
    assert context.collaborators.refine is not None
    try:
        async with asyncio.timeout(context.collaborators.limits.refine_seconds):
            text = await context.collaborators.refine.ainvoke(given)
    except Exception as error:  # whatever a provider raises: the deterministic repair stands
        log.warning("the refinement failed: %s", type(error).__name__)
        return None
    draft = context.stream
    rewritten = AnswerStream(draft.book, draft.judge, [p.metadata["source_id"] for p in given["passages"]])
    for _ in (*rewritten.feed(text), *rewritten.finish()):
        pass
    kept = sum(sentence.support in ACCEPTABLE for sentence in draft.sentences)
    if problems(rewritten.sentences) or len(rewritten.sentences) <= kept or not rewritten.citations:
        return None
    if not _keeps(draft, rewritten, set(given["problems"])):
        return None
    changes = changes_between([s.text for s in draft.sentences], [s.text for s in rewritten.sentences])
    citations = [citation.model_copy(update={"revision": 1}) for citation in rewritten.citations]
    sentences = [sentence.model_copy(update={"revision": 1}) for sentence in rewritten.sentences]
    return Revision(rewritten.text, citations, changes, sentences)


def _keeps(draft: AnswerStream, rewritten: AnswerStream, problems: set[int]) -> bool:
    """Whether every sentence that was no problem stands as it was, its markers aside."""
    stands = " ".join(without_markers(rewritten.text).split())
    fine = (sentence.text for sentence in draft.sentences if sentence.sentence not in problems)
    return all(" ".join(without_markers(text).split()) in stands for text in fine)


async def _confirm(state: RagState, stream: AnswerStream, evidence: Sequence[Document]) -> Refined:
    message, reasons = await _what_was_checked(state, stream, evidence)
    update = RefinementUpdate(
        message=message,
        action="confirm",
        revision=0,
        refined_answer=stream.text,
        additional_citations=stream.citations,
        reasons=reasons,
        changes=[],
    )
    await report(update)
    return _result(update, "answered", stream.sentences)


async def _what_was_checked(
    state: RagState, stream: AnswerStream, evidence: Sequence[Document]
) -> tuple[str, list[str]]:
    """What may be said of a draft that stands: no more than was looked at."""
    partly = sum(sentence.support == "partial" for sentence in stream.sentences)
    supported = f"{partly} of {len(stream.sentences)} sentences are supported only in part"
    reasons = [supported if partly else "every sentence is supported by a passage it cites"]
    if state.get("slow_path_failed"):
        return "Supported by the first search; the deeper check failed", reasons
    against = await asyncio.to_thread(disagreement, stream, evidence)
    if against is not None:
        return "Supported, but the sources disagree", [*reasons, f"another document says “{against}”"]
    reasons.append(f"no disagreement found in {len(evidence)} {'passage' if len(evidence) == 1 else 'passages'}")
    return ("Supported in part by the sources" if partly else "Confirmed by deeper evidence"), reasons


async def _patch(stream: AnswerStream, revision: Revision) -> Refined:
    lost = sum(not change.after for change in revision.changes)
    update = RefinementUpdate(
        message="Corrected: the sources do not support all of the draft",
        action="patch",
        revision=1,
        refined_answer=revision.text,
        additional_citations=revision.citations,
        reasons=[f"{len(revision.changes)} of {len(stream.sentences)} sentences were not supported; {lost} left out"],
        changes=revision.changes,
    )
    await report(update)
    return _result(update, "answered", revision.sentences)


async def _retract(state: RagState, context: RagContext) -> Refined:
    update = RefinementUpdate(
        message="Withdrawn: the sources support nothing of the draft",
        action="retract",
        revision=1,
        refined_answer=retraction_text(nearest=shown(state, context)),
        additional_citations=[],
        reasons=["no sentence of the draft is supported"],
        changes=[Change(sentence=s.sentence, before=s.text, after="") for s in context.stream.sentences],
    )
    await report(update)
    return _result(update, "fallback", [])


def _refused(state: RagState, context: RagContext) -> Refined:
    return {
        "answer": silence_text(nearest=shown(state, context)),
        "revision": 0,
        "action": "retract",
        "changes": [],
        "citations": [],
        "outcome": "fallback",
        "sentences": [],
    }


def _result(update: RefinementUpdate, outcome: Outcome, sentences: list[PartialAnswer]) -> Refined:
    return {
        "answer": update.refined_answer,
        "revision": update.revision,
        "action": update.action,
        "changes": list(update.changes),
        "citations": list(update.additional_citations),
        "outcome": outcome,
        "sentences": sentences,
    }
