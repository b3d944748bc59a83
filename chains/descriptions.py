"""Descriptions: somebody whom a question only describes (`the founder of Fjordvolt`), and whom the passages name."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from langchain_core.documents import Document

from language.entities import names_in
from language.sentences import points_back
from language.tokens import tokens
from language.words import content_terms, fold, terms, words

_WORD = r"[A-Z0-9][\w&'’.-]{0,40}?"
_THING = rf"(?P<thing>(?:the )?{_WORD}(?: (?:of (?:the )?|the |and )?{_WORD}){{0,7}})"
_WHOM = (
    re.compile(rf"\bthe (?P<relation>[a-z]{{3,}}[eo]r) of {_THING}(?=[\s?.,!]|$)"),
    re.compile(rf"{_THING}['’]s (?P<relation>[a-z]{{3,}}[eo]r)(?=[\s?.,!]|$)"),
    re.compile(rf"\bthe (?:person|one|man|woman|people|ones) who (?P<relation>[a-z]{{3,}}) {_THING}(?=[\s?.,!]|$)"),
)
_AGENT = re.compile(r"[eo]r$")
_ROOT = 5
"""Letters that a verb and the noun of who does it have in common, as far as they have so many."""
_IRREGULAR = {
    "author": "wrote written", "writer": "wrote written", "winner": "won", "leader": "led", "builder": "built",
    "maker": "made", "singer": "sang sung", "teacher": "taught",
}  # fmt: skip
_BY = re.compile(r"\bby (?:the )?(?=[A-Z])")


class Described(NamedTuple):
    """Whom a question describes."""

    said: str
    """The words of the question."""
    roots: tuple[str, ...]
    """How the words begin that tell the same relation."""
    thing: frozenset[str]
    """The words of what they stand in this relation to."""


def described(question: str) -> Described | None:
    """Whom a question describes by what they did, if it asks for something else of them than who they are."""
    for whom in _WHOM:
        match = whom.search(question)
        if match is not None and content_terms(question.replace(match.group(), " ")):
            relation = match["relation"]
            roots = (_AGENT.sub("", relation)[:_ROOT], *_IRREGULAR.get(relation, "").split())
            return Described(match.group(), roots, frozenset(content_terms(match["thing"])))
    return None


def with_name(question: str, passages: Sequence[Document]) -> tuple[str, Document] | None:
    """The question with the name of whom it describes, and the first passage that tells it; None if none does."""
    whom = described(question)
    if whom is None:
        return None
    named = ((_named(whom, passage), passage) for passage in passages)
    return next(((question.replace(whom.said, name, 1), passage) for name, passage in named if name), None)


def _named(whom: Described, passage: Document) -> str:
    """Whom a passage says to stand in the relation: the subject of the verb or who follows `by`."""
    sentences = [passage.page_content[start:end] for start, end in passage.metadata["sentences"]]
    for at, sentence in enumerate(sentences):
        verb = next((word for word in words(sentence) if fold(word).startswith(whom.roots)), None)
        if verb is None or not whom.thing <= set(terms(sentence)):
            continue
        at_verb = sentence.index(verb)
        by = _BY.search(sentence, at_verb)
        if by is not None:
            name = _first_name(sentence, whom, by.end(), len(sentence))
        elif points_back(sentence):
            naming = next((text for text in reversed(sentences[:at]) if not points_back(text)), "")
            name = _first_name(naming, whom, 0, len(naming))
        else:
            name = _first_name(sentence, whom, 0, at_verb)
        if name:
            return _in_full(name, passage)
    return ""


def _first_name(text: str, whom: Described, start: int, end: int) -> str:
    """The first name in a part of a text besides the thing's."""
    found = tokens(text)
    spans = ((found[name.first].start, found[name.last].end) for name in names_in(text, found))
    names = (text[first:last] for first, last in spans if start <= first and last <= end)
    return next((name for name in names if not whom.thing.issuperset(terms(name))), "")


def _in_full(name: str, passage: Document) -> str:
    """`Petrov` as `Elena Petrov`, if the passage calls her so."""
    full = re.search(rf"\b(?:[A-Z]\w+ )+{re.escape(name)}\b", f"{passage.metadata['source']}\n{passage.page_content}")
    return full.group() if full is not None and " " not in name else name
