"""The bench at which an answer is mended: what repairs are made with, and the moves they share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from callbacks.answer import Judge
from callbacks.events import Trigger
from chains.correction import corrected
from chains.prompts import readable
from chains.recency import Account
from chains.subjects import Context
from graph.evidence import Idf, Opposition, Piece, Place
from graph.lines import Line, item_mark, resting, without_markers
from language.contents import is_contents
from language.sentences import leans_back
from language.words import content_terms

_CLOSEST = 6
"""Sentences of the evidence by which a sentence may be put right."""
_FEWEST_WORDS = 4


class Note(NamedTuple):
    """What was done, or only found, and why, in words a reader understands."""

    trigger: Trigger | None
    """None where nothing had to change."""
    text: str
    pair: Opposition | None = None
    """Of what an answer rests on, and what says otherwise."""


class Mended(NamedTuple):
    """The answer as it is now."""

    lines: list[Line]
    notes: list[Note]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What repairs are made with."""

    question: str
    pieces: Sequence[Piece]
    """The sentences of the evidence that may be quoted, best passage first."""
    judge: Judge
    idf: Idf
    unsafe: Callable[[str], bool]
    account: Callable[[Piece], Account]
    """What a source says of its age, and what stands around."""
    plainly: Judge
    """The judge for whom every word weighs the same."""
    alike: Callable[[str, Sequence[str]], list[float]]
    """The cosine of a sentence and each of some others."""
    floor: float
    """The score from which on a passage counts."""
    supporting: Mapping[int, Place] = field(default_factory=dict)
    """Which place speaks for a sentence of the draft, where a slower judge has found it."""
    half: int | None = None
    """The sentence in which the model broke off: no claim that could be supported."""
    late: Callable[[], bool] = lambda: False
    """Whether there is no time left for more than leaving out what cannot stand."""
    contexts: dict[str, Context] = field(default_factory=dict)
    """Of the passages looked at so far, by source id."""

    def at(self, place: Place) -> Piece | None:
        """The sentence at a place, if it may be quoted."""
        return next((piece for piece in self.pieces if piece.place == place), None)

    def cited_by(self, line: Line) -> list[Piece]:
        """The sentences a line rests on."""
        if line.rests_on is not None:
            return [line.rests_on]
        quoted = {(citation.source_id, citation.quote) for citation in line.citations}
        return [piece for piece in self.pieces if (piece.place[0], piece.text) in quoted]

    def closest(self, plain: str) -> list[Piece]:
        """What shares most words with a sentence."""
        wanted = set(content_terms(plain))
        shared = {piece.place: len(wanted & piece.words) for piece in self.pieces}
        return sorted(self.pieces, key=lambda piece: -shared[piece.place])[:_CLOSEST]

    def context(self, piece: Piece) -> Context:
        """What a sentence stands under."""
        known = self.contexts.get(piece.place[0])
        if known is None:
            account = self.account(piece)
            known = self.contexts[piece.place[0]] = Context(account.title, account.text)
        return known

    def corrected(self, line: Line, piece: Piece) -> Line | None:
        """The line with the particulars of a source in place of its own, if that makes it right."""
        familiar = set(content_terms(self.question)) | self.context(piece).named
        wording = corrected(without_markers(line.text), readable(piece.text), self.judge, familiar)
        return None if wording is None else resting(line, wording, piece, self.judge)

    def quoting(self, line: Line, piece: Piece) -> Line | None:
        """The source's own sentence, if it stands alone or leans on what the line leaned on."""
        wording = readable(piece.text)
        stands = len(wording.split()) >= _FEWEST_WORDS and (leans_back(line.text) or not leans_back(wording))
        if not stands or wording.endswith("?") or is_contents(wording) or self.unsafe(wording):
            return None
        return resting(line, item_mark(line.text) + wording, piece, self.judge)
