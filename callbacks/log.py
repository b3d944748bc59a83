"""The replayable log of one run: appended to by handlers, followed by any number of readers, guarded by the grammar."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from callbacks.events import Error, FinalAnswer, Payload, PipelineMetric, StreamEvent, encode, envelope, timestamp_now
from callbacks.grammar import Grammar

DEFAULT_LIMIT = 8 * 1024 * 1024
_ROOM_TO_END = 256 * 1024
"""Kept free, so that a run that said too much can still end properly."""


class LogFull(RuntimeError):
    """The run said more than its log may hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place, encoded once for all its readers."""

    event: StreamEvent
    encoded: bytes = field(repr=False)


class EventLog:
    """Events of one run, `seq` 1, 2, 3, ... without gaps, with exactly one ending.

    Belongs to the event loop its readers wait in. Appending never waits, so a slow reader cannot stall a run; memory
    is bounded by `limit` bytes of encoded events.
    """

    def __init__(self, request_id: str, *, limit: int = DEFAULT_LIMIT) -> None:
        self.request_id = request_id
        self.grammar = Grammar()
        self.closed = False
        self._entries: list[Entry] = []
        self._bytes = 0
        self._limit = limit
        self._waiting: set[asyncio.Future[bool]] = set()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> Sequence[Entry]:
        """Everything said so far."""
        return self._entries

    def append(self, payload: Payload, timestamp: str | None = None) -> StreamEvent:
        """Publish an event of now, or of a `timestamp` when it is told again.

        Raises `GrammarError` where the contract forbids it and `LogFull` beyond the limit.
        """
        event = envelope(payload, self.request_id, len(self._entries) + 1, timestamp or timestamp_now())
        encoded = encode(event)
        if self._bytes + len(encoded) > self._limit - _ROOM_TO_END and not _ending(payload):
            raise LogFull(f"more than {self._limit} bytes")
        self.grammar.admit(payload)
        self._bytes += len(encoded)
        self._entries.append(Entry(event, encoded))
        self._wake()
        return event

    def close(self) -> None:
        """Nothing more will be said."""
        self.closed = True
        self._wake()

    def after(self, seq: int) -> Sequence[Entry]:
        """What was said after `seq` (0 for everything)."""
        return self._entries[seq:]

    async def follow(self, after: int = 0, *, idle: float | None = None) -> AsyncIterator[Sequence[Entry]]:
        """Everything after `after`, then what is yet to come, until the log closes.

        Events that are waiting come in one batch, so a reader that lags catches up in one write. An empty batch
        comes after each `idle` seconds of silence.
        """
        while True:
            batch = self._entries[after:]
            if batch:
                after += len(batch)
                yield batch
            elif self.closed:
                return
            else:
                if not await self._more(idle):
                    yield ()

    async def _more(self, idle: float | None) -> bool:
        """Wait for the next event or the end; False if `idle` seconds pass first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.add(waiter)
        alarm = None if idle is None else loop.call_later(idle, _resolve, waiter, False)
        try:
            return await waiter
        finally:
            self._waiting.discard(waiter)
            if alarm is not None:
                alarm.cancel()

    def _wake(self) -> None:
        for waiter in self._waiting:
            _resolve(waiter, True)
        self._waiting.clear()


def _ending(payload: Payload) -> bool:
    return isinstance(payload, FinalAnswer | Error | PipelineMetric)


def _resolve(waiter: asyncio.Future[bool], more: bool) -> None:
    if not waiter.done():
        waiter.set_result(more)
