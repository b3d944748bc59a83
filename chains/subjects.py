"""Whether two sources speak of the same thing, and which of them of the thing that was asked about."""

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from language.words import content_terms, terms

_YEAR = re.compile(r"(?:19|20)\d\d")
_YEARS = re.compile(r"(?:19|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?")
_DESIGNATION = re.compile(r"[A-Z]\d{0,3}|\d{1,3}|[IVX]{2,4}")
"""What tells models apart behind a name, as in `E5 S` or `Halcyon 2`."""
_OF_A_TEXT = frozenset("version edition amendment revision part no chapter section supplement volume issue v".split())
_NUMBERED = frozenset("line bus tram train flight route room ward model type class building floor unit gate".split())
_TITLE_WORD = re.compile(r"\w[\w.'’]*(?<!\.)")
_NAME = re.compile(r"(?<![.!?:] )(?<!^)\b[A-Z][\w'’-]+")
_KINDS = frozenset(
    word
    for text in (
        "rule rules report annual guide manual handbook leaflet notice news newsletter edition version revision "
        "amendment amended protocol study letter letters minutes page faq information policy summary overview "
        "encyclopedia atlas yearbook catalogue interview facts figures first second third fourth new old current "
        "updated draft archive season members visitors guests visiting introduction terms conditions statement "
        "document text article chapter section appendix correction erratum supplement announcement bulletin brochure",
    )
    for word in content_terms(text)
)
"""Words of a title that say what kind of text it is, rather than of what."""


@dataclass(frozen=True)
class Context:
    """What a sentence stands under: the title of its document with the section, and the text around it."""

    title: str
    text: str

    @cached_property
    def named(self) -> set[str]:
        """The words of the title, and its designations."""
        return set(content_terms(self.title)) | self.designations

    @cached_property
    def designations(self) -> set[str]:
        """Of models and the like, in the title."""
        return designations(self.title)

    @cached_property
    def words(self) -> set[str]:
        """All of them."""
        return self.named | set(terms(self.text))

    @property
    def year(self) -> str | None:
        """The year in the title."""
        found = _YEAR.search(self.title)
        return found.group() if found else None

    def lacks(self, word: str) -> bool:
        """Whether a word of a question is nowhere in it; a year, whether its title is of another one."""
        if _YEAR.fullmatch(word) and _YEAR.search(self.title):
            return word not in self.named
        return word not in self.words

    def apart(self, question: set[str], other: "Context") -> set[str]:
        """The words of the title that neither the question nor the other context has, and that are of a thing."""
        own = {word for word in self.named - question - _KINDS if not word.isdigit() or word in self.designations}
        return {word for word in own if word not in other.words}


def designations(text: str) -> set[str]:
    """The letters and numbers behind names; versions of a text are of the same thing."""
    words = _TITLE_WORD.findall(_YEARS.sub("", text))
    return {
        word.lower()
        for before, word in pairwise(words)
        if _DESIGNATION.fullmatch(word)
        and (before.lower() in _NUMBERED or not (before[0].islower() or before.lower() in _OF_A_TEXT))
    }


def about(question: str, one: Context, other: Context) -> tuple[bool, bool]:
    """Whether each of two contexts is about what was asked, as far as their titles tell them apart."""
    return _fits(question, one, other), _fits(question, other, one)


def another_year(question: str, one: Context, other: Context) -> bool:
    """Whether a year that was asked about is that of one context, and the other one is of another year."""
    years = set(_YEAR.findall(question))
    return bool(years) and not any(one.lacks(year) for year in years) and any(other.lacks(year) for year in years)


def _fits(question: str, one: Context, other: Context) -> bool:
    """Not if it lacks a name of the question that the other's title has, or is called otherwise in its place."""
    designated = designations(question)
    asked = set(content_terms(question)) | designated
    missing = {word for word in asked & other.named if one.lacks(word)}
    names = {word for name in _NAME.findall(question) for word in content_terms(name)} | designated
    if missing & names or any(_YEAR.fullmatch(word) for word in missing):
        return False
    if one.designations - asked - other.named and one.named & other.named & asked:
        return False
    return not (missing and one.apart(asked, other))
