"""Whether two sources speak of the same thing, and which of them of the thing that was asked about."""

import re
from dataclasses import dataclass
from functools import cached_property

from language.words import content_terms

_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class Context:
    """What a sentence stands under: the title of its document with the section, and the text around it."""

    title: str
    text: str

    @cached_property
    def named(self) -> set[str]:
        """The words of the title."""
        return set(content_terms(self.title))

    @cached_property
    def words(self) -> set[str]:
        """All of them."""
        return self.named | set(content_terms(self.text))

    def lacks(self, word: str) -> bool:
        """Whether a word of a question is nowhere in it; a year, whether its title is of another one."""
        if _YEAR.fullmatch(word) and _YEAR.search(self.title):
            return word not in self.named
        return word not in self.words


def about(question: str, one: Context, other: Context) -> tuple[bool, bool]:
    """Whether each of two contexts is about what was asked, as far as their titles tell them apart.

    One that has nothing of a word of the question that the title of the other has is about something else.
    """
    wanted = set(content_terms(question))
    return (
        not any(one.lacks(word) for word in wanted & other.named),
        not any(other.lacks(word) for word in wanted & one.named),
    )
