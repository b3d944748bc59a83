"""A sentence taken apart for comparison: its words in order, what it counts, whom it names, what it denies."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from language.cells import answers
from language.entities import Name, names_in
from language.invisible import visible
from language.polarity import Negation, is_negation, negations
from language.quantities import Quantity, agree, quantities
from language.tokens import Token, tokens
from language.words import STOPWORDS

_AROUND = 4
"""How many telling words on either side are the surroundings of a word."""


_MONEY = re.compile(r"([$€£¥] ?\d[\d.,]*) ?(k|m|mn|b|bn)\b", re.IGNORECASE)
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
_FREE = re.compile(r"\b(?:without|at no|with no) (?:charge|cost|fee)s?\b", re.IGNORECASE)
_BREAK = re.compile(r"[,;:.!?()—]|\s[-–]\s")
_CONJUNCTIONS = frozenset("and but while whereas though although however or".split())
SAME_MATTER = 0.60
"""From this share of common surroundings on, two places are about the same thing."""

Part = Literal["numbers", "entities", "negation", "direction"]
Weights = Mapping[str, float]


class Difference(NamedTuple):
    """Something a claim says that is not borne out.

    `opposed` if the evidence says another thing in its place; `known` if it has this one elsewhere.
    """

    part: Part
    opposed: bool
    known: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """All positions are of `tokens`; `telling` are those of the words that carry meaning."""

    tokens: tuple[Token, ...]
    stems: tuple[str, ...]
    words: frozenset[str]
    telling: tuple[int, ...]
    quantities: tuple[Quantity, ...]
    names: tuple[Name, ...]
    negations: tuple[Negation, ...]
    head: frozenset[str]
    """What a row of a table is about: the telling words of its first cell; empty if it is no row."""
    clauses: tuple[range, ...]
    """The tokens between commas, semicolons and conjunctions; of a list each item is one."""

    @staticmethod
    def of(text: str) -> "Statement":
        text = unicodedata.normalize("NFKC", visible(text))
        text = _MONEY.sub(lambda found: f"{found[1]} {_SCALES[found[2].lower()]}", text)
        text = _FREE.sub("free of charge", text)
        found = tokens(text)
        stems = tuple(token.stem for token in found)
        telling = tuple(at for at, token in enumerate(found) if _tells(token))
        cell = text.find("|", 1)
        answered = answers(text, found, telling)
        covered = {negation.at for negation in answered}
        return Statement(
            tokens=tuple(found),
            stems=stems,
            words=frozenset(stems),
            telling=telling or tuple(range(len(found))),
            quantities=tuple(quantities(text, found)),
            names=tuple(names_in(text, found)),
            negations=(*answered, *(one for one in negations(text, found) if one.at not in covered)),
            head=frozenset(stems[at] for at in telling if found[at].end <= cell and not found[at].text[0].isdigit()),
            clauses=tuple(_clauses(text, found)),
        )

    def weigh(self, weighed: Mapping[str, float]) -> dict[str, float]:
        """The weights of the telling words; one that nobody weighed is as rare as the rarest."""
        rare = max(weighed.values(), default=1.0)
        return {self.stems[at]: weighed.get(self.stems[at], rare) for at in self.telling}

    def share(self, words: Sequence[str], weights: Weights) -> float:
        """The share of `words`, by weight, that this statement has; 0 of nothing."""
        total = sum(weights.get(word, 1.0) for word in words)
        return sum(weights.get(word, 1.0) for word in words if word in self.words) / total if total else 0.0

    def surroundings(self, first: int, last: int) -> list[str]:
        """The telling words near a stretch of tokens, without those of the stretch."""
        before = [at for at in self.telling if at < first][-_AROUND:]
        after = [at for at in self.telling if at > last][:_AROUND]
        return [self.stems[at] for at in (*before, *after)]

    def beside(self, first: int, last: int) -> tuple[str, str]:
        """The words right before and right after a stretch of tokens; empty at an end."""
        before = self.stems[first - 1] if first else ""
        return before, self.stems[last + 1] if last + 1 < len(self.stems) else ""

    def beyond(self, first: int, last: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The two words before and the two after a stretch of tokens, as far as there are any."""
        return self.stems[max(0, first - 2) : first], self.stems[last + 1 : last + 3]

    def same_side(self, wide: tuple[tuple[str, ...], ...], known: tuple[tuple[str, ...], ...]) -> bool:
        """Whether the two words on one side are the same in both, and one of them tells something."""
        telling = {self.stems[at] for at in self.telling}
        return any(
            len(mine) == 2 and mine == theirs and not telling.isdisjoint(mine)
            for mine, theirs in zip(wide, known, strict=True)
        )

    def counted_in(self, other: "Statement") -> set[str]:
        """The words of the quantities that another statement has too, however it writes them."""
        return {
            self.stems[at]
            for said in self.quantities
            if any(agree(said, known) for known in other.quantities)
            for at in range(said.first, said.last + 1)
        }

    def places(self, word: str) -> list[int]:
        """Where a stem stands."""
        return [at for at, stem in enumerate(self.stems) if stem == word] if word in self.words else []


def _clauses(text: str, found: Sequence[Token]) -> Iterator[range]:
    start = 0
    for at in range(1, len(found)):
        if found[at].folded in _CONJUNCTIONS or _BREAK.search(text, found[at - 1].end, found[at].start):
            yield range(start, at)
            start = at
    yield range(start, len(found))


def _tells(token: Token) -> bool:
    return token.folded not in STOPWORDS and not is_negation(token.folded)


statement = lru_cache(maxsize=8_000)(Statement.of)
"""A `Statement`, remembered: the sentences of the evidence are judged by again and again."""
