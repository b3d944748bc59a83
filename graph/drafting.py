"""A draft under way: begun when the evidence looks good, heard when the gate opens, dropped if it stays closed."""

import asyncio
from collections.abc import Callable, Coroutine

Spawn = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]
"""Starts a task that ends with the run."""


class PendingDraft:
    """The one call that writes the answer of a run.

    The model thinks while its evidence is still being weighed. What it writes waits in the callback handler until
    the gate is open, and the log refuses it before, whoever calls.
    """

    def __init__(self, spawn: Spawn) -> None:
        self._spawn = spawn
        self._task: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether there is one."""
        return self._task is not None

    def begin(self, drafting: Coroutine[None, None, None]) -> None:
        """Start to write."""
        self._task = self._spawn(drafting)

    async def finish(self) -> None:
        """Wait for its end. Raises what drafting raises."""
        assert self._task is not None
        await self._task

    async def finish_within(self, seconds: float, unless: asyncio.Event) -> bool:
        """Whether it came to its end before that time was over or something happened; else it is dropped.

        Raises what drafting raises.
        """
        assert self._task is not None
        happening = asyncio.ensure_future(unless.wait())
        try:
            await asyncio.wait({self._task, happening}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.drop()
            raise
        finally:
            happening.cancel()
        if self._task.done():
            self._task.result()
            return True
        await self.drop()
        return False

    async def ended(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        assert self._task is not None
        done, _ = await asyncio.wait({self._task}, timeout=within)
        return bool(done)

    async def drop(self) -> None:
        """Write no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
