"""Whether whoever asked was still there for the answer: told once for each run, and never too soon."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from callbacks.events import FinalAnswer, Token
from callbacks.log import Entry
from graph.run import Run

LEFT = "the client left"
"""The reason of a cancellation that nobody asked for."""
Reading = Literal["whole", "left_before_first_token", "left_before_final_answer", "cancelled", "continued"]
"""`cancelled`: somebody asked for it. `continued`: the run was to go on unread, so nobody was expected to stay."""
Told = Callable[[Run, Reading], None]


class Readership:
    """Follows how far each run was handed out; who leaves has the grace to come back, also when the run is over."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._told: list[Told] = []
        self._handed: dict[str, int] = {}
        self._late: dict[str, asyncio.TimerHandle] = {}

    def watch(self, told: Told) -> None:
        """Have the reading of every run told that is decided."""
        self._told.append(told)

    def began(self, run: Run) -> None:
        """A run has started, and nobody has read anything of it."""
        self._handed[run.request_id] = 0

    def handed(self, run: Run, entries: Sequence[Entry]) -> None:
        """A reader got these."""
        if entries and run.request_id in self._handed:
            self._handed[run.request_id] = max(self._handed[run.request_id], entries[-1].event.seq)

    def handed_whole(self, run: Run) -> None:
        """A reader got the ending without the events before it."""
        self.handed(run, run.log.entries)

    def changed(self, run: Run) -> None:
        """The run has ended, or somebody came or went: decide if it can be decided by now."""
        late = self._late.pop(run.request_id, None)
        if late is not None:
            late.cancel()
        if run.state == "running" or run.request_id not in self._handed:
            return
        if run.cancel_code != "cancelled":  # the server stopped: nobody left
            del self._handed[run.request_id]
        elif run.cancel_reason not in (None, LEFT):
            self._decide(run, "cancelled")
        elif self._has_ending(run):
            self._decide(run, "whole")
        elif run.query.on_disconnect == "continue":
            self._decide(run, "continued")
        elif run.cancel_reason == LEFT:
            self._decide(run, self._left(run))
        elif not run.readers:
            loop = asyncio.get_running_loop()
            self._late[run.request_id] = loop.call_later(self._grace, lambda: self._decide(run, self._left(run)))

    def close(self) -> None:
        """Decide nothing any more."""
        for late in self._late.values():
            late.cancel()
        self._late.clear()
        self._handed.clear()

    def _decide(self, run: Run, reading: Reading) -> None:
        self._late.pop(run.request_id, None)
        self._handed.pop(run.request_id, None)
        for told in self._told:
            told(run, reading)

    def _has_ending(self, run: Run) -> bool:
        got = self._handed[run.request_id]
        endings = (e.event.seq for e in reversed(run.log.entries) if _ends(e))
        return run.cancel_reason is None and got >= next(endings, got + 1)

    def _left(self, run: Run) -> Reading:
        got = self._handed.get(run.request_id, 0)
        first = next((e.event.seq for e in run.log.entries if isinstance(e.event.payload, Token)), None)
        return "left_before_first_token" if first is None or got < first else "left_before_final_answer"


def _ends(entry: Entry) -> bool:
    payload = entry.event.payload
    return isinstance(payload, FinalAnswer) or getattr(payload, "fatal", False) is True
