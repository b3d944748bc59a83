"""Waiting for work that may be cut short: by time, or because the asker wants the report now."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from graph.branches import Research

T = TypeVar("T")


async def unless_finished(work: Coroutine[Any, Any, T], seconds: float, research: Research) -> T | None:
    """What `work` returns; None if the asker did not want to wait for it. It is over, one way or the other.

    Raises what it raises, and `TimeoutError` after `seconds`.
    """
    task = asyncio.ensure_future(work)
    finishing = asyncio.ensure_future(research.finishing.wait())
    try:
        await asyncio.wait({task, finishing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and not finishing.done():
            raise TimeoutError
    finally:
        finishing.cancel()
        if not task.done():
            research.cut_short = research.finishing.is_set()
            task.cancel()
            await asyncio.wait({task})
    return None if task.cancelled() else task.result()
