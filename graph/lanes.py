"""Two lanes: what a reader waits for goes first, what may correct it waits for a gap."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import ParamSpec, TypeVar

from chains.foreign import Foreign

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_SECONDS = 0.5
"""How long the slow lane lets others pass. Where readers never stop coming, it has to go on all the same."""


class Lanes:
    """The traffic of one event loop.

    A run is in the fast lane until its first token, or until it is clear that there will be none. The slow lane takes
    few at once, and each waits until the fast lane is empty, if only for a while.
    """

    def __init__(self, slow_at_once: int = 2, patience: float = PATIENCE_SECONDS, bulky_at_once: int = 2) -> None:
        self._fast = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self._room = asyncio.Semaphore(slow_at_once)
        self._bulk = asyncio.Semaphore(bulky_at_once)
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

    async def gap(self, patience: float | None = None) -> None:
        """Let those pass who wait for a first token, for a while."""
        if self._empty.is_set():
            return
        try:
            async with asyncio.timeout(self._patience if patience is None else patience):
                await self._empty.wait()
        except TimeoutError:
            pass  # traffic never ends on some days: this is how long it is let pass

    @asynccontextmanager
    async def bulky(self) -> AsyncIterator["Bulk"]:
        """Do work that keeps a processor busy in slices, when it is this work's turn among all runs."""
        async with self._bulk:
            yield Bulk(self, self._patience)


def sliced(items: Sequence[T], size: int = 8) -> Iterator[Sequence[T]]:
    """Some of them at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


class Bulk:
    """The turn of work that is cut into slices: before each it lets others pass, for no longer than once in all."""

    def __init__(self, lanes: Lanes, patience: float) -> None:
        self._lanes = lanes
        self._left = patience

    async def slice(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function returns that takes a few milliseconds, in a thread."""
        waits = monotonic()
        await self._lanes.gap(max(0.0, self._left))
        self._left -= monotonic() - waits
        return await asyncio.to_thread(function, *args, **kwargs)
