"""A sentence put right by a sentence of its sources: as few words as possible are exchanged, or theirs are taken."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import islice, permutations, product
from typing import NamedTuple, Protocol, TypeVar

from chains.statement import Statement, statement
from language.polarity import opposites
from language.quantities import Quantity, agree, comparable
from language.words import STOPWORDS

_MOST_OF_A_KIND = 3
"""Particulars of a sentence that differ; where more do, it says something else altogether."""
_TRIED = 24
_COMMON = 2
"""Telling words that the sentence and its source must have in common besides."""

Span = tuple[int, int]
T = TypeVar("T")


class Judgement(Protocol):
    """What some evidence says of a sentence."""

    @property
    def support(self) -> str: ...
    @property
    def parts(self) -> Sequence[str]: ...


Judge = Callable[[str, Sequence[str]], Judgement]


class Exchange(NamedTuple):
    """A stretch of a sentence, as code points, and what to say in its place."""

    start: int
    end: int
    words: str


def corrected(claim: str, piece: str, judge: Judge, familiar: Set[str] = frozenset()) -> str | None:
    """`claim` with particulars of `piece` in place of its own, so that `piece` supports it; None if there is no way.

    Particulars are numbers and dates, names, and words that have an opposite. `familiar` are the words of what was
    asked about: a name of them is no error, even if the piece does not have it.
    """
    for exchanges in islice(_ways(claim, piece, familiar), _TRIED):
        if not _speaks_of_the_same(claim, exchanges, piece):
            continue
        text = _exchanged(claim, exchanges)
        if judge(text, [piece]).support == "supported":
            return text
    return None


def _ways(claim: str, piece: str, familiar: Set[str]) -> Iterator[Sequence[Exchange]]:
    """Sets of exchanges worth trying, the smallest first."""
    if unicodedata.normalize("NFKC", claim) != claim or unicodedata.normalize("NFKC", piece) != piece:
        return  # the places of their words are not those of their characters
    mine, theirs = statement(claim), statement(piece)
    kinds = [_numbers(mine, theirs, piece), _names(mine, theirs, piece, familiar), _opposites(mine, theirs, piece)]
    choices = [[(), *kind] for kind in kinds]
    ways = ([exchange for chosen in way for exchange in chosen] for way in product(*choices))
    yield from sorted((way for way in ways if way), key=len)


def _numbers(mine: Statement, theirs: Statement, piece: str) -> list[tuple[Exchange, ...]]:
    wrong = [said for said in mine.quantities if not any(agree(said, known) for known in theirs.quantities)]
    right = [known for known in theirs.quantities if not any(agree(said, known) for said in mine.quantities)]
    return [
        tuple(
            _exchange(mine, (said.first, said.last), theirs, (known.first, known.last), piece)
            for said, known in zip(wrong, chosen, strict=True)
        )
        for chosen in _drawn(right, len(wrong))
        if all(_in_place_of(said, known, mine, theirs) for said, known in zip(wrong, chosen, strict=True))
    ]


def _in_place_of(said: Quantity, known: Quantity, mine: Statement, theirs: Statement) -> bool:
    """Whether a number of the source stands where one of the claim does: by the same word, or alone of its kind."""
    if not comparable(said, known):
        return False
    beside, other = mine.beside(said.first, said.last), theirs.beside(known.first, known.last)
    if any(one and one == its for one, its in zip(beside, other, strict=True)):
        return True
    alone = [len([q for q in one.quantities if comparable(said, q)]) == 1 for one in (mine, theirs)]
    return all(alone) or (said.unit == known.unit != "")


def _names(mine: Statement, theirs: Statement, piece: str, familiar: Set[str]) -> list[tuple[Exchange, ...]]:
    wrong = [span for span in names_of(mine) if not words_of(mine, span) <= theirs.words | familiar]
    right = [span for span in names_of(theirs) if not words_of(theirs, span) & mine.words]
    right += [span for span in names_of(theirs) if span not in right and not words_of(theirs, span) <= mine.words]
    return [
        tuple(_exchange(mine, one, theirs, other, piece) for one, other in zip(wrong, chosen, strict=True))
        for chosen in _drawn(right, len(wrong))
    ]


def _opposites(mine: Statement, theirs: Statement, piece: str) -> list[tuple[Exchange, ...]]:
    turned = [
        (at, place)
        for at, word in enumerate(mine.stems)
        for contrary in opposites(word)
        for place in theirs.places(contrary)
        if word not in theirs.words
    ]
    return [tuple(_exchange(mine, (at, at), theirs, (place, place), piece) for at, place in turned[:_MOST_OF_A_KIND])]


def _drawn(right: Sequence[T], count: int) -> Iterator[tuple[T, ...]]:
    return permutations(right, count) if 0 < count <= _MOST_OF_A_KIND else iter(())


def names_of(one: Statement) -> list[Span]:
    """Where its names stand, as first and last token; none that only begins the sentence."""
    return [(name.first, name.last) for name in one.names if name.sure]


def words_of(one: Statement, span: Span) -> set[str]:
    """The stems of a stretch of tokens that carry meaning."""
    first, last = span
    return {one.stems[at] for at in range(first, last + 1) if one.tokens[at].folded not in STOPWORDS}


def _exchange(mine: Statement, own: Span, theirs: Statement, other: Span, piece: str) -> Exchange:
    words = piece[theirs.tokens[other[0]].start : theirs.tokens[other[1]].end]
    return Exchange(mine.tokens[own[0]].start, mine.tokens[own[1]].end, words)


def _speaks_of_the_same(claim: str, exchanges: Sequence[Exchange], piece: str) -> bool:
    """Whether enough of the claim stays that the piece says, too: else it becomes another claim."""
    said = statement(claim)
    kept = {
        said.stems[at]
        for at in said.telling
        if not any(exchange.start <= said.tokens[at].start < exchange.end for exchange in exchanges)
    }
    both = kept & statement(piece).words
    return len(both) >= max(1, min(_COMMON, len(kept))) and 2 * len(both) >= len(kept)


def _exchanged(claim: str, exchanges: Sequence[Exchange]) -> str:
    for exchange in sorted(exchanges, reverse=True):
        claim = claim[: exchange.start] + exchange.words + claim[exchange.end :]
    return claim
