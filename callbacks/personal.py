"""Personal data of the classes that an operator names: found in a text, and taken out of one that arrives in pieces."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from itertools import product
from typing import Any, Literal, NamedTuple

from callbacks.placeholders import personal_withheld

PersonalClass = Literal["email", "phone", "credit_card", "iban", "ip", "us_ssn"]
MENDING = "make serve EXTRAS=pii, or pip install 'groundswell[pii]'"
BLACK = "█"

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_GROUPS = re.compile(r"(?<![^\W_])\d(?:[ .\-\u2011\u2013]{0,2}\d){12,}(?![^\W_])")
_MOST_DIGITS = 19
_CARDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|22[2-9]|2[3-6]\d|27[01])\d{14}|3[47]\d{13}|(?:6011|65\d\d)\d{12}|35\d{14}"
    r"|3(?:0[0-5]|[68]\d)\d{11}"
)
_IP = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")


class Finding(NamedTuple):
    """A stretch of a text that is personal data of some class."""

    start: int
    end: int
    kind: str


Personal = Callable[[str], Sequence[Finding]]
"""Finds personal data: stretches in order, none over another."""
Mask = Callable[[str], str]
"""Makes a text of the same length without what must not be read."""


class PersonalUnavailable(ValueError):
    """A class whose library is missing; the message says how to mend it."""


def personal(
    classes: Sequence[PersonalClass], regions: Sequence[str] = ("US",), *, library: str = "phonenumbers"
) -> Personal | None:
    """Finds personal data of some classes; None where there are none. Raises `PersonalUnavailable`.

    `regions` are the countries (ISO 3166) whose telephone numbers are known without a `+` as well; `library` is the
    package that knows telephone numbers.
    """
    finders: list[Callable[[str], Iterator[Finding]]] = []
    for kind in classes:
        finders.append(_phones(regions, library) if kind == "phone" else _FINDERS[kind])
    if not finders:
        return None

    def find(text: str) -> Sequence[Finding]:
        found = sorted((finding for finder in finders for finding in finder(text)), key=lambda f: (f.start, -f.end))
        kept: list[Finding] = []
        for finding in found:
            if not kept or finding.start >= kept[-1].end:
                kept.append(finding)
        return kept

    return find


def mask(find: Personal) -> Mask:
    """Blacks personal data out, character by character, so that every span keeps its place."""

    def blackened(text: str) -> str:
        for start, end, _ in find(text):
            text = text[:start] + BLACK * (end - start) + text[end:]
        return text

    return blackened


def _matches(kind: str, pattern: re.Pattern[str]) -> Callable[[str], Iterator[Finding]]:
    return lambda text: (Finding(found.start(), found.end(), kind) for found in pattern.finditer(text))


def _ibans(text: str) -> Iterator[Finding]:
    """By their check digits (ISO 13616); words that follow one are no part of it."""
    for found in _IBAN.finditer(text):
        stretch = found.group()
        ends = [len(stretch), *(gap.start() for gap in re.finditer(r"[ -]", stretch))]
        for end in sorted(ends, reverse=True):
            letters = re.sub(r"[ -]", "", stretch[:end]).upper()
            if len(letters) >= 15 and int("".join(str(int(c, 36)) for c in letters[4:] + letters[:4])) % 97 == 1:
                yield Finding(found.start(), found.start() + end, "iban")
                break


def _cards(text: str) -> Iterator[Finding]:
    """By the numbers of their issuers and the check digit (ISO/IEC 7812), from group to group of digits."""
    for found in _GROUPS.finditer(text):
        groups = [(group.start(), group.end()) for group in re.finditer(r"\d+", found.group())]
        taken = 0
        for first, last in product(range(len(groups)), range(_MOST_DIGITS)):
            start, end = groups[first][0], groups[min(first + last, len(groups) - 1)][1]
            if start >= taken and _card(found.group()[start:end]):
                yield Finding(found.start() + start, found.start() + end, "credit_card")
                taken = end


def _card(stretch: str) -> bool:
    digits = re.sub(r"\D", "", stretch)
    if not _CARDS.fullmatch(digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _addresses(text: str) -> Iterator[Finding]:
    for found in _IP.finditer(text):
        try:
            ip_address(found.group())
        except ValueError:  # a time, a version, a score
            continue
        yield Finding(found.start(), found.end(), "ip")


def _phones(regions: Sequence[str], package: str) -> Callable[[str], Iterator[Finding]]:
    if find_spec(package) is None:
        raise PersonalUnavailable(f"phone: the package {package} is missing; {MENDING}")
    library: Any = import_module(package)  # 50 ms and 20 MB that only this class needs
    unknown = [region for region in regions if region not in library.SUPPORTED_REGIONS]
    if unknown:
        raise PersonalUnavailable(f"no telephone numbers are known of {', '.join(unknown)}; write ISO codes such as DE")

    def find(text: str) -> Iterator[Finding]:
        if sum(map(str.isdigit, text)) < 7:
            return
        for region in regions or (None,):
            for number in library.PhoneNumberMatcher(text, region):
                yield Finding(number.start, number.end, "phone")

    return find


_FINDERS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "email": _matches("email", _EMAIL),
    "credit_card": _cards,
    "iban": _ibans,
    "ip": _addresses,
    "us_ssn": _matches("us_ssn", _SSN),
}

_HELD, _LOOKED_BACK = 240, 80
"""How much of a run of numbers is looked at together, and how much of it stays for what follows."""
_PLACE = r"[1-9]\d{0,2}(?:\.\d{1,3})?"
_CITATION = re.compile(rf"[\[【]\s*{_PLACE}(?:\s*[,;–-]\s*{_PLACE})*\s*[\]】]")
_CITATION_BEGUN = re.compile(r"[\[【][\d\s.,;–-]{0,60}\Z")
_BETWEEN = re.compile(r"[\s\[\]【】<>|\"]+?")
_WORD = re.compile(r"[^\s\[\]【】<>|\"]+")
_TELLING = r"[^\s\[\]【】<>|\"]*[\d@][^\s\[\]【】<>|\"]*"
_RUN = re.compile(rf"{_TELLING}(?:\s{{1,2}}(?:{_TELLING}|[()+./–-]+(?=\s|\Z)))*\s{{0,2}}")


class PersonalFilter:
    """Lets a text through but for personal data, of which a placeholder tells the class.

    It waits for the end of each word, and from a word with a digit or an `@` until the words after it have neither.
    """

    def __init__(self, find: Personal, removed: Counter[str]) -> None:
        self._find = find
        self._removed = removed
        self._pending = ""

    def feed(self, text: str, *, final: bool) -> str:
        """What may be said by now."""
        self._pending += text
        out: list[str] = []
        while self._pending:
            decided = self._decided(final)
            if decided is None:
                break
            length, said = decided
            out.append(said)
            self._pending = self._pending[length:]
        return "".join(out)

    def _decided(self, final: bool) -> tuple[int, str] | None:
        """How much of what is pending is settled, and what is said of it; None if that takes more of the text."""
        pending = self._pending
        cited = _CITATION.match(pending)
        if cited:
            return cited.end(), cited.group()
        if _CITATION_BEGUN.match(pending) and not final:
            return None
        between = _BETWEEN.match(pending)
        if between:
            return between.end(), between.group()
        run = _RUN.match(pending[:_HELD])
        if run:
            next_word = _WORD.match(pending, run.end())
            goes_on = run.end() == len(pending) or (next_word and next_word.end() == len(pending))
            if goes_on and len(pending) < _HELD and not final:
                return None
            return self._settled(run.group(), cut=run.end() == _HELD)
        word = _WORD.match(pending)
        assert word is not None
        if word.end() == len(pending) < _HELD and not final:
            return None
        return min(word.end(), _HELD), pending[: min(word.end(), _HELD)]

    def _settled(self, run: str, *, cut: bool) -> tuple[int, str]:
        found = self._find(run)
        limit = len(run)
        if cut:  # what crosses the limit is looked at once more, with what follows it
            limit -= _LOOKED_BACK
            limit = next((f.start for f in found if f.start < limit < f.end and f.start > 0), limit)
            found = [finding for finding in found if finding.end <= limit]
        said, at = [], 0
        for start, end, kind in found:
            image = run[at:start].endswith("!")  # is what it must not look like
            said += [run[at:start], " " if image else "", personal_withheld(kind)]
            self._removed[kind] += 1
            at = end
        return limit, "".join(said) + run[at:limit]
