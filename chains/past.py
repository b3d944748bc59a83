"""What a follow-up may refer to: the things of the last question and of its answer."""

import re
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple, TypedDict

from chains.mentions import Mention, is_time, mentions_in, pieces_of
from language.asking import asking_words
from language.sentences import sentence_spans
from language.words import STOPWORDS, WORD, content_terms, fold, stem, terms

_TURNS = 3
"""Turns whose words are searched with."""
_TELLING = 12
"""Words that are searched with, at most: of more, the question itself would hardly count."""
_TOPICS = 3
"""Things of one question that are taken over, at most."""
_LONGEST_ITEM = 8
"""Words of something an answer lists."""
_REMARK = re.compile(r"^\*[^*\n]+\*$", re.MULTILINE)
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_FIRST = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)
_LISTED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", re.MULTILINE)
_ITEM = r"(?:[^\W_][\w'’-]*)(?:\s+(?!and\b|or\b|is\b|are\b)[\w'’-]+){0,3}"
_SERIES = re.compile(rf"{_ITEM}(?:,\s+{_ITEM})*,?\s+(?:and|or)\s+{_ITEM}")
_BETWEEN = re.compile(r",\s*(?:and|or)\s+|,\s*|\s+(?:and|or)\s+")
_ASKING = re.compile(
    r"\W*(?:(?:and|but|so)\b\s*)?"
    r"(?:(?:who|whom|what|which|when|where|why|how(?: (?:much|many|long|often|far|old))?)\b\s*)?"
    r"(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|must|should|may)\b\s*)?",
    re.IGNORECASE,
)
_WHICH = re.compile(r"\W*(?:which|what)\s+(?!is|are|was|were|do|does|did|if|about)\w", re.IGNORECASE)
_OF_A_NAME = re.compile(r"\W*what(?:['’]s| is| are| was| were) (?:the )?(?-i:[a-z-]+ )+of ", re.IGNORECASE)
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
        return cls(text, bracket, things, others, told_by(turns[-1]), turns)

    @property
    def whole(self) -> str:
        """The last question as it was answered."""
        return self.turns[-1]["standalone"].strip()

    @property
    def topic(self) -> str | None:
        """What the conversation is about, in a few words."""
        return listed(self.things) or None

    def articled(self, name: str) -> bool:
        """Whether a name was said with an article."""
        said = re.compile(rf"\b(?:the|an?|my|your|our) {re.escape(name.removeprefix('the '))}", re.IGNORECASE)
        return any(said.search(f"{turn['standalone']} {turn['question']} {turn['answer']}") for turn in self.turns)

    def as_said(self, name: str) -> str:
        """A name with `the`, where it was said with an article."""
        return f"the {name.removeprefix('the ')}" if self.articled(name) else name.removeprefix("the ")

    @property
    def predicate(self) -> str | None:
        """What the last question asks, without the words that make it a question, and what it was about."""
        asked = _ASKING.sub("", self.text, count=1).strip(" ?!.")
        return ", ".join(part for part in (asked, self.bracket) if part) or None

    def alternatives(self) -> tuple[list[str], list[str]]:
        """What was asked about in turn: names before, the last one last, and those of the last question that has any.

        Two names are of a kind where they share a word, stand in one question, or in questions that are else the same.
        """
        asked = list[tuple[list[str], frozenset[str]]]()
        for turn in self.turns:
            names = [one.text.removeprefix("the ") for one in _single(turn["standalone"])]
            frame = frozenset(content_terms(turn["standalone"])) - set(content_terms(" ".join(names)))
            asked += [(names, frame)] if names else []
        if not asked:
            return [], []
        last = asked[-1][0]
        words = set(content_terms(" ".join(last)))
        frames = [frame for names, frame in asked if not set(names).isdisjoint(last)]
        kin = [
            name
            for names, frame in asked
            for name in names
            if frame in frames or not words.isdisjoint(content_terms(name))
        ]
        return list(dict.fromkeys(name for name in kin if name not in last)), list(dict.fromkeys(last))

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


def told_by(turn: Exchange) -> str:
    """What was answered, without its markers, and without the remarks behind a report."""
    return _REMARK.sub("", _MARKER.sub("", turn["answer"] or ""))


def _left_open(turn: Exchange) -> set[str]:
    """The words of what an answer says it did not find."""
    remarks = " ".join(_REMARK.findall(turn["answer"] or ""))
    return set(content_terms(remarks)) - set(content_terms(told_by(turn)))


def _things(turn: Exchange) -> list[Mention]:
    text, bracket = parted(turn)
    if bracket is not None:
        return _names_first(f"about {bracket}")
    if asking_words(text) and len(compared := _single(text)) > 1:
        return compared[:_TOPICS]
    first = _first_sentence(told_by(turn))
    named = _named_by(text, first) if _WHICH.match(text) else _owner(text, first)
    return _names_first(text, _left_open(turn)) if named is None else [named]


def _owner(text: str, answer: str) -> Mention | None:
    """The name that a question asks an attribute of, unless the answer names something that may be meant as well."""
    told = mentions_in(answer)
    if not _OF_A_NAME.match(text) or any(one.named and one.stems.isdisjoint(terms(text)) for one in told):
        return None
    named = _single(text)
    return named[0] if len(named) == 1 else None


def _single(text: str) -> list[Mention]:
    """What a text names without saying of what: of `the range of the Volta City`, the city."""
    pieces = (piece for mention in mentions_in(text) for piece in pieces_of(text, mention))
    return [piece for piece in pieces if piece.single and not is_time(piece.text)]


def _named_by(text: str, answer: str) -> Mention | None:
    """The one thing that an answer names, where a question asks which it is and names none."""
    found = [mention for mention in mentions_in(answer) if mention.single]
    if len(found) != 1 or found[0].start > len("the ") or any(mention.named for mention in mentions_in(text)):
        return None
    words, asked = found[0].text.split(), set(content_terms(text))
    while words and words[-1][0].islower() and not set(content_terms(words[-1])) & asked:
        words.pop()
    return found[0]._replace(text=" ".join(words), stems=frozenset(content_terms(" ".join(words))))


def _names_first(text: str, without: Set[str] = frozenset()) -> list[Mention]:
    """The names in a text; without any, its noun phrases, but those that it asks for only where there are no others.

    What has only words of `without` is left out, where anything else is there.
    """
    every = [mention for mention in mentions_in(text) if not is_time(mention.text)]
    found = [mention for mention in every if not mention.stems <= without] or every
    named = [mention for mention in found if mention.named]
    asked = [mention for mention in found if mention.asked and _WHICH.match(text)]
    return (named or asked or [mention for mention in found if not mention.asked] or found)[:_TOPICS]


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
