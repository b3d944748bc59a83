"""What may leave in a model's words: a filter between model and answer that holds back as little as it needs."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from callbacks.links import Links
from callbacks.personal import Mask, Personal, PersonalFilter, mask
from callbacks.placeholders import WITHHELD
from callbacks.recital import Recital, grams_of
from callbacks.scanner import Scanner
from callbacks.triggers import HELD_WORDS
from callbacks.unseen import Unseen

_SHORTEST_SECRET = 12
"""Shorter values are no secrets but words like `none`, which people write where a key is asked for."""
_PLAIN = re.compile(r" ([A-Za-z][a-z]{1,11})[.,;]?|([a-z]{2,12})[.,;]?").fullmatch
"""A word, or the rest of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guarding:
    """What must not leave, on any run."""

    prompts: tuple[str, ...] = ()
    """The texts of the prompts, without what is filled in."""
    secrets: Sequence[str] = field(default=(), repr=False)
    """The server's own keys, by value."""
    personal: Personal | None = None
    """Finds personal data that must not be shown; None where it may be."""

    @property
    def mask(self) -> Mask | None:
        """Blacks out what of a document must not be shown; None where all of it may be."""
        return None if self.personal is None else mask(self.personal)

    def guard(self, passages: Sequence[str] = (), key: str | None = None) -> "Guard":
        """A guard for one text, written from some passages; `key` is that of the marks in its prompt."""
        return Guard(self, passages, key)


class Guard:
    """Feed it a text, split anywhere: the same is let through, and the same counted, as if it came in one piece."""

    def __init__(self, guarding: Guarding, passages: Sequence[str] = (), key: str | None = None) -> None:
        self._guarding = guarding
        self._passages = passages
        self._key = key
        self.reset()

    def reset(self) -> None:
        """Begin again: another attempt at the text."""
        self.removed: Counter[str] = Counter()
        """How often something was taken out, by kind."""
        secrets = [value for value in self._guarding.secrets if len(value) >= _SHORTEST_SECRET]
        self._unseen = Unseen(self.removed)
        self._recital = Recital(grams_of(self._guarding.prompts), self._passages, self.removed)
        personal = self._guarding.personal
        self._personal = None if personal is None else PersonalFilter(personal, self.removed)

        self._scanner = Scanner(self.removed, self._passages, secrets=secrets, key=self._key)
        self._calm = personal is None
        """Whether nothing is held back."""

    def feed(self, text: str) -> str:
        """What may be said by now."""
        if self._calm:
            word = _PLAIN(text)
            if word is not None and self._harmless(text, word[1], word[2]):
                return self._scanner.passes(text)
        said = self._scanner.feed(self._upstream(text, final=False))
        self._calm = self._personal is None and self._scanner.idle and not self._unseen.held
        return said

    def flush(self) -> str:
        """What was held back, when nothing follows."""
        return self._scanner.feed(self._upstream("", final=True), final=True)

    def _harmless(self, text: str, word: str | None, rest: str | None) -> bool:
        """Whether a word, or the rest of one, goes through as it is, with nothing held back before it or of it."""
        if word is not None:
            letters = word.lower()
            if letters in HELD_WORDS:
                return False
        else:
            assert rest is not None
            letters = rest
            if not self._scanner.in_word:
                return False
        if not self._recital.unrelated(letters, text[-1]):
            return False
        self._unseen.before = ""
        return True

    def _upstream(self, text: str, *, final: bool) -> str:
        said = self._recital.feed(self._unseen.feed(text, final=final), WITHHELD)
        said += self._recital.flush() if final else ""
        return said if self._personal is None else self._personal.feed(said, final=final)


def link_check(passages: Callable[[], Sequence[str]]) -> Callable[[str], bool]:
    """Whether a text holds a link that none of some passages holds, an image or active markup.

    The passages are asked for only when a text holds a link at all.
    """
    known = cache(lambda: Links(passages()))

    def unsafe(text: str) -> bool:
        return _holds_links(text, Links(())) and _holds_links(text, known())

    return unsafe


def _holds_links(text: str, links: Links) -> bool:
    removed: Counter[str] = Counter()
    Scanner(removed, links=links).feed(text, final=True)
    return any(removed[kind] for kind in ("link", "image", "markup"))
