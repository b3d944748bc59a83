"""The numbers and names a claim must have borne out, and what its evidence says in their place."""

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from chains.clauses import called_otherwise, number_fits
from chains.statement import SAME_MATTER, Difference, Part, Statement, Weights
from language.entities import Name, initials, same_root
from language.quantities import Quantity, agree, comparable

NEAR = 0.34
"""How much less of its surroundings than the best place another may have, and still bear something out."""
_CLOSE_BY = 8
"""Numbers no more words apart than this may belong together, as a value and its range do."""
_MOST = 24
"""More numbers or names than this of one sentence are not looked at: it must stay quick."""


class _NamePart(NamedTuple):
    """One word of a name."""

    name: Name
    at: int

    @property
    def first(self) -> int:
        return self.name.first

    @property
    def last(self) -> int:
        return self.name.last


_Item = Quantity | _NamePart


def unborne(
    claim: Statement, pieces: Sequence[Statement], weights: Weights, elsewhere: Set[str]
) -> Iterator[Difference]:
    """The numbers and names of `claim` that no piece has where it speaks of the same matter."""
    for item in _items(claim):
        difference = _difference(item, claim, pieces, weights, elsewhere)
        if difference is not None:
            yield difference


def _items(claim: Statement) -> Iterator[_Item]:
    yield from claim.quantities[:_MOST]
    for name in claim.names[:_MOST]:
        for at in range(name.first, name.last + 1):
            token = claim.tokens[at]
            if token.text[0].isupper() and len(token.text) > 1:
                yield _NamePart(name, at)


def _difference(
    item: _Item, claim: Statement, pieces: Sequence[Statement], weights: Weights, elsewhere: Set[str]
) -> Difference | None:
    part: Part = "numbers" if isinstance(item, Quantity) else "entities"
    around = claim.surroundings(item.first, item.last)
    near = [piece.share(around, weights) for piece in pieces]
    nearest = max(near)
    holders = [at for at, piece in enumerate(pieces) if _holds(piece, item, claim)]
    at = item.first if isinstance(item, Quantity) else item.at
    known = bool(holders) or claim.stems[at] in elsewhere
    places = [piece for piece, nearness in zip(pieces, near, strict=True) if nearness >= nearest - 0.1]
    close = [pieces[at] for at in holders if near[at] >= nearest - NEAR]
    if isinstance(item, Quantity):
        fits = [number_fits(claim, item, piece) for piece in close]
        if True in fits:
            return None
        if False in fits and None not in fits:
            return Difference(part, opposed=True, known=True)
        if close and all(called_otherwise(claim, piece, item.first) for piece in close):
            return Difference(part, opposed=any(_replaced(item, claim, piece) for piece in places), known=True)
    if any(_stands_there(item, claim, piece) for piece in close):
        return None
    places = [piece for piece in places if claim.head <= piece.words and piece.head <= claim.words]
    if nearest >= SAME_MATTER and any(_replaced(item, claim, piece) for piece in places):
        return Difference(part, opposed=True, known=known)
    if isinstance(item, _NamePart) and not item.name.sure:
        return None
    if close:
        return None
    rivals = [(piece, rival) for piece in places for rival in _rivals(item, claim, piece)]
    if known and not rivals:
        return None
    opposed = nearest >= SAME_MATTER and any(_in_its_place(item, claim, rival, piece) for piece, rival in rivals)
    return Difference(part, opposed, known=known)


def _holds(piece: Statement, item: _Item, claim: Statement) -> bool:
    if isinstance(item, Quantity):
        return any(agree(item, known) for known in piece.quantities)
    token = claim.tokens[item.at]
    if token.stem in piece.words:
        return True
    name = "".join(claim.tokens[at].folded[0] for at in range(item.first, item.last + 1))
    if len(name) > 1 and name in piece.words:
        return True
    if len(token.text) <= 6 and token.text.isupper():
        return token.folded in initials(piece.tokens)
    return same_root(token.folded, [known.folded for known in piece.tokens if known.text[0].isupper()])


def _rivals(item: _Item, claim: Statement, piece: Statement) -> list[_Item]:
    """What a piece has of the same sort that the claim has not."""
    if isinstance(item, Quantity):
        return [
            known
            for known in piece.quantities
            if comparable(item, known) and not any(agree(said, known) for said in claim.quantities)
        ]
    return [
        _NamePart(name, at)
        for name in piece.names
        for at in range(name.first, name.last + 1)
        if piece.stems[at] not in claim.words
    ]


def _stands_there(item: _Item, claim: Statement, piece: Statement) -> bool:
    """Whether a piece has the item between the same words as the claim, or behind or before the same two."""
    beside, wide = claim.beside(item.first, item.last), claim.beyond(item.first, item.last)
    return any(
        piece.beside(first, last) == beside or claim.same_side(wide, piece.beyond(first, last))
        for first, last in _own_places(item, claim, piece)
    )


def _own_places(item: _Item, claim: Statement, piece: Statement) -> list[tuple[int, int]]:
    if isinstance(item, Quantity):
        return [(known.first, known.last) for known in piece.quantities if agree(item, known)]
    stem = claim.stems[item.at]
    return [(name.first, name.last) for name in piece.names if stem in piece.stems[name.first : name.last + 1]]


def _replaced(item: _Item, claim: Statement, piece: Statement) -> bool:
    """Whether a piece has, between the same words, something else of the sort; what the claim says too needs more."""
    beside, wide = claim.beside(item.first, item.last), claim.beyond(item.first, item.last)
    if not any(beside):
        return False
    return any(
        (piece.beside(first, last) == beside and (not said or piece.beyond(first, last) == wide))
        or (alone and not said and claim.same_side(wide, piece.beyond(first, last)))
        for first, last, said, alone in _others(item, claim, piece)
    )


def _others(item: _Item, claim: Statement, piece: Statement) -> Iterator[tuple[int, int, bool, bool]]:
    """Where a piece has something else of the sort; whether the claim says it too; whether one side of it tells enough.

    One side does not if the piece has the item as well, close by (`5 (range 2 to 7)`) or, for a name, at all (a list).
    """
    own = _own_places(item, claim, piece)
    if isinstance(item, Quantity):
        for known in piece.quantities:
            if not agree(item, known) and (known.kind == "ordinal") == (item.kind == "ordinal"):
                said = any(agree(quantity, known) for quantity in claim.quantities)
                close = any(abs(first - known.first) <= _CLOSE_BY for first, _ in own)
                yield known.first, known.last, said, known.kind == item.kind and not close and not piece.head
        return
    absent = not _holds(piece, item, claim)
    for name in piece.names:
        theirs = piece.stems[name.first : name.last + 1]
        said = claim.words.issuperset(theirs)
        partly = said and not set(theirs).isdisjoint(claim.stems[item.first : item.last + 1])
        if claim.stems[item.at] not in theirs and not partly and (name.sure or item.name.sure):
            yield name.first, name.last, said, absent


def _in_its_place(item: _Item, claim: Statement, rival: _Item, piece: Statement) -> bool:
    """Whether a rival number stands by the same telling word, or is as alone of its sort as the item is."""
    if not isinstance(item, Quantity) or not isinstance(rival, Quantity):
        return False
    before, after = claim.beside(item.first, item.last)
    known_before, known_after = piece.beside(rival.first, rival.last)
    telling = {claim.stems[at] for at in claim.telling}
    if (before == known_before and before in telling) or (after == known_after and after in telling):
        return True
    if claim.head or piece.head:
        return False
    alone = [q for q in claim.quantities if comparable(item, q)] == [item]
    return alone and [q for q in piece.quantities if comparable(item, q)] == [rival]
