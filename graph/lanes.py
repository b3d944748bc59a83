"""Two lanes: what a reader waits for goes first, what may correct it waits for a gap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from chains.foreign import Foreign

PATIENCE_SECONDS = 0.5
"""How long the slow lane lets others pass. Where readers never stop coming, it has to go on all the same."""


class Lanes:
    """The traffic of one event loop.

    A run is in the fast lane until its first token, or until it is clear that there will be none. The slow lane takes
    few at once, and each waits until the fast lane is empty, if only for a while.
    """

    def __init__(self, slow_at_once: int = 2, patience: float = PATIENCE_SECONDS) -> None:
        self._fast = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._room = asyncio.Semaphore(slow_at_once)
        self.foreign = Foreign(slow_at_once)
        """Where the slow lane calls somebody else's code."""
        self._patience = patience

    def enter(self) -> Callable[[], None]:
        """Somebody waits for a first token; call what is returned when that is over. Calling it twice does no harm."""
        self._fast += 1
        self._empty.clear()
        waits = True

        def leave() -> None:
            nonlocal waits
            if waits:
                waits = False
                self._fast -= 1
                if not self._fast:
                    self._empty.set()

        return leave

    @asynccontextmanager
    async def slow(self) -> AsyncIterator[None]:
        """Wait for a gap, then work."""
        async with self._room:
            await self.gap()
            yield

    async def gap(self) -> None:
        """Let those pass who wait for a first token, for a while."""
        try:
            async with asyncio.timeout(self._patience):
                await self._empty.wait()
        except TimeoutError:
            pass  # traffic never ends on some days: this is how long it is let pass
