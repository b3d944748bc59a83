"""What a run may use: collaborators live as long as the application, a context as long as one run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.runnables import Runnable

from callbacks.answer import AnswerStream
from callbacks.guard import Guarding
from callbacks.metrics import Meter
from callbacks.sources import SourceBook
from callbacks.thinking import Manners, ThinkingStream
from chains.answer import AnswerInput
from chains.classify import ClassifyInput
from chains.entail import Settle
from chains.expand import Expansion
from chains.hops import FollowUpInput
from chains.prompts import SYSTEM_TEXTS
from chains.refine import RefineInput
from chains.rewrite import RewriteInput
from chains.safety import SafetyInput, SafetyVerdict
from chains.summarize import Summarize
from graph.branches import Research
from graph.domains import Descriptions
from graph.drafting import PendingDraft
from graph.lanes import Lanes
from graph.policy import BUILT_IN, Policies
from graph.rewriting import PendingRewrite
from graph.state import RagState
from retrieval.library import Library
from retrieval.retriever import HybridRetriever


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Time-outs in seconds, and how much a run may use."""

    rewrite_seconds: float = 0.4
    """How long thin evidence waits for the rewrite; after that it feeds the slow path."""
    classify_seconds: float = 2.0
    """How long a question waits for the model to name its domain."""
    slow_path_seconds: float = 8.0
    expand_seconds: float = 2.0
    """How long the wider search waits for the model's wordings."""
    sufficiency_seconds: float = 0.4
    """How long the gate waits for the model to say whether the passages suffice."""
    verify_seconds: float = 5.0
    """How long doubtful sentences wait for the slower judge."""
    refine_seconds: float = 10.0
    safety_seconds: float = 3.0
    """How long a text waits for the model that checks whether it may be shown."""
    first_token_seconds: float = 30.0
    stall_seconds: float = 20.0
    """The longest silence between two tokens."""
    thinking_seconds: float = 120.0
    """How much longer each of these may be while the model's thoughts arrive."""
    attempts: int = 3
    """Calls to a failing model, the first included, and only before the first token."""
    judged_passages: int = 10
    """How many passages the gate looks at, however few are asked for."""
    context_tokens: int = 6000
    """How much evidence a prompt may hold."""
    section_seconds: float = 30.0
    """How long the model may take for a section of a summary."""
    sections_at_once: int = 4
    """Sections of one summary under way at once."""
    plan_seconds: float = 15.0
    branch_seconds: float = 45.0
    """How long one branch of deep research may take."""
    follow_up_seconds: float = 15.0
    """How long a branch waits for the model to say what is missing."""
    deep_k: int = 15
    """How many the slow path looks at."""


async def nothing_to_close() -> None:
    """For collaborators that keep nothing open."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Collaborators:
    """What every run uses. Tests hand in their own with `dataclasses.replace`."""

    library: Library
    answer: Runnable[AnswerInput, str]
    rewrite: Runnable[RewriteInput, str]
    refine: Runnable[RefineInput, str] | None
    """None where doubtful sentences are left out rather than rewritten."""
    expand: Runnable[str, Expansion] | None = None
    """Other wordings for the wider search; None where only the corpus widens it."""
    sufficient: Runnable[AnswerInput, bool | None] | None = None
    """Whether the passages answer the question, in a word of the model; None where only their scores are asked."""
    settle: Settle | None = None
    """Settles doubtful sentences when the draft is complete; None where only tier 1 judges."""
    reranker: BaseCrossEncoder | None = None
    """Orders what the slow path found; None where the score of the search does."""
    planner: Runnable[dict[str, str], list[str]] | None = None
    """Divides a question for deep research; None where rules do."""
    follow_up: Runnable[FollowUpInput, list[str]] | None = None
    """What a branch of deep research should search for next, nothing if it has its answer; None where rules say."""
    writer: Runnable[AnswerInput, str] | None = None
    """Writes reports; None where `answer` does."""
    extract: Runnable[AnswerInput, str] | None = None
    """Writes a report by extraction, where the writer fails before it has said anything."""
    chat_model: str
    """Its name, for `/health`."""
    close: Callable[[], Awaitable[None]] = nothing_to_close
    """Lets go of what must be closed in the event loop that used it."""
    descriptions: Descriptions
    """Of the domains, for questions whose domain is classified."""
    classify: Runnable[ClassifyInput, list[str]] | None = None
    """Classifies by the model; None where only the descriptions do."""
    classify_always: bool = False
    """Whether every question is classified, rather than those of domains with that precheck."""
    policies: Policies = field(default_factory=lambda: BUILT_IN)
    safety: Runnable[SafetyInput, SafetyVerdict | None] | None = None
    """Whether passages or an answer are fit to be shown, by a model; None where none is asked."""
    summarize: Summarize | None = None
    """Writes the sections and the abstract of a summary; None where they are extracted."""
    guarding: Guarding = field(default_factory=lambda: Guarding(prompts=SYSTEM_TEXTS))
    """What must not leave in a model's words."""
    manners: Manners = field(default_factory=Manners)
    """What was learnt of models whose prompt begins their thoughts."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class RagContext:
    """What one run uses."""

    collaborators: Collaborators
    stream: AnswerStream
    """Where revision 0 of the answer comes from."""
    book: SourceBook
    rewriting: PendingRewrite
    draft: PendingDraft
    opened: asyncio.Event
    """Set when the gate opens."""
    lanes: Lanes
    meter: Meter
    request_id: str
    thinking: ThinkingStream | None = None
    """Where thoughts of models go; None where nobody hears them."""
    include_sources: bool = True
    """Whether the asker wants them."""
    research: Research | None = None
    """What deep research shares; None where a question is answered at once."""
    thread_id: str | None = None
    """The conversation that the question is a turn of."""

    @property
    def researching(self) -> Research:
        """What deep research shares, in its own nodes."""
        assert self.research is not None
        return self.research

    def within(self, seconds: float) -> float:
        """So many seconds, or what the budget of deep research has left of them."""
        return seconds if self.research is None else min(seconds, self.research.spending.seconds_left)

    def judged(self, state: RagState) -> int:
        """How many passages the gate wants to see: more than are shown, if few are asked for."""
        return max(state["top_k"], state["policy"].min_chunks, self.collaborators.limits.judged_passages)

    def retriever(
        self,
        state: RagState,
        k: int,
        collection: str | None = None,
        *,
        wide: bool = False,
        also: tuple[str, ...] = (),
    ) -> HybridRetriever:
        """Search of the run's collection, or of another one, within the run's filters.

        What is shown of it, its first `top_k`, is shared between documents.
        """
        return HybridRetriever(
            library=self.collaborators.library,
            collection=collection or state["collection"],
            k=k,
            filters=state["filters"],
            wide=wide,
            also=also,
            places=state["top_k"] if k >= state["top_k"] else 0,
            floor=state["policy"].floor,
        )
