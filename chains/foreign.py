"""Calls of somebody else's blocking code, which may hang: few at once, in threads that nothing waits for."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_AT_ONCE = 2


class Busy(RuntimeError):
    """All the calls that may be under way are; as a rule they hang."""


class Foreign:
    """A bounded number of calls under way. One that hangs keeps its place, and no thread that others need."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """What the function returns or raises. Raises `Busy` if too many calls have not come back yet."""
        if not self._places.acquire(blocking=False):
            raise Busy
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                told = _Told(outcome, result=function(*args))
            except BaseException as error:  # whatever it raises is for whoever waits
                told = _Told(outcome, error=error)
            finally:
                self._places.release()
            if not loop.is_closed():
                loop.call_soon_threadsafe(told)

        threading.Thread(target=work, name="foreign", daemon=True).start()
        return await outcome


class _Told:
    """Tells an outcome to whoever still waits for it."""

    def __init__(self, outcome: "asyncio.Future[Any]", result: Any = None, error: BaseException | None = None) -> None:
        self._outcome, self._result, self._error = outcome, result, error

    def __call__(self) -> None:
        if self._outcome.done():
            return
        if self._error is not None:
            self._outcome.set_exception(self._error)
        else:
            self._outcome.set_result(self._result)
