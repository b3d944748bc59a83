"""The thoughts of a run's models as `thinking` events: guarded, in sensible pieces, and only once the gate is open."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callbacks.events import Payload, Thinking
from callbacks.guard import Guard, Guarding
from language.thoughts import Kind

Publish = Callable[[Payload], None]

HELD_BYTES = 64 * 1024
"""How much waits for the gate."""
MOST_BYTES = 256 * 1024
"""How much of its models' thoughts a run tells."""
_LEAST, _MOST = 40, 80
"""Characters of an event: from the first on it ends with a word, beyond the second wherever a piece does."""
_PROVIDERLESS = re.compile(r"None:|.*:embedded-extractive\Z")
"""Models that no provider serves: the embedded one quotes and never thinks."""
_REST_LEFT_OUT = "The rest of the reasoning is left out: it is longer than a run tells."
_EARLY_LEFT_OUT = "A part of the reasoning is left out: too much of it came before the gate was open."
_LAST_SPACE = re.compile(r"\s(?=\S*\Z)")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Manners:
    """Which models begin a message inside a block of thoughts, because their prompt template has opened it."""

    def __init__(self) -> None:
        self._inside: dict[str, bool] = {}

    def begins_inside(self, model: str) -> bool | None:
        """Whether the last message that told has begun so; None where none has told yet."""
        return self._inside.get(model, False if _PROVIDERLESS.match(model) else None)

    def learn(self, model: str, inside: bool) -> None:
        """A message of the model is complete, and shows how it began."""
        self._inside[model] = inside


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """What a call is made for, as its events say."""

    step: int | None = None
    branch: str | None = None


class ThinkingStream:
    """What a run tells of thoughts. A model writes them, so they wait for the gate as its answer does.

    The oldest are kept where they are too many. What is not `wanted` is counted as a sign of life, and no more.
    """

    def __init__(
        self,
        publish: Publish,
        opened: asyncio.Event,
        guarding: Guarding | None = None,
        *,
        manners: Manners | None = None,
        wanted: bool = True,
    ) -> None:
        self.heard = 0
        """Pieces of thoughts so far."""
        self.wanted = wanted
        self.manners = manners or Manners()
        self._publish = publish
        self._opened = opened
        self._guarding = guarding or Guarding()
        self._waiting: deque[tuple[Thoughts, Thinking]] = deque()
        self._held = 0
        self._told = 0
        self._full = False

    def begin(
        self,
        occasion: Occasion | None = None,
        *,
        passages: Callable[[], Sequence[str]] = tuple,
        key: str | None = None,
    ) -> "Thoughts":
        """A call begins that may think; for `passages` and `key` see the guard."""
        return Thoughts(self, occasion or Occasion(), lambda: self._guarding.guard(passages(), key))

    def release(self) -> None:
        """The gate is open: say what waited for it."""
        while self._waiting:
            _, event = self._waiting.popleft()
            self._say(event)

    def tell(self, call: "Thoughts", event: Thinking) -> None:
        """Publish an event of a call, now or when the gate is open."""
        if self._opened.is_set():
            self.release()
            self._say(event)
        elif self._held < HELD_BYTES:
            self._held += len(event.text.encode())
            self._waiting.append((call, event))
            if self._held >= HELD_BYTES:
                self._waiting.append((call, _left_out(event, _EARLY_LEFT_OUT)))

    def forget(self, call: "Thoughts") -> None:
        """What a call has left waiting is not said."""
        kept = [(owner, event) for owner, event in self._waiting if owner is not call]
        self._waiting = deque(kept)
        self._held = sum(len(event.text.encode()) for _, event in kept)

    def _say(self, event: Thinking) -> None:
        if self._full:
            return
        self._told += len(event.text.encode())
        self._full = self._told > MOST_BYTES
        self._publish(_left_out(event, _REST_LEFT_OUT) if self._full else event)


@dataclass(eq=False)
class Thoughts:
    """The thoughts of one call, fed piece by piece."""

    _stream: ThinkingStream
    _occasion: Occasion
    _make_guard: Callable[[], Guard]
    _guard: Guard | None = None
    _kind: Kind = "raw"
    _unsaid: str = ""
    _gap: str = ""
    """White space that is said only if more follows."""
    _begun: bool = False
    going: bool = False
    """Whether anything came since the last pause."""

    def feed(self, text: str, kind: Kind) -> None:
        """A further piece."""
        self._stream.heard += 1
        if not self._stream.wanted:
            return
        if self._guard is None:
            self._guard = self._make_guard()
        self._kind, self.going = kind, True
        self._take(self._guard.feed(text))
        if len(self._unsaid) >= _LEAST:
            self._say_some()

    def pause(self) -> None:
        """The call goes on with something else: nothing of what was thought so far may come after it."""
        if self.going and self._guard is not None:
            self.going = False
            self._take(self._guard.feed("\n\n"))  # what waits for the end of a word waits no longer
            self._say(self._unsaid)

    def end(self) -> None:
        """Nothing follows."""
        if self._guard is not None:
            self._take(self._guard.flush())
            self._say(self._unsaid)

    def drop(self) -> None:
        """The call is given up: what was not said yet is not said."""
        self._unsaid = ""
        self._stream.forget(self)

    def _take(self, text: str) -> None:
        text = self._gap + text
        bare = text.rstrip()
        self._gap = text[len(bare) :]
        if bare:
            self._unsaid += bare if self._begun else bare.lstrip()
            self._begun = True

    def _say_some(self) -> None:
        if self._gap or len(self._unsaid) >= _MOST:
            self._say(self._unsaid)
            return
        space = _LAST_SPACE.search(self._unsaid)
        if space is not None and space.start() >= _LEAST:
            self._say(self._unsaid[: space.start()])

    def _say(self, text: str) -> None:
        if not text:
            return
        self._unsaid = self._unsaid[len(text) :]
        if _SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        event = Thinking(text=text, kind=self._kind, step=self._occasion.step, branch=self._occasion.branch)
        self._stream.tell(self, event)


def _left_out(event: Thinking, text: str) -> Thinking:
    return Thinking(text=text, kind="derived", step=event.step, branch=event.branch)
