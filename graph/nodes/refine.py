"""`refine`: when draft and slow path are done, the least that makes the answer right, or a clear word that it was."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TypedDict

from langchain_core.documents import Document
from langgraph.runtime import Runtime

from callbacks.answer import AnswerStream
from callbacks.events import Action, Change, CitationAttached, Outcome, PartialAnswer, RefinementUpdate, Trigger
from chains.refine import RefineInput
from graph.bench import Bench, Mended, Note
from graph.context import RagContext
from graph.disputes import section
from graph.evidence import Piece
from graph.lines import Line, aside, assembled, cited, lines_of, without_markers
from graph.mending import bench_for, mend, stands
from graph.nodes.fallback import shown
from graph.refusals import retraction_text, silence_text
from graph.remarks import remarks
from graph.repairs import stands_for, trouble
from graph.report import report, show_sources, status
from graph.revision import Revision, no_worse, revision_of, stemming_from
from graph.screening import SERIOUS, UNSAFE_ANSWER
from graph.state import RagState, join_passages

log = logging.getLogger(__name__)

_LONGER, _ROOM = 2, 2000
"""A correction is at most so many times as long as the draft, and so many characters."""
_MESSAGES: dict[Trigger, str] = {
    "safety": "Corrected: a part of the draft must not be said",
    "contradicted": "Corrected: the sources say otherwise than the draft",
    "unsupported": "Corrected: the sources do not support all of the draft",
    "disagreement": "The sources disagree",
    "aspect": "Completed: the sources answer a part of the question that was left open",
}


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
    """Confirm the draft, mend what cannot stand, add what was left open, or retract it if nothing of it stands."""
    context, draft = runtime.context, runtime.context.stream
    if not draft.text:
        return _refused(state, context)
    if _must_not_stand(state):
        return await _retract(state, context, [Note("safety", "the safety check did not pass the answer")])
    evidence = join_passages(state["passages"], state.get("evidence", []))
    if state.get("ledger"):  # whose sources are counted, and whose report a model has written once
        evidence = [document for document in evidence if document.metadata["source_id"] in context.book]
    bench = bench_for(state, evidence, state["supporting"], context)
    better = partial(_better, state=state, evidence=evidence, bench=bench, context=context)
    complete = bool(state.get("ledger"))
    lines, notes = await mend(draft, bench, state.get("oppositions", []), context.lanes, better, complete=complete)
    if not stands(lines):
        return await _retract(state, context, notes)
    lines = _remarked(lines, state, context)
    if context.research is not None and not complete:  # one search was enough, and no report was written
        told = section([note.pair for note in notes if note.pair is not None], lines, bench)
        lines = [*lines, *told]
        notes = [note._replace(trigger="disagreement") if told and note.pair else note for note in notes]
    await _show([line.rests_on for line in lines], context)
    revision = revision_of([cited(line, context.book) for line in lines], draft)
    if not revision.changes:
        return await _confirm(state, draft, lines, evidence, notes)
    return await _correct(revision, notes)


def _remarked(lines: list[Line], state: RagState, context: RagContext) -> list[Line]:
    """A report with remarks that are true of what is left of it."""
    draft, findings = context.stream, state.get("findings", [])
    if context.research is None or not findings or all(a is b for a, b in zip(lines, lines_of(draft), strict=False)):
        return lines
    said = [line for line in lines if line.claims or line.text not in draft.remarks]
    now = [f"*{text}*" for text in remarks(said, findings, state["answered"], context.research)]
    return [*said, *(aside(text) for text in now)]


def _must_not_stand(state: RagState) -> bool:
    """Whether the safety check withdraws the answer; one that could not be made does so where it has to pass."""
    concerns = set(state.get("concerns", []))
    strict = state["policy"].precheck == "full_slow_path"
    return UNSAFE_ANSWER in concerns or (strict and not SERIOUS.isdisjoint(concerns))


async def _show(pieces: Sequence[Piece | None], context: RagContext) -> None:
    """Tell the reader about the sources that are about to be cited."""
    documents = [piece.document for piece in pieces if piece is not None]
    await show_sources(documents, context.book.waves + 1)


async def _better(
    plain: Mended, *, state: RagState, evidence: Sequence[Document], bench: Bench, context: RagContext
) -> list[Line]:
    """What the model makes of the problems, if that is any better than what can be done without it."""
    draft = context.stream
    anything = any(line.citations or line.rests_on for line in plain.lines)
    # a model that was cut would as soon complete its half sentence as drop it
    one_piece = not draft.truncated and not state.get("ledger")
    if context.collaborators.refine is None or not one_piece or not anything:
        return plain.lines
    fresh = [d for d in evidence if d.metadata["score"] >= state["policy"].floor]
    await show_sources(fresh[: state["top_k"]], context.book.waves + 1)
    lines = lines_of(draft)
    problems = [at for at, line in enumerate(lines) if trouble(line, bench)]
    if not problems:
        return plain.lines
    await status("refining", f"Correcting {len(problems)} of {len(draft.sentences)} sentences")
    given: RefineInput = {
        "question": state["question"],
        "sentences": [line.text for line in lines],
        "problems": problems,
        "passages": [d for d in evidence if d.metadata["source_id"] in context.book],
    }
    written = await _written(given, context)
    sound = await asyncio.to_thread(_sound, written, plain.lines, bench, draft)
    return written if sound else plain.lines


def _sound(written: Sequence[Line], plain: Sequence[Line], bench: Bench, draft: AnswerStream) -> bool:
    """Whether a model's correction is at least as good as what can be done without it."""
    if not written or len(written) < len(plain) or any(trouble(line, bench) for line in written):
        return False
    return all(stands_for(line, draft.sentences) for line in written) and no_worse(plain, written)


