"""What a follow-up may refer to: the things of the last question and of its answer."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypedDict

from chains.mentions import Mention, is_time, mentions_in
from language.sentences import sentence_spans
from language.words import STOPWORDS, WORD, content_terms, fold, stem

_TURNS = 3
"""Turns whose words are searched with."""
_TELLING = 12
"""Words that are searched with, at most: of more, the question itself would hardly count."""
_TOPICS = 3
"""Things of one question that are taken over, at most."""
_LONGEST_ITEM = 8
"""Words of something an answer lists."""
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_FIRST = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_LISTED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", re.MULTILINE)
_ITEM = r"(?:[^\W_][\w'’-]*)(?:\s+(?!and\b|or\b|is\b|are\b)[\w'’-]+){0,3}"
_SERIES = re.compile(rf"{_ITEM}(?:,\s+{_ITEM})*,?\s+(?:and|or)\s+{_ITEM}")
_BETWEEN = re.compile(r",\s*(?:and|or)\s+|,\s*|\s+(?:and|or)\s+")
_CAPITAL = r"[A-Z][^\W\d_]*[a-zß-ÿ][\w’-]*"
_PERSON = re.compile(
    rf"(?<![Tt]he )(?<!\w)(?!(?:The|A|An|In|On|At|By|Who|Where|When|What|How|Which|Is|Was|Did|Does)\b){_CAPITAL}"
    rf"(?:\s+(?:(?:de|van|von|der|den|la|bin|al)\s+)*{_CAPITAL})+"
)
"""Two capitalised words or more, not behind an article."""
_ASKS_WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
_WHICH = re.compile(r"\W*(?:which|what)\s+(?!is|are|was|were|do|does|did|if|about)\w", re.IGNORECASE)
_ABOUT_WHOM = re.compile(r"\W*who(?:['’]s| is| was)\s+(?-i:[A-Z])", re.IGNORECASE)
_BRACKET = re.compile(r"(?P<body>.*\S) \((?P<topic>[^()]+)\)(?P<mark>[?!.]?)", re.DOTALL)


class Exchange(TypedDict):
    """A question that was asked before, and what became of it."""

    question: str  # as it was asked
    standalone: str  # as it was answered
    answer: str | None  # None where it was refused
    titles: list[str]  # of the sources it cites


class Past(NamedTuple):
    """What was asked last, and what it was about."""

    text: str
    """The last question as it was answered, without the topic in brackets behind it."""
    bracket: str | None
    """That topic."""
    things: Sequence[Mention]
    """What the last question that speaks of anything speaks of: names, or where it has none, noun phrases."""
    others: bool
    """Whether the last question speaks of more than these."""
    answer: str
    turns: Sequence[Exchange]

    @classmethod
    def of(cls, turns: Sequence[Exchange]) -> "Past":
        text, bracket = parted(turns[-1])
        things = next((found for turn in reversed(turns) if (found := _things(turn))), [])
        whole = text if bracket is None else bracket
        if bracket is not None and content_terms(text) != content_terms(turns[-1]["question"]):
            whole = f"{text} ({bracket})"  # of which the question before is a part
        spoken = [m for m in mentions_in(whole) if not is_time(m.text) and not m.asked]
        others = len(spoken) > len(things)
        return cls(text, bracket, things, others, _MARKER.sub("", turns[-1]["answer"] or ""), turns)

    @property
    def topic(self) -> str | None:
        """What the conversation is about, in a few words."""
        return listed(self.things) or None

    def names_person(self, name: str) -> bool:
        """Whether a name looks like a person's."""
        return bool(_persons(name)) and not self.articled(name)

    def articled(self, name: str) -> bool:
        """Whether a name was said with an article."""
        said = re.compile(rf"\bthe {re.escape(name.removeprefix('the '))}", re.IGNORECASE)
        return any(said.search(turn["standalone"]) or said.search(turn["question"]) for turn in self.turns)

    def persons(self) -> list[str]:
        """Who `he` or `she` may be: names that look like a person's, of the last turn that has any."""
        for turn in reversed(self.turns):
            text, bracket = parted(turn)
            asked = _persons(text) or _persons(bracket or "")
            told = [name for name in _persons(_MARKER.sub("", turn["answer"] or "")) if name not in asked]
            if asked and (not told or _ABOUT_WHOM.match(text)):
                return asked[:1] if _ABOUT_WHOM.match(text) else asked
            if told and _ASKS_WHO.search(text):
                return told[:1]
            if asked or told:
                return [*asked, *told][:_TOPICS]
        return []

    def items(self) -> list[str]:
        """What the answer lists, or else the question."""
        lines = _LISTED.findall(self.answer)
        if any(char in self.answer for char in "`{/"):
            return []
        if len(lines) > 1:
            return [_short(line) for line in lines]
        for text in (_first_sentence(self.answer), self.text):
            series = _SERIES.search(text)
            if series is not None:
                return [_short(item) for item in _BETWEEN.split(series.group()) if item.strip()]
        return []


