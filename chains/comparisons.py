"""Questions that compare: one for each of what is compared, about the same thing."""

import re
from collections.abc import Callable, Sequence

from chains.parts import LONGEST
from chains.wishes import masked

_E = r"[^,;?]{1,90}?"
_LAST = r"[^,;?]{1,90}"
_WORD = r"(?-i:[A-Z0-9\x00][^,;?\s]*)"
_NAME = rf"(?:(?:the|an?)\s)?{_WORD}(?:\s(?:(?:of|de|for|the)\s){{0,2}}{_WORD}){{0,6}}"
_END = r"\s*[?.!]*$"
_ABOUT = r"(?P<about>\s(?:in terms of|with (?:regard|respect) to|when it comes to|regarding|concerning|as to|in|on|for|by)\s.{1,120}?)?"
_JOINT = re.compile(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", re.IGNORECASE)
_HAS = {"are": "is", "were": "was", "do": "does", "have": "has"}
_MEASURES = {
    "better": "good", "worse": "bad", "older": "old", "younger": "old", "larger": "large", "bigger": "big",
    "longer": "long", "shorter": "short", "farther": "far", "further": "far", "earlier": "early", "later": "late",
}  # fmt: skip
_COMPARATIVE = r"(?:more\s\w+|less\s\w+|\w{2,}er)"
_FIRST = re.compile(
    r"^(?:is|was|were|are)\s(?P<verb>\w+)\s(?:first|earlier|later|last|more recently)(?P<rest>.*)$", re.IGNORECASE
)
_MORE = re.compile(rf"^(?:is|are|was|were)\s(?P<adjective>{_COMPARATIVE}|older|taller)(?P<rest>\b.*)$", re.IGNORECASE)


def compared(question: str) -> list[str]:
    """A question for each of two to four compared things; none if nothing is compared."""
    if len(question) > LONGEST:
        return []
    hidden = masked(question)
    for pattern, made in _PATTERNS:
        match = pattern.search(hidden)
        if match is not None:
            things, wording = made(_Groups(question, match))
            asked = [wording(thing) for thing in things]
            if 2 <= len(asked) <= 4 and all(len(thing.split()) <= 12 for thing in things):
                return asked
    return []


class _Groups:
    """The groups of a match against a masked text, as the text itself has them."""

    def __init__(self, text: str, match: re.Match[str]) -> None:
        self._text, self._match = text, match

    def __getitem__(self, name: str) -> str:
        start, end = self._match.span(name)
        return self._text[start:end].strip() if start >= 0 else ""

    def things(self, *names: str) -> list[str]:
        """What is compared, lists taken apart."""
        found = []
        for name in names:
            start, end = self._match.span(name)
            at = start
            for joint in _JOINT.finditer(masked(self._text), start, end):
                found.append(self._text[at : joint.start()])
                at = joint.end()
            found.append(self._text[at:end])
        return [thing.strip() for thing in found if thing.strip()]


_Made = tuple[Sequence[str], Callable[[str], str]]


def _difference(groups: _Groups) -> _Made:
    about = groups["about"]
    return groups.things("a", "b"), lambda thing: f"What about {thing} {about}?" if about else f"What is {thing}?"


def _which(groups: _Groups) -> _Made:
    return groups.things("a", "b"), lambda thing: _measured(groups["asks"], groups["rest"], thing)


def _measured(asks: str, rest: str, thing: str) -> str:
    """`Who is older`, of one of them: `How old is X?`; what cannot be turned so is asked of it as it stands."""
    first, more = _FIRST.match(rest), _MORE.match(rest)
    if first:
        return f"When was {thing} {first['verb']}{first['rest']}?"
    if more:
        return f"How {_plain(more['adjective'])} is {thing}{more['rest']}?"
    return f"{thing}: {asks.lower()} {rest}?" if asks else f"{thing} {rest}?"


def _than(groups: _Groups) -> _Made:
    measure, rest = _plain(groups["adjective"]), groups["rest"]
    return groups.things("a", "b"), lambda thing: f"How {measure} {groups['be'].lower()} {thing}{' ' + rest if rest else ''}?"


def _does_more(groups: _Groups) -> _Made:
    rest = " ".join(part for part in (groups["verb"], groups["rest"]) if part)
    return groups.things("a", "b"), lambda thing: f"How much {groups['be'].lower()} {thing} {rest}?"


def _each(groups: _Groups) -> _Made:
    be, rest = groups["be"].lower(), groups["rest"]
    rest = re.sub(r"^(?:both|each|either|all)\s", "", rest, flags=re.IGNORECASE)
    rest = re.sub(r"\bthe same\b", "which", rest, flags=re.IGNORECASE)
    verb = _HAS.get(be, be)
    return groups.things("a", "b"), lambda thing: f"{verb.capitalize()} {thing} {rest}?"


def _told(groups: _Groups) -> _Made:
    be, rest = groups["be"].lower(), re.sub(r"^both\s", "", groups["rest"])
    return groups.things("a", "b"), lambda thing: f"{thing} {_HAS.get(be, be)} {rest}?"


def _common(groups: _Groups) -> _Made:
    return groups.things("a", "b"), lambda thing: f"What is {thing}?"


def _plain(adjective: str) -> str:
    """`taller` -> `tall`, `more expensive` -> `expensive`."""
    word = adjective.lower()
    if " " in word:
        return word.split()[1]
    if word in _MEASURES:
        return _MEASURES[word]
    stem = word.removesuffix("er")
    if stem.endswith("i"):
        return f"{stem[:-1]}y"
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls" else stem


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[_Groups], _Made]], ...] = (
    (_pattern(rf"\b(?:differences?|distinction|comparison)\s(?:is there\s)?between\s(?P<a>{_E})\sand\s(?P<b>{_E}){_ABOUT}{_END}"), _difference),
    (_pattern(rf"^(?:please\s|can you\s|could you\s)?compare\s(?P<a>{_E})\s(?:and|with|to|against|versus|vs\.?)\s(?P<b>{_E}){_ABOUT}{_END}"), _difference),
    (_pattern(rf"^how\s(?:do|does|did)\s(?P<a>{_E})\s(?:differ from|compare (?:to|with|against))\s(?P<b>{_E}){_ABOUT}{_END}"), _difference),
    (_pattern(rf"^how\s(?:do|does|did)\s(?P<a>{_E})\sand\s(?P<b>{_E})\s(?:differ|compare){_ABOUT}{_END}"), _difference),
    (_pattern(rf"^what\sdo(?:es)?\s(?P<a>{_E})\sand\s(?P<b>{_E})\s(?:both\s)?have in common{_ABOUT}{_END}"), _common),
    (_pattern(rf"^(?P<a>{_E})\s(?:vs\.?|versus)\s(?P<b>{_E})(?:[:,]\s?(?P<about>.{{1,120}}?))?{_END}"), _difference),
    (_pattern(rf"^which\s(?:one\s)?of\s(?P<a>{_E})\s(?:and|or)\s(?P<b>{_E}),?\s(?P<asks>)(?P<rest>(?:is|are|was|were|has|have|had|do|does|did|can|costs?|came|won|sold|made|offers?|uses?|holds?|lies|lives?|lived)\b.{{1,150}}?){_END}"), _which),
    (_pattern(rf"^(?:between|of)\s(?P<a>{_E})\s(?:and|or)\s(?P<b>{_E}),\s(?P<asks>who|what|which(?:\sone)?|which\s\w+)\s(?P<rest>.{{1,150}}?){_END}"), _which),
    (_pattern(rf"^(?P<asks>who|what|which)\s(?P<rest>.{{1,150}}?)\s*[,:-]\s*(?P<a>{_E})(?:,?\sor\s|,\s)(?P<b>{_LAST}?){_END}"), _which),
    (_pattern(rf"^(?P<be>is|are|was|were)\s(?P<a>{_E})\s(?P<adjective>{_COMPARATIVE})\sthan\s(?P<b>{_E})(?P<rest>\s(?:in|at|for|on|by)\s.{{1,80}}?)?{_END}"), _than),
    (_pattern(rf"^(?P<be>do|does|did)\s(?P<a>{_E})\s(?P<verb>\w+)\s(?:more|less)\s(?:than\s)?(?P<rest>[^,;?]{{0,60}}?)\s?(?:than)\s(?P<b>{_LAST}?){_END}"), _does_more),
    (_pattern(rf"^(?P<be>are|were|do|have|did|can|is|does|was|has)\s(?:both\s|either\s)?(?P<a>{_NAME})\s(?:and|or)\s(?P<b>{_NAME})\s(?P<rest>.{{1,150}}?){_END}"), _each),
    (_pattern(rf"^(?P<be>are|were|do|have|did|can)\s(?P<a>{_E})\sand\s(?P<b>{_E})\s(?P<rest>(?:both|each|either|all|the same|from the same|of the same|in the same|located in the same|based in the same)\b.{{1,150}}?){_END}"), _each),
    (_pattern(rf"^(?P<a>{_E})\sand\s(?P<b>{_E})\s(?P<be>are|were|have)\s(?P<rest>(?:both\s.{{0,80}}?)?(?:what|which|how)\b.{{1,150}}?){_END}"), _told),
)  # fmt: skip
