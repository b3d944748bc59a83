"""Revisions of an answer: what changed against the draft, and whether that made it any worse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from callbacks.answer import AnswerStream
from callbacks.events import Action, Change, PartialAnswer
from graph.lines import Answer, Line, assembled, without_markers

_WORTH = {"supported": 1.0, "partial": 0.5}
_REWRITTEN = 0.5
"""Of the sentences of a draft: where more of them are not as they were, it is replaced rather than patched."""


@dataclass(frozen=True, slots=True)
class Revision:
    """An answer, and what was changed to get there."""

    answer: Answer
    changes: list[Change]
    action: Action


def revision_of(lines: Sequence[Line], draft: AnswerStream) -> Revision:
    """Revision 1 of a draft. Raises `KeyError` if a line rests on a source that was not shown."""
    answer = assembled(lines, 1)
    changes = changes_between(draft.sentences, lines)
    changed = sum(bool(change.before) for change in changes)
    replaced = changed > 1 and changed > _REWRITTEN * len(draft.sentences)
    return Revision(answer, changes, "replace" if replaced else "patch" if changes else "confirm")


def changes_between(draft: Sequence[PartialAnswer], lines: Sequence[Line]) -> list[Change]:
    """What became of each sentence of a draft that does not stand as it was; added sentences come after the last."""
    stands: dict[int | None, list[str]] = {}
    for line in filter(lambda line: line.claims, lines):
        stands.setdefault(line.origin, []).append(line.text)
    changes = [
        Change(sentence=at, before=sentence.text, after=" ".join(stands.get(at, [])))
        for at, sentence in enumerate(draft)
        if stands.get(at) != [sentence.text]
    ]
    return changes + [Change(sentence=len(draft), before="", after=text) for text in stands.get(None, [])]


def stemming_from(lines: Sequence[Line], draft: Sequence[PartialAnswer]) -> list[Line]:
    """The lines of a rewritten answer, each with the sentence of the draft that it is or stands for."""
    before = [_plain(sentence.text) for sentence in draft]
    claims = [line for line in lines if line.claims]
    after = [_plain(line.text) for line in claims]
    origins: list[int | None] = [None] * len(claims)
    for _, start, end, at, until in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        for offset in range(until - at):
            origins[at + offset] = min(start + offset, end - 1) if end > start else None
    found = iter(origins)
    return [replace(line, origin=next(found)) if line.claims else line for line in lines]


def no_worse(before: Sequence[Line], after: Sequence[Line]) -> bool:
    """Whether the sentences of an answer are, on average, supported and cited as well as those of another."""
    before, after = [[line for line in lines if line.claims] for lines in (before, after)]
    return bool(after) and _support(after) >= _support(before) and _coverage(after) >= _coverage(before)


def _support(lines: Sequence[Line]) -> float:
    return sum(_WORTH.get(line.verdict.support, 0.0) for line in lines) / len(lines) if lines else 0.0


def _coverage(lines: Sequence[Line]) -> float:
    return sum(bool(line.citations or line.rests_on) for line in lines) / len(lines) if lines else 0.0


def _plain(text: str) -> str:
    return " ".join(without_markers(text).split())