def parted(turn: Exchange) -> tuple[str, str | None]:
    """A question as it was answered, and the topic in brackets behind it, if the user did not write it."""
    text = turn["standalone"].strip()
    found = _BRACKET.fullmatch(text)
    if found is None or text == turn["question"].strip():
        return text, None
    return f"{found['body']}{found['mark']}", found["topic"]


def _things(turn: Exchange) -> list[Mention]:
    text, bracket = parted(turn)
    if bracket is not None:
        return _names_first(f"about {bracket}")
    named = _named_by(text, turn["answer"] or "") if _WHICH.match(text) else None
    return _names_first(text) if named is None else [named]


def _named_by(text: str, answer: str) -> Mention | None:
    """The one thing that the first sentence of an answer names, where a question asks which it is and names none."""
    first = _first_sentence(_MARKER.sub("", answer))
    found = [mention for mention in mentions_in(first) if mention.single]
    if len(found) != 1 or found[0].start > len("the ") or any(mention.named for mention in mentions_in(text)):
        return None
    words, asked = found[0].text.split(), set(content_terms(text))
    while words and words[-1][0].islower() and not set(content_terms(words[-1])) & asked:
        words.pop()
    return found[0]._replace(text=" ".join(words), stems=frozenset(content_terms(" ".join(words))))


def _names_first(text: str) -> list[Mention]:
    """The names in a text; without any, its noun phrases, but those that it asks for only where there are no others."""
    found = [mention for mention in mentions_in(text) if not is_time(mention.text)]
    named = [mention for mention in found if mention.named]
    asked = [mention for mention in found if mention.asked and _WHICH.match(text)]
    return (named or asked or [mention for mention in found if not mention.asked] or found)[:_TOPICS]


def _persons(text: str) -> list[str]:
    return list(dict.fromkeys(match.group() for match in _PERSON.finditer(text)))


def telling_words(question: str, turns: Sequence[Exchange]) -> list[str]:
    """What the last turns were about, the last one first: words of their questions, and of what their answers cite for.

    These are words and no understanding, so they cannot be wrong, only idle; none is the question's own.
    """
    known, found = set(content_terms(question)), list[str]()
    for turn in reversed(turns[-_TURNS:]):
        for word in WORD.findall(" ".join([turn["standalone"], *_subjects(turn["answer"] or "")])):
            if len(word) > 1 and fold(word) not in STOPWORDS and stem(fold(word)) not in known:
                known.add(stem(fold(word)))
                found.append(word)
    return found[:_TELLING]


def _subjects(answer: str) -> list[str]:
    """What the sentences of an answer that cite something speak of first."""
    sentences = (answer[start:end] for start, end in sentence_spans(answer))
    spoken = (mentions_in(_MARKER.sub("", said)) for said in sentences if _MARKER.search(said))
    return [mentions[0].text for mentions in spoken if mentions]


def listed(mentions: Iterable[Mention]) -> str:
    """Some things in a row."""
    return ", ".join(dict.fromkeys(mention.text.removeprefix("the ") for mention in mentions))


def _first_sentence(text: str) -> str:
    match = _FIRST.match(text)
    return match.group(1) if match else text


def _short(item: str) -> str:
    return " ".join(item.strip(" .;:").split()[:_LONGEST_ITEM])
