"""Questions that compare: one for each of what is compared, about the same thing."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chains.parts import LONGEST
from chains.topics import masked

Wording = Callable[[str], str]
"""The question about one of the compared things."""

_THING = r"[^,;?]{1,90}?"
_WORD = r"(?-i:[A-Z0-9\x00][^,;?\s]*)"
_NAME = rf"(?:(?:the|an?)\s)?{_WORD}(?:\s(?:(?:of|de|for|the)\s){{0,2}}{_WORD}){{0,6}}"
_ABOUT = (
    r"(?P<about>\s(?:in terms of|with regard to|with respect to|when it comes to|regarding|concerning|as to|in|on|for"
    r"|by)\s.{1,120}?)?"
)
_END = r"\s*[?.!]*$"
_REST = r"(?P<rest>.{1,150}?)"
_COMPARATIVE = r"(?:more\s\w+|less\s\w+|\w{2,}er)"
_VERB = (
    r"(?:is|are|was|were|has|have|had|do|does|did|can|costs?|came|won|sold|made|offers?|uses?|holds?|lies|lives?|lived)"
)
_SAME = r"(?:both|each|either|all|(?:\w+\s){0,2}the same)"
_JOINT = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_FIRST = re.compile(
    r"(?:is|was|were|are)\s(?P<verb>\w+)\s(?:first|earlier|later|last|more recently)(?P<rest>.*)", re.IGNORECASE
)
_HAS = re.compile(
    rf"(?:has|have|had)\s(?:the|an?)\s(?P<adjective>{_COMPARATIVE}|\w{{2,}}est)\s(?P<noun>\w+)", re.IGNORECASE
)
_COSTS = re.compile(r"costs?\s(?:more|less|the most|the least)", re.IGNORECASE)
_MORE = re.compile(rf"(?:is|are|was|were)\s(?P<adjective>{_COMPARATIVE})(?P<rest>(?:\s.*)?)", re.IGNORECASE)
_SHARED = re.compile(r"(?:both\s)?(?P<in>(?:\w+\s){0,2}?)(?P<preposition>\w+)\sthe same\s(?P<what>.+)", re.IGNORECASE)
_EACH = re.compile(r"^(?:both|each|either|all)\s", re.IGNORECASE)
_OF_ONE = {"are": "is", "were": "was", "do": "does", "have": "has"}
_ADJECTIVES = {
    "better": "good", "worse": "bad", "older": "old", "younger": "old", "larger": "large", "longer": "long",
    "farther": "far", "further": "far", "earlier": "early", "later": "late", "wider": "wide", "safer": "safe",
    "cheaper": "expensive",
}  # fmt: skip
_KIND = re.compile(
    r"(?:plan|edition|version|tier|package|model|subscription|licen[cs]e|account|tariff|ticket|pass|permit|route|line"
    r"|method|release|option|policy|contract|card|mode|bundle|programme|program|room|size|variant)s?"
)
"""What a word in front of it makes one of several."""
_ARTICLE = re.compile(r"(?:the|an?|our|your)\s", re.IGNORECASE)
_COMPOUND = re.compile(r"(?:(?:the|an?)\s)?[a-z]+-[a-z]+(?P<noun>(?:\s[a-z]+){0,3})")
_ATTRIBUTE = re.compile(r"(?:(?:the|an?|our|your)\s)?(?!(?:the|an?)\b)[\w.+-]+", re.IGNORECASE)
_MEASURE = re.compile(r"the\s[a-z]+(?:\s[a-z]+)?\sof\s")
_CAPITAL = re.compile(r"\b[A-Z][a-z]")
_BARE_ABOUT = re.compile(r"(?:in(?! terms)|on|for|by)\b", re.IGNORECASE)
_PLURAL = re.compile(
    r"(?P<before>(?:(?!(?:in|of|on|at|by|from|to|with|for|that|who)\b)[\w’'-]+\s){0,2})(?P<noun>[a-z]{2,}s)\b"
)
_MANY = re.compile(r"[^sui]s$")
_INVARIABLE = frozenset("species series means headquarters news".split())
_MOST_THINGS = 4
_LONGEST_THING = 12
"""Words."""


class _Match:
    """A match against a masked text; its groups are read from the text itself, empty where there is nothing."""

    def __init__(self, text: str, match: re.Match[str]) -> None:
        self._text, self._match = text, match

    def __getitem__(self, name: str) -> str:
        start, end = self._match.span(name)
        return self._text[start:end].strip()

    def things(self) -> list[str]:
        """What is compared, lists taken apart."""
        found = []
        for name in ("a", "b"):
            start, end = self._match.span(name)
            for joint in _JOINT.finditer(masked(self._text), start, end):
                found.append(self._text[start : joint.start()])
                start = joint.end()
            found.append(self._text[start:end])
        return [thing.strip() for thing in found if thing.strip()]


class _Kind(NamedTuple):
    pattern: re.Pattern[str]
    worded: Callable[[_Match], Wording]


def compared(question: str) -> list[str]:
    """A question for each of two to four compared things; none if nothing is compared."""
    hidden = masked(question) if len(question) <= LONGEST else ""
    for kind in _KINDS:
        match = kind.pattern.search(hidden)
        if match is not None:
            found = _Match(question, match)
            things = _alike(found.things())
            if 2 <= len(things) <= _MOST_THINGS and all(len(thing.split()) <= _LONGEST_THING for thing in things):
                return _asked(things, kind.worded(found))
    return []


def _alike(things: Sequence[str]) -> list[str]:
    """`the Basic` and `the Pro plan`: the Basic plan; `the price of A` and `B`: the price of B; `a two-door` car."""
    last = things[-1].split()
    kind = _KIND.fullmatch(last[-1]) if len(last) > 1 else None
    if kind is not None and all(_ATTRIBUTE.fullmatch(thing) for thing in things[:-1]):
        article = _ARTICLE.match(things[0])
        noun = last[-1].removesuffix("s")
        whole = [f"{thing} {noun}" for thing in [*things[:-1], " ".join(last[:-1])]]
        return [thing if not article or _ARTICLE.match(thing) else f"{article.group()}{thing}" for thing in whole]
    halves = [_COMPOUND.fullmatch(thing) for thing in things]
    if halves[-1] and halves[-1]["noun"] and all(half and not half["noun"] for half in halves[:-1]):
        return [*(f"{thing}{halves[-1]['noun']}" for thing in things[:-1]), things[-1]]
    shared = _MEASURE.match(things[0])
    if shared and not any(" of " in thing for thing in things[1:]):
        return [things[0], *(f"{shared.group()}{thing}" for thing in things[1:])]
    return list(things)


def _asked(things: Sequence[str], worded: Wording) -> list[str]:
    asked = [" ".join(worded(thing).split()) for thing in things]
    return [question[:1].upper() + question[1:] for question in asked]


def _apart(match: _Match) -> Wording:
    """`What is the difference between A and B in price?`"""
    about = match["about"]
    last = match["b"]
    if _BARE_ABOUT.match(about) and _CAPITAL.search(about):  # `a ticket for the Zorvane ferry`
        return lambda thing: f"{_be(thing)} {about}?" if thing.endswith(last) else f"{_be(thing)}?"
    return lambda thing: f"What about {thing} {about}?" if about else f"{_be(thing)}?"


def _be(thing: str) -> str:
    """`What is the fare of A`, `What are the fares of A`."""
    measured = _MEASURE.match(thing)
    noun = measured.group().split()[-2] if measured else ""
    return f"What {'are' if _MANY.search(noun) and noun not in _INVARIABLE else 'is'} {thing}"


def _of_each(match: _Match) -> Wording:
    """`What is the power of A and of B?`"""
    return lambda thing: f"{match['asks']} {match['preposition']} {thing}?"


def _which(match: _Match) -> Wording:
    """`Who is older, A or B?`, `Which of A and B was built first?`; what cannot be turned is asked as it stands."""
    first, more = _FIRST.fullmatch(match["rest"]), _MORE.fullmatch(match["rest"])
    if first:
        return lambda thing: f"When was {thing} {first['verb']}{first['rest']}?"
    has = _HAS.fullmatch(match["rest"])
    if has:
        return lambda thing: f"How {_plain(has['adjective'])} is the {has['noun']} of {thing}?"
    if _COSTS.fullmatch(match["rest"]):
        return lambda thing: f"How much does {thing} cost?"
    if more:
        return lambda thing: f"How {_plain(more['adjective'])} is {thing}{more['rest']}?"
    asks = f": {match['asks'].lower()}" if match["asks"] else ""
    return lambda thing: f"{thing}{asks} {match['rest']}?"


def _than(match: _Match) -> Wording:
    """`Is A older than B?`"""
    measure = _plain(match["adjective"])
    return lambda thing: f"How {measure} {match['be'].lower()} {thing} {match['rest']}".rstrip() + "?"


def _more_than(match: _Match) -> Wording:
    """`Does A cost more than B?`"""
    counted = match["rest"]
    how = f"How {'many' if counted.endswith('s') else 'much'} {counted}".rstrip()
    return lambda thing: f"{how} {match['be'].lower()} {thing} {match['verb']}?"


def _each(match: _Match) -> Wording:
    """`Are A and B both made in Norrby?`, `Do A and B have the same owner?`"""
    be = _OF_ONE.get(match["be"].lower(), match["be"])
    shared = _SHARED.fullmatch(match["rest"])
    if shared is None:
        told = _EACH.sub("", match["rest"])
        if match["be"].lower() in ("are", "were"):
            told = _of_one(told)
        return lambda thing: f"{be} {thing} {told}?"
    return lambda thing: f"Which {shared['what']} {be} {thing} {shared['in']}{shared['preposition']}?"


def _of_one(told: str) -> str:
    """`American painters` -> `an American painter`."""
    plural = _PLURAL.match(told)
    if plural is None or plural["noun"].endswith(("ss", "us", "is")):
        return told
    noun = plural["noun"]
    one = noun if noun in _INVARIABLE else f"{noun[:-3]}y" if noun.endswith("ies") else noun[:-1]
    thing = f"{plural['before']}{one}"
    return f"{'an' if thing[0].lower() in 'aeiou' else 'a'} {thing}{told[plural.end() :]}"


def _in_place(match: _Match) -> Wording:
    """`A and B are what kind of trees?`"""
    be = _OF_ONE.get(match["be"].lower(), match["be"])
    return lambda thing: f"{thing} {be} {_EACH.sub('', match['rest'])}?"


def _plain(adjective: str) -> str:
    """`taller` -> `tall`, `cheaper` -> `cheap`, `more expensive` -> `expensive`."""
    word = re.sub(r"est$", "er", adjective.lower().split()[-1])
    if word in _ADJECTIVES or " " in adjective:
        return _ADJECTIVES.get(word, word)
    stem = word.removesuffix("er")
    if stem.endswith("i"):
        return f"{stem[:-1]}y"
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem


def _kind(pattern: str, worded: Callable[[_Match], Wording]) -> _Kind:
    return _Kind(re.compile(pattern + _END, re.IGNORECASE), worded)


_A, _B = rf"(?P<a>{_THING})", rf"(?P<b>{_THING})"
_ALL = r"(?P<a>[^;?]{1,180}?)"
_KINDS = (
    _kind(
        rf"^(?P<asks>(?:what|which|how|who|when|where)\s[^,;?]{{3,90}}?)\s(?P<preposition>of|for|from|in|at)\s{_A}"
        rf"\sand\s(?P=preposition)\s{_B}",
        _of_each,
    ),
    _kind(rf"\b(?:differences?|distinction|comparison)\s(?:is there\s)?between\s{_ALL}\sand\s{_B}{_ABOUT}", _apart),
    _kind(rf"^(?:please\s)?compare\s{_ALL}\s(?:and|with|to|against|versus|vs\.?)\s{_B}{_ABOUT}", _apart),
    _kind(rf"^how\s(?:do|does|did)\s{_A}\s(?:differ from|compare (?:to|with|against))\s{_B}{_ABOUT}", _apart),
    _kind(rf"^how\s(?:do|did)\s{_A}\sand\s{_B}\s(?:differ|compare){_ABOUT}", _apart),
    _kind(rf"^what\sdo\s{_A}\sand\s{_B}\s(?:both\s)?have in common{_ABOUT}", _apart),
    _kind(rf"^{_A}\s(?:vs\.?|versus)\s{_B}{_ABOUT}", _apart),
    _kind(rf"^which\s(?:one\s)?of\s{_A}\s(?:and|or)\s{_B},?\s(?P<asks>)(?P<rest>{_VERB}\b.{{1,150}}?)", _which),
    _kind(rf"^(?:between|of)\s{_A}\s(?:and|or)\s{_B},\s(?P<asks>(?:who|what|which)(?:\sone)?)\s{_REST}", _which),
    _kind(rf"^(?P<asks>who|what|which)\s{_REST}\s*[,:]\s*{_A},?\sor\s{_B}", _which),
    _kind(
        rf"^(?P<be>is|are|was|were)\s{_A}\s(?P<adjective>{_COMPARATIVE})\sthan\s{_B}"
        r"(?P<rest>\s(?:in|at|for|on|by)\s.{1,80}?)?",
        _than,
    ),
    _kind(
        rf"^(?P<be>do|does|did)\s{_A}\s(?P<verb>\w+)\s(?:more|less)\s(?P<rest>[^,;?]{{0,60}}?)\s?\bthan\s{_B}",
        _more_than,
    ),
    _kind(
        rf"^(?P<be>are|were|do|have|did|can|is|does|was|has)\s(?:both\s|either\s)?(?P<a>{_NAME})\s(?:and|or)"
        rf"\s(?P<b>{_NAME})\s{_REST}",
        _each,
    ),
    _kind(rf"^(?P<be>are|were|do|have|did|can)\s{_A}\sand\s{_B}\s(?P<rest>{_SAME}\s.{{1,150}}?)", _each),
    _kind(
        rf"^{_A}\sand\s{_B}\s(?P<be>are|were|have)\s(?P<rest>(?:both\s.{{0,80}}?)?(?:what|which|how)\b.{{1,150}}?)",
        _in_place,
    ),
)
