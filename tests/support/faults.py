"""Collaborators that wait, fail or talk nonsense, so that one step of a run can be held or broken on its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import Any

from langchain_core.cross_encoders import BaseCrossEncoder

from retrieval.library import Library
from tests.support.live import Lent

Work = Callable[[], Any]
"""What is done in place of the real thing: its value is what is given, its exception what is raised."""


class Hold:
    """A place where work waits until it is let go, in a coroutine or in a thread."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._let = asyncio.Event()
        self._go = threading.Event()

    async def wait(self) -> None:
        """For a coroutine."""
        self.reached.set()
        await self._let.wait()

    def block(self) -> Any:
        """For a thread; not for ever, so that a broken test ends."""
        self._loop.call_soon_threadsafe(self.reached.set)
        self._go.wait(60)

    def release(self) -> None:
        """Let whoever waits go on."""
        self._let.set()
        self._go.set()


def fails() -> Any:
    """Raise what no reader may see."""
    raise OSError("the disk is at /dev/secret")


def says(value: Any) -> Work:
    """Give a value."""
    return lambda: value


class Asked:
    """A chain of any kind: its first answer is what the first of `works` makes, and so on; the last one stays."""

    def __init__(self, *works: Work) -> None:
        self._works = list(works)

    async def ainvoke(self, given: Any, config: Any = None) -> Any:
        work = self._works.pop(0) if len(self._works) > 1 else self._works[0]
        made = work()
        return await made if isawaitable(made) else made


class Searching(Lent):
    """A library whose searches are done by `work` where `applies` says so of the text and of how wide it is."""

    def __init__(self, library: Library, work: Work, applies: Callable[[str, bool], bool] = lambda _, wide: wide):
        self.__dict__ = {**library.__dict__, "found_by": work, "applies": applies}

    async def search(self, collection: str, text: str, k: int, filters: Any = None, reach: Any = None) -> Any:
        if self.__dict__["applies"](text, reach is not None and reach.wide):
            made = self.__dict__["found_by"]()
            return await made if isinstance(made, Awaitable) else made
        return await super().search(collection, text, k, filters, reach)


class Weighing(Searching):
    """A library whose words are weighed by `work` when the sources are compared: the second time anybody asks."""

    def __init__(self, library: Library, work: Work, deeper: Work | None = None) -> None:
        super().__init__(library, deeper or fails, lambda _, wide: wide and deeper is not None)
        self.__dict__ |= {"weighed_by": work, "asked": 0}

    def idf(self, collection: str) -> Any:
        self.__dict__["asked"] += 1
        weigh = super().idf(collection)
        if self.__dict__["asked"] != 2:
            return weigh

        def instead(wanted: set[str]) -> Any:
            return self.__dict__["weighed_by"]() or weigh(wanted)

        return instead


class Scoring(BaseCrossEncoder):
    """A cross-encoder whose scores `score_of` makes of the number of pairs."""

    def __init__(self, score_of: Callable[[int], Any]) -> None:
        self._score_of = score_of

    def score(self, text_pairs: list[tuple[str, str]]) -> Any:
        return self._score_of(len(text_pairs))


class Pausing:
    """An answer chain that waits at one of the pieces of another one."""

    def __init__(self, real: Any, at: int, hold: Hold) -> None:
        self._real, self._at, self._hold = real, at, hold

    async def astream(self, given: Any, config: Any = None) -> AsyncIterator[str]:
        number = 0
        if not self._at:
            await self._hold.wait()
        async for piece in self._real.astream(given, config):
            yield piece
            number += 1
            if number == self._at:
                await self._hold.wait()
