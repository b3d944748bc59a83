"""What a library does when nobody waits: erase what is dead, bring indexes into shape."""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

log = logging.getLogger(__name__)

GRACE_SECONDS = 5.0
"""Longer than any search takes: one under way may still read a document that was just removed."""


class Housekeeping:
    """A thread that works a moment after something changed, and sleeps otherwise."""

    def __init__(
        self, settle: Callable[[], None], purge: Callable[[Sequence[int]], None], grace: float = GRACE_SECONDS
    ) -> None:
        self._settle = settle
        self._purge = purge
        self._grace = grace
        self._dead: list[tuple[float, int]] = []
        self._changed = threading.Condition()
        self._pending = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()

    def purge_soon(self, documents: Sequence[int]) -> None:
        """Something was published; erase these documents once no search can be reading them."""
        self._add(documents, monotonic() + self._grace)

    def purge_now(self, documents: Sequence[int]) -> None:
        """Erase these documents, left over from an earlier process."""
        self._add(documents, monotonic())

    def stop(self) -> None:
        """Finish what is under way, and no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def _add(self, documents: Sequence[int], due: float) -> None:
        with self._changed:
            self._dead.extend((due, document) for document in documents)
            self._pending = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._stopped or self._pending or self._wait() == 0):
                    self._changed.wait(self._wait())
                if self._stopped:
                    return
                self._pending = False
                now = monotonic()
                due = [document for when, document in self._dead if when <= now]
                self._dead = [(when, document) for when, document in self._dead if when > now]
            self._work(due)

    def _wait(self) -> float | None:
        """Seconds until something is due; None if nothing is."""
        return max(0.0, self._dead[0][0] - monotonic()) if self._dead else None

    def _work(self, due: Sequence[int]) -> None:
        try:
            self._purge(due)
            self._settle()
        except Exception:  # the next change tries again; searches do not depend on it
            log.exception("housekeeping failed")
            with self._changed:
                self._dead.extend((monotonic() + self._grace, document) for document in due)
