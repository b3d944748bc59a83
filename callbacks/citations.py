"""An incremental parser for the citations a model writes: `[3.2]` is sentence 2 of row 3 of its context."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_OPENING = "[【"
_PLACE = r"[1-9]\d{0,2}(?:\.\d{1,3})?"
_CITATION = re.compile(rf"[\[【]\s*({_PLACE}(?:\s*[,;–-]\s*{_PLACE})*)\s*[\]】]")
_BEGUN = re.compile(r"[\[【]\s*(?:[1-9][\d\s.,;–-]*)?")
_LONGEST = 64


class Reference(NamedTuple):
    """A place in the model's context, both counted from 1; no sentence means the whole passage."""

    passage: int
    sentence: int | None

    def __str__(self) -> str:
        return str(self.passage) if self.sentence is None else f"{self.passage}.{self.sentence}"


class Cited(NamedTuple):
    """A citation as the model wrote it."""

    references: tuple[Reference, ...]


Piece = str | Cited


class CitationParser:
    """Turns a stream of text, split anywhere, into text and citations.

    Text is held back only from an opening bracket until it is clear whether a citation follows.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that `text` completes, in order."""
        pending, self._held = self._held + text, ""
        while pending:
            at = _first_bracket(pending)
            if at is None:
                yield pending
                return
            if at:
                yield pending[:at]
                pending = pending[at:]
            whole = _CITATION.match(pending[:_LONGEST])
            if whole:
                yield Cited(tuple(_reference(part) for part in re.split(r"[,;–-]", whole.group(1))))
                pending = pending[whole.end() :]
            elif len(pending) < _LONGEST and _BEGUN.fullmatch(pending):
                self._held = pending
                return
            else:
                yield pending[0]
                pending = pending[1:]

    def flush(self) -> str:
        """What is still held back when the stream ends: a citation that was never closed is text."""
        held, self._held = self._held, ""
        return held


def _first_bracket(text: str) -> int | None:
    return min((at for at in (text.find(bracket) for bracket in _OPENING) if at >= 0), default=None)


def _reference(part: str) -> Reference:
    passage, _, sentence = part.strip().partition(".")
    return Reference(int(passage), int(sentence) if sentence else None)
