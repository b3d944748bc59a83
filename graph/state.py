"""What a run knows: plain data, each key written by the node named beside it."""

from collections.abc import Sequence
from operator import add
from typing import Annotated, Any, NotRequired, TypedDict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage

from callbacks.events import Action, Change, CitationAttached, GateDecision, Outcome, PartialAnswer, Verdict
from chains.followup import Exchange
from graph.branches import Branch, Finding
from graph.evidence import Opposition
from graph.gate import Searched
from graph.policy import Policy, Rule


def join_passages(old: Sequence[Document], new: Sequence[Document]) -> list[Document]:
    """Passages of a later wave come after those of an earlier one, each once, with the better of its scores."""
    joined = {document.metadata["source_id"]: document for document in old}
    for document in new:
        known = joined.get(document.metadata["source_id"])
        if known is None or document.metadata["score"] > known.metadata["score"]:
            joined[document.metadata["source_id"]] = document
    return list(joined.values())


class RagInput(TypedDict):
    """What a run starts with."""

    question: str  # what is answered; in a conversation it stands alone, and retrieve may go back to the wording
    collection: str
    named_domain: str | None  # by the caller
    top_k: int
    filters: dict[str, Any] | None
    wording: NotRequired[str]  # in a conversation: what the user wrote
    unsure: NotRequired[bool]  # in a conversation: whether the wording may stand alone; what retrieve finds tells
    history: NotRequired[list[Exchange]]  # in a conversation: its last turns


class RagState(RagInput, total=False):
    """Everything a run knows."""

    plan: list[str]  # plan
    planned_by_model: bool  # plan
    branches: list[Branch]  # divide
    findings: Annotated[list[Finding], add]  # investigate: one of each branch
    ledger: list[Document]  # weigh: what a report may be written from, in the order of its sources
    answered: list[Finding]  # decide: those with evidence
    domain: str  # admit
    policy: Policy  # admit
    rule: Rule | None  # admit: the one that applies
    rewritten: list[Document]  # rewrite: what the reformulation found, if it came in time
    candidates: Annotated[list[Document], join_passages]  # retrieve, gate, expand, verify_first: what is judged
    passages: Annotated[list[Document], join_passages]  # retrieve, gate, expand: what the answer is written from
    searched: Searched  # retrieve, expand, verify_first
    verdict: Verdict  # gate, review, block
    decision: GateDecision  # gate: the last one
    evidence: list[Document]  # slow_path, verify: everything found, best first
    supporting: dict[int, tuple[str, int]]  # verify: source and sentence for sentences of the draft that cite nothing
    oppositions: list[Opposition]  # slow_path, verify_first: what other documents say against what is written from
    concerns: list[str]  # slow_path, verify_first, verify: what the safety checks found or could not check, by kind
    slow_path_failed: bool  # slow_path, verify_first
    written_from: list[Document]  # gate: the passages in the prompt
    prompt: list[BaseMessage]  # gate
    insufficient: list[str]  # gate: the source ids of passages that a model found no answer in
    answer: str  # refine, fallback, review
    revision: int  # refine
    action: Action  # refine
    changes: list[Change]  # refine
    citations: list[CitationAttached]  # refine
    sentences: list[PartialAnswer]  # refine: those that stand, with what the sources say of each
    outcome: Outcome  # refine, fallback, review
