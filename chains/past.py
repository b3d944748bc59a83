"""What a follow-up may refer to: the things of the last question and of its answer."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypedDict

from chains.mentions import Mention, is_time, mentions_in
from language.sentences import sentence_spans
from language.words import terms

_TOPICS = 4
"""Things of one question that are taken over, at most."""
_AROUND = 2
_LONGEST_ITEM = 8
"""Words of something an answer lists."""
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_FIRST = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_LISTED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", re.MULTILINE)
_ITEM = r"(?:[^\W_][\w'’-]*)(?:\s+(?!and\b|or\b|is\b|are\b)[\w'’-]+){0,3}"
_SERIES = re.compile(rf"{_ITEM}(?:,\s+{_ITEM})*,?\s+(?:and|or)\s+{_ITEM}")
_BETWEEN = re.compile(r",\s*(?:and|or)\s+|,\s*|\s+(?:and|or)\s+")
_PERSON = re.compile(r"\b[A-Z][\w'’.-]*(?:\s+(?:(?:de|van|von|der|la|bin|al)\s+)*[A-Z][\w'’-]*)+\b(?!\s+[a-z])")
_ASKS_WHO = re.compile(r"\W*(?:who|whom|whose|which)\b", re.IGNORECASE)


class Exchange(TypedDict):
    """A question that was asked before, and what became of it."""

    question: str  # as it was asked
    standalone: str  # as it was answered
    answer: str | None  # None where it was refused
    titles: list[str]  # of the sources it cites


class Past(NamedTuple):
    """What was said last, and what it was about."""

    text: str
    """The last question as it was answered."""
    topics: Sequence[Mention]
    """What that question speaks of, what it looks for last."""
    told: Sequence[Mention]
    """What the first sentence of its answer speaks of."""
    answer: str
    earlier: Sequence[Mention]
    """What the questions before speak of, the last one first."""

    @classmethod
    def of(cls, turns: Sequence[Exchange]) -> "Past":
        last = turns[-1]
        text = last["standalone"].strip()
        found = mentions_in(text)
        answer = _MARKER.sub("", last["answer"] or "")
        return cls(
            text=text,
            topics=[*(m for m in found if not m.asked), *(m for m in found if m.asked)],
            told=[m for m in mentions_in(_first_sentence(answer)) if not is_time(m.text)],
            answer=answer,
            earlier=[m for turn in reversed(turns[:-1]) for m in mentions_in(turn["standalone"])],
        )

    def about(self) -> list[Mention]:
        """What the conversation is about: what the last question spoke of, and where that names nothing, the answer."""
        chosen = list(self.topics[:_TOPICS])
        if not any(m.named for m in chosen):
            chosen += [m for m in self.told[:1] if not m.stems <= _stems_of(chosen)]
        return chosen or [m for m in self.earlier if m.named][:1]

    def around(self, word: str) -> list[Mention]:
        """The names in the sentence of the answer that holds a stem, two at most."""
        for start, end in sentence_spans(self.answer):
            if word in terms(self.answer[start:end]):
                return [m for m in mentions_in(self.answer[start:end]) if m.named and not is_time(m.text)][:_AROUND]
        return []

    def person(self) -> list[Mention]:
        """Who `he` or `she` is: who the answer names, if the question asked for somebody; else who that named."""
        told = [m for m in self.told if m.named and not m.stems <= _stems_of(self.topics)]
        for found in (
            (told, self.topics, self.earlier) if _ASKS_WHO.match(self.text) else (self.topics, told, self.earlier)
        ):
            for mention in found:
                name = _PERSON.search(mention.text)
                if name is not None:
                    return [mention._replace(text=name.group(), stems=frozenset(terms(name.group())))]
        return told[:1] or self.about()[:1]

    def items(self) -> list[str]:
        """What the answer lists, or else the question."""
        lines = _LISTED.findall(self.answer)
        if len(lines) > 1:
            return [_short(line) for line in lines]
        for text in (_first_sentence(self.answer), self.text):
            series = _SERIES.search(text)
            if series is not None:
                return [_short(item) for item in _BETWEEN.split(series.group()) if item.strip()]
        return []


def listed(mentions: Iterable[Mention]) -> str:
    """Some things in a row."""
    return ", ".join(dict.fromkeys(mention.text for mention in mentions))


def _stems_of(mentions: Iterable[Mention]) -> frozenset[str]:
    return frozenset(word for mention in mentions for word in mention.stems)


def _first_sentence(text: str) -> str:
    match = _FIRST.match(text)
    return match.group(1) if match else text


def _short(item: str) -> str:
    return " ".join(item.strip(" .;:").split()[:_LONGEST_ITEM])
