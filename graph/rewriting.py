"""A rewrite under way: asked for at t=0, used by whoever needs it when it is there."""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from chains.rewrite import faithful, faithful_in_conversation
from graph.state import RagState
from language.words import content_terms

log = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[None, None, str | None]], "asyncio.Task[str | None]"]
"""Starts a task that ends with the run."""


class PendingRewrite:
    """The reformulation of one question.

    Good evidence for the raw question makes the fast path go on at once; thin evidence waits for the rewrite until
    its deadline; a later one feeds the slow path. The model is asked only once.
    """

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._task: asyncio.Task[str | None] | None = None
        self._enough = asyncio.Event()

    def start(self, rewriting: Coroutine[None, None, str | None]) -> None:
        """Begin, beside everything else. A failing rewrite is none: the raw question still stands."""
        self._task = self._spawn(_or_none(rewriting))

    def not_needed(self) -> None:
        """The raw question found enough: nobody has to wait."""
        self._enough.set()

    async def unless_enough(self, seconds: float) -> str | None:
        """The rewrite, if it comes within `seconds` and before somebody says that it is not needed."""
        if self._task is None:
            return None
        enough = asyncio.ensure_future(self._enough.wait())
        try:
            await asyncio.wait({self._task, enough}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            enough.cancel()
        return self._task.result() if self._task.done() else None

    async def within(self, seconds: float) -> str | None:
        """The rewrite, if it comes within `seconds`."""
        if self._task is None:
            return None
        await asyncio.wait({self._task}, timeout=seconds)
        return self._task.result() if self._task.done() else None

    def stop(self) -> None:
        """Nobody will ask any more."""
        if self._task is not None:
            self._task.cancel()


async def _or_none(rewriting: Coroutine[None, None, str | None]) -> str | None:
    try:
        return await rewriting
    except Exception as error:  # whatever a provider raises: a rewrite is never worth failing a question for
        log.warning("the rewrite failed: %r", error)
        return None


def worth_searching(state: RagState, reformulated: str) -> bool:
    """Whether a reformulation can find anything else, and has lost nothing of what the user wrote."""
    question, history = state["question"], state.get("history")
    wording, words = state.get("wording", question), set(content_terms(reformulated))
    if words == set(content_terms(question)) or (wording != question and words <= set(content_terms(wording))):
        return False
    return faithful_in_conversation(wording, reformulated, history) if history else faithful(question, reformulated)
