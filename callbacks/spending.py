"""What a deep run may spend and has spent, and the handler that keeps the books and refuses what it cannot afford."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal
from uuid import UUID

from langchain_core.messages import BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk, LLMResult

from callbacks.handlers import THINKING_TAG, InlineHandler
from language.shapes import pieces_of

BudgetName = Literal["seconds", "model_calls", "tokens", "sources"]
EXEMPT_TAG = "safety"
"""Calls that are made whatever the budget, and cost none of it: checks that may not be left out, and extraction."""
_CHARACTERS_A_TOKEN = 4
_SEARCH_SHARE = 0.6
"""Of the seconds and the tokens, for the search for evidence: the rest is there to write with."""
_KEPT_CALLS = 1
"""Of a model, to write with."""
_SHORTEST_ANSWER = 100
"""In tokens."""
_ANSWER = (30.0, 10, 30_000, 25)
"""What an answer without research may take, as a rule: seconds, calls, tokens, sources."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What a run may spend."""

    seconds: float = 120.0
    model_calls: int = 30
    tokens: int = 100_000
    """Of prompts and replies together."""
    sources: int = 60
    """Passages shown."""


class BudgetSpent(RuntimeError):
    """A model is not called, because a budget is spent."""

    def __init__(self, name: BudgetName) -> None:
        super().__init__(f"the budget of {name} is spent")
        self.name = name


class Spending:
    """The books of one run. Tokens are counted as providers report them, until then approximately."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float] = monotonic) -> None:
        self.allowance = allowance
        self.model_calls = 0
        self.tokens = 0
        self.sources = 0
        self.stopped_by: list[BudgetName] = []
        """What ran out while there was work left, in that order."""
        self.prepaid: list[int] = []
        """Tokens that are counted already of calls that have not begun."""
        self.out_of_tokens = asyncio.Event()
        self._clock = clock
        self._began = clock()

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float:
        """Until the run has to end."""
        return max(0.0, self.allowance.seconds - self.seconds)

    @property
    def search_seconds_left(self) -> float:
        """Until the search for evidence has to end."""
        return max(0.0, _SEARCH_SHARE * self.allowance.seconds - self.seconds)

    def may_search(self) -> bool:
        """Whether there may be another search. Takes a note of what has run out."""
        if not self.search_seconds_left:
            return self._stop("seconds")
        return self._stop("sources") if self.sources >= self.allowance.sources else True

    def may_ask(self, tokens: int = 0) -> bool:
        """Whether a model may be asked before the answer is written. Takes a note of what has run out.

        The call is counted here, and about so many `tokens` of its prompt, since branches run side by side; it carries
        the tag `thinking`.
        """
        if self.model_calls >= self.allowance.model_calls - _KEPT_CALLS:
            return self._stop("model_calls")
        if self.tokens + tokens > _SEARCH_SHARE * self.allowance.tokens:
            return self._stop("tokens")
        self.model_calls += 1
        self.tokens += tokens
        self.prepaid.append(tokens)
        return True

    def may_show(self, wanted: int) -> int:
        """How many of so many further passages may be shown. Takes a note if they are fewer."""
        room = self.allowance.sources - self.sources
        if wanted > room:
            self._stop("sources")
        return min(wanted, room)

    def may_show_first(self, wanted: int) -> int:
        """The same for the first search, where nothing else was shown. Takes no note: others do if there is more."""
        return min(wanted, self.allowance.sources)

    def may_write(self, tokens: int) -> bool:
        """Whether a model may be asked for the answer, with a prompt of so many tokens. Takes a note if not."""
        if self.tokens + tokens + _SHORTEST_ANSWER > self.allowance.tokens:
            return self._stop("tokens")
        lacking = self.lacks()
        return True if lacking is None else self._stop(lacking)

    @property
    def roomy(self) -> bool:
        """Whether there is enough of everything for an answer that keeps no books."""
        calls, tokens = self.allowance.model_calls - self.model_calls, self.allowance.tokens - self.tokens
        room = (self.seconds_left, calls, tokens, self.allowance.sources - self.sources)
        return all(left >= needed for left, needed in zip(room, _ANSWER, strict=True))

    def lacks(self) -> BudgetName | None:
        """What is missing for another call of a model."""
        if not self.seconds_left:
            return "seconds"
        if self.model_calls >= self.allowance.model_calls:
            return "model_calls"
        return "tokens" if self.tokens >= self.allowance.tokens else None

    def told(self) -> dict[str, dict[str, float]]:
        """What was spent of what, as it is shown."""
        spent = {
            "seconds": round(self.seconds, 1),
            "model_calls": self.model_calls,
            "tokens": self.tokens,
            "sources": self.sources,
        }
        return {name: {"spent": value, "limit": getattr(self.allowance, name)} for name, value in spent.items()}

    def stop(self, name: BudgetName) -> None:
        """Take a note that work was left undone for want of it."""
        if name not in self.stopped_by:
            self.stopped_by.append(name)

    def _stop(self, name: BudgetName) -> bool:
        self.stop(name)
        return False


class SpendingHandler(InlineHandler):
    """Counts the calls of models and their tokens, and refuses a call that cannot be paid for.

    `BudgetSpent` ends that call before it has begun; whoever made it goes on without.
    """

    def __init__(self, spending: Spending) -> None:
        self._spending = spending
        self._counted: dict[UUID, int] = {}

    async def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        spending = self._spending
        known = frozenset(tags or ())
        if EXEMPT_TAG in known:
            return
        if THINKING_TAG in known:
            spending.tokens -= spending.prepaid.pop(0) if spending.prepaid else 0
        else:
            lacking = spending.lacks()
            if lacking is not None:
                spending.stop(lacking)
                raise BudgetSpent(lacking)
            spending.model_calls += 1
        self._counted[run_id] = 0
        self._count(run_id, sum(count_tokens_approximately(batch) for batch in messages))

    async def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        if run_id in self._counted:
            extra = chunk.message.additional_kwargs if isinstance(chunk, ChatGenerationChunk) else None
            if written := sum(len(piece.text) for piece in pieces_of(token, extra)):
                self._count(run_id, max(1, written // _CHARACTERS_A_TOKEN))

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        counted = self._counted.pop(run_id, None)
        message = getattr(response.generations[0][0], "message", None) if response.generations else None
        usage = getattr(message, "usage_metadata", None)
        if counted is not None and usage and usage.get("total_tokens"):
            self._spending.tokens += usage["total_tokens"] - counted
            if self._counted:  # what is complete stays; other calls are stopped
                self._look()

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._counted.pop(run_id, None)

    def _count(self, run_id: UUID, tokens: int) -> None:
        self._counted[run_id] += tokens
        self._spending.tokens += tokens
        self._look()

    def _look(self) -> None:
        if self._spending.tokens >= self._spending.allowance.tokens:
            self._spending.out_of_tokens.set()
