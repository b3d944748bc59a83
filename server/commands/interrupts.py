"""What Ctrl-C means while a question is researched."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from server.commands.asked import Asked


@contextmanager
def finish_then_cancel(asked: Asked, say: Callable[[str], None]) -> Iterator[None]:
    """The first Ctrl-C has the report written now, the second cancels, a third ends the command at once."""
    presses = 0

    def pressed(*_: Any) -> None:
        nonlocal presses
        presses += 1
        if not asked.begun or presses > 2:
            raise KeyboardInterrupt
        finishing = presses == 1
        text = "Writing now, from what was found. Ctrl-C again cancels." if finishing else "Cancelling."
        # a handler may have interrupted a write, so it writes nothing itself
        threading.Thread(target=_do, args=(asked.finish if finishing else asked.cancel, text, say), daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _do(act: Callable[[], None], text: str, say: Callable[[str], None]) -> None:
    say(text)
    try:
        act()
    except click.ClickException as error:
        say(error.message)