async def _written(given: RefineInput, context: RagContext) -> list[Line]:
    """The model's correction, if it cites and keeps every sentence that was no problem; otherwise nothing."""
    assert context.collaborators.refine is not None
    try:
        async with asyncio.timeout(context.collaborators.limits.refine_seconds):
            text = await context.collaborators.refine.ainvoke(given)
    except Exception as error:  # whatever a provider raises: the deterministic repair stands
        log.warning("the refinement failed: %s", type(error).__name__)
        return []
    draft = context.stream
    if len(text) > _LONGER * len(draft.text) + _ROOM:  # no correction of this draft, whatever it is
        return []
    rows = [passage.metadata["source_id"] for passage in given["passages"]]
    rewritten = AnswerStream(draft.book, draft.judge, rows, guarding=draft.guarding)
    await asyncio.to_thread(lambda: [*rewritten.feed(text), *rewritten.finish()])
    if rewritten.removed or not rewritten.citations or not _keeps(given, rewritten):
        return []
    return stemming_from(lines_of(rewritten), draft.sentences)


def _keeps(given: RefineInput, rewritten: AnswerStream) -> bool:
    """Whether every sentence that was no problem stands as it was, its markers aside."""
    stands = " ".join(without_markers(rewritten.text).split())
    fine = (text for at, text in enumerate(given["sentences"]) if at not in given["problems"])
    return all(" ".join(without_markers(text).split()) in stands for text in fine)


async def _confirm(
    state: RagState,
    draft: AnswerStream,
    lines: Sequence[Line],
    evidence: Sequence[Document],
    notes: Sequence[Note],
) -> Refined:
    sentences = assembled(lines, 0).sentences
    message, reasons = _what_was_checked(state, sentences, evidence, notes)
    update = RefinementUpdate(
        message=message,
        action="confirm",
        revision=0,
        refined_answer=draft.text,
        additional_citations=draft.citations,
        reasons=reasons,
        changes=[],
    )
    await report(update)
    return _result(update, "answered", sentences)


def _what_was_checked(
    state: RagState, sentences: Sequence[PartialAnswer], evidence: Sequence[Document], notes: Sequence[Note]
) -> tuple[str, list[str]]:
    """What may be said of a draft that stands: no more than was looked at."""
    partly = sum(sentence.support != "supported" for sentence in sentences)
    supported = f"{partly} of {len(sentences)} sentences are supported only in part"
    reasons = [supported if partly else "every sentence is supported by a passage it cites"]
    if state.get("slow_path_failed"):
        return "Supported by the first search; the deeper check failed", reasons
    if notes:
        older = all(note.trigger is None for note in notes)
        message = "Confirmed by the newer source" if older else "Supported, but the sources disagree"
        return message, [*reasons, *(note.text for note in notes)]
    reasons.append(f"no disagreement found in {len(evidence)} {'passage' if len(evidence) == 1 else 'passages'}")
    return ("Supported in part by the sources" if partly else "Confirmed by deeper evidence"), reasons


async def _correct(revision: Revision, notes: Sequence[Note]) -> Refined:
    triggers = [trigger for trigger in dict.fromkeys(note.trigger for note in notes) if trigger is not None]
    update = RefinementUpdate(
        message=next(message for trigger, message in _MESSAGES.items() if trigger in triggers),
        action=revision.action,
        revision=1,
        refined_answer=revision.answer.text,
        additional_citations=revision.answer.citations,
        reasons=[note.text for note in notes],
        changes=revision.changes,
        triggers=triggers,
    )
    await report(update)
    return _result(update, "answered", revision.answer.sentences)


async def _retract(state: RagState, context: RagContext, notes: Sequence[Note]) -> Refined:
    triggers = [trigger for trigger in dict.fromkeys(note.trigger for note in notes) if trigger is not None]
    unsafe = any(note.trigger == "safety" for note in notes)
    nothing = "the sources support nothing of the draft"
    update = RefinementUpdate(
        message="Withdrawn: it must not be said" if unsafe else f"Withdrawn: {nothing}",
        action="retract",
        revision=1,
        refined_answer=retraction_text(nearest=shown(state, context), unsafe=unsafe),
        additional_citations=[],
        reasons=[note.text for note in notes if note.trigger == "safety"] or ["no sentence of the draft is supported"],
        changes=[Change(sentence=s.sentence, before=s.text, after="") for s in context.stream.sentences],
        triggers=triggers or ["unsupported"],
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
