"""Who `he` or `she` may be in a conversation: told by names and pronouns, for nothing else is known of anybody."""

import re
from collections.abc import Mapping, Sequence

from chains.past import Exchange, parted, told_by
from language.sentences import sentence_spans

_MOST = 3
"""Persons that one word may stand for, at most."""
_CAPITAL = r"[A-Z][^\W\d_]*[a-zß-ÿ][\w’-]*"
_NAME = re.compile(
    rf"(?<!\w)(?!(?:The|A|An|In|On|At|By|Who|Where|When|What|How|Which|Is|Was|Did|Does)\b){_CAPITAL}"
    rf"(?:\s+(?:(?:de|van|von|der|den|la|bin|al)\s+)*{_CAPITAL})+"
)
"""Two capitalised words or more."""
_BEFORE_PLACES = re.compile(r"\b(?:the|at|in|near|into)\s$", re.IGNORECASE)
"""What hardly stands before a person."""
_INSTITUTION = re.compile(
    r"\b(?:University|College|Institute|School|Academy|Hospital|Museum|Library|Society|Association|Foundation|Council"
    r"|Committee|Ministry|Department|Company|Group|Bank|Inc|Ltd|Medal|Prize|Award)\b"
)
_GENDERS = {"she": "she", "her": "she", "hers": "she", "he": "he", "him": "he", "his": "he"}
_PRONOUN = re.compile(rf"\b(?:{'|'.join(_GENDERS)})\b", re.IGNORECASE)
_ASKS_WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
_ABOUT_WHOM = re.compile(r"\W*who(?:['’]s| is| was)\s+(?-i:[A-Z])", re.IGNORECASE)


def names_of_persons(text: str) -> list[str]:
    """The names in a text that look like a person's."""
    found = (
        one for one in _NAME.finditer(text) if not _BEFORE_PLACES.search(text[max(0, one.start() - 6) : one.start()])
    )
    return list(dict.fromkeys(one.group() for one in found if not _INSTITUTION.search(one.group())))


def persons(word: str, turns: Sequence[Exchange]) -> list[str]:
    """Who a pronoun may stand for: of the last turn that has any, those who are called so, or else all it may be."""
    called = called_in(turns)
    for turn in reversed(turns):
        text, bracket = parted(turn)
        asked = [name for name in names_of_persons(text) or names_of_persons(bracket or "") if fits(word, name, called)]
        told = [name for name in names_of_persons(told_by(turn)) if name not in asked and fits(word, name, called)]
        found = [*asked, *told]
        if asked and _ABOUT_WHOM.match(text):
            return asked[:1]
        if any(name in called for name in found):
            return [name for name in found if name in called][:_MOST]
        if told and _ASKS_WHO.search(text):
            return told[:1]
        if found:
            return found[:_MOST]
    return []


def fits(word: str, name: str, called: Mapping[str, str]) -> bool:
    """Whether a pronoun may stand for a name: not for a person who is called by the other."""
    wanted = _GENDERS[word.lower()]
    return called.get(name, wanted) == wanted


def called_in(turns: Sequence[Exchange]) -> dict[str, str]:
    """Whom the answers call `he`, and whom `she`."""
    called: dict[str, str] = {}
    for turn in turns:
        called = {**_called(parted(turn)[0], told_by(turn)), **called}
    return called


def _called(question: str, answer: str) -> dict[str, str]:
    """The pronoun of a sentence is who a sentence began with last.

    Before any has begun with a person, it is the one person of the question whom the sentence does not name.
    """
    called: dict[str, str] = {}
    spoken = [] if _ASKS_WHO.search(question) and not _ABOUT_WHOM.match(question) else names_of_persons(question)
    known = [*spoken, *names_of_persons(answer)]
    for start, end in sentence_spans(answer):
        sentence = answer[start:end].lstrip("#-*• ")
        begun = [name for name in known if sentence.startswith((name, f"{name.split()[-1]} "))][:1]
        spoken = begun or spoken
        meant = begun or [name for name in spoken if name not in sentence]
        pronoun = _PRONOUN.search(sentence)
        if pronoun is not None and len(meant) == 1:
            called.setdefault(meant[0], _GENDERS[pronoun.group().lower()])
    return called
