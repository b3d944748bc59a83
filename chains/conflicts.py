"""Where a claim and its evidence part: numbers and names not borne out, one-sided denials, words turned round."""

from collections.abc import Iterator, Sequence, Set

from chains.clauses import direction_fits, on_condition
from chains.particulars import NEAR, unborne
from chains.statement import SAME_MATTER, Difference, Statement, Weights
from language.polarity import Negation, complements, denied_forms, opposites

_LONGEST = 400
"""Words of a claim beyond this many are not looked at one by one: it must stay quick."""


def differences(
    claim: Statement, pieces: Sequence[Statement], weights: Weights, elsewhere: Set[str] = frozenset()
) -> list[Difference]:
    """What of `claim` the pieces do not bear out; `elsewhere` are the words of all the evidence.

    Quick enough for the few pieces that share most words with the claim.
    """
    pieces, otherwise = on_condition(claim, pieces)
    found = list(unborne(claim, pieces, weights, elsewhere))
    found += [Difference("negation", opposed) for opposed in _unanswered(claim, pieces, weights)]
    if _overlooks_a_denial(claim, pieces, weights):
        found.append(Difference("negation", opposed=True))
    if otherwise or _turned_round(claim, pieces, weights):
        found.append(Difference("direction", opposed=True))
    return found


def _unanswered(claim: Statement, pieces: Sequence[Statement], weights: Weights) -> Iterator[bool]:
    """For each denial of the claim that no piece near has: whether one says there what the claim denies."""
    for negation in claim.negations[:_LONGEST]:
        scope, around = _reach(negation, claim)
        near = [piece.share(around, weights) for piece in pieces]
        places = [piece for piece, share in zip(pieces, near, strict=True) if share >= max(near) - NEAR / 2]
        denials = _denials_of(scope, claim)
        if scope and not any(_denials_of(scope, piece) >= denials for piece in places):
            yield max(near) >= SAME_MATTER and any(piece.share(scope, weights) >= 0.5 for piece in places)


def _reach(negation: Negation, statement: Statement) -> tuple[list[str], list[str]]:
    """The words a negation denies, and those with the ones around them."""
    scope = [statement.stems[at] for at in negation.scope]
    if not scope:
        return [], []
    if negation.about:
        return scope, [*scope, *(statement.stems[at] for at in negation.about)]
    return scope, [*scope, *statement.surroundings(min(negation.scope), max(negation.scope))]


def _denials_of(scope: Sequence[str], piece: Statement) -> int:
    """How many denials of a piece reach one of these words, by a negation or a word like `forbidden`."""
    outright = sum(not complements(word).isdisjoint(piece.words) for word in scope)
    return outright + sum(any(piece.stems[at] in scope for at in negation.scope) for negation in piece.negations)


def _overlooks_a_denial(claim: Statement, pieces: Sequence[Statement], weights: Weights) -> bool:
    """Whether a piece denies what the claim says, and none says it as the claim does."""
    for piece in pieces:
        for negation in piece.negations:
            scope, around = _reach(negation, piece)
            if not scope or sum(word in claim.words for word in scope) * 2 < len(scope):
                continue
            common = [word for word in around if word in claim.words]
            if len(common) < SAME_MATTER * len(around) or _denials_of(scope, claim):
                continue
            if not any(not _denials_of(scope, other) and other.share(common, weights) >= 1 - NEAR for other in pieces):
                return True
    return False


def _turned_round(claim: Statement, pieces: Sequence[Statement], weights: Weights) -> bool:
    """Whether a piece has, in the place of a word of the claim, one that says the opposite."""
    for at, word in enumerate(claim.stems[:_LONGEST]):
        contrary = opposites(word)
        forms = denied_forms(word) if at in claim.telling and not any(word in piece.words for piece in pieces) else ()
        if not contrary and not forms:
            continue
        around = claim.surroundings(at, at)
        near = [piece.share(around, weights) for piece in pieces]
        if max(near) < SAME_MATTER:
            continue
        places = [piece for piece, share in zip(pieces, near, strict=True) if share >= max(near) - 0.1]
        if _turned_at(claim, at, contrary.union(forms), places):
            return True
    return False


def _turned_at(claim: Statement, at: int, contrary: frozenset[str], places: Sequence[Statement]) -> bool:
    fits = [direction_fits(claim, at, contrary, piece) for piece in places]
    if False in fits and True not in fits:
        return True
    beside = claim.beside(at, at)
    own = [piece.beside(place, place) for piece in places for place in piece.places(claim.stems[at])]
    turned = [
        (piece.beside(place, place), word)
        for piece, fit in zip(places, fits, strict=True)
        for word in contrary
        for place in piece.places(word)
        if not fit and _denied_at(piece, place) == _denied_at(claim, at)
    ]
    if beside in own:
        return False
    if any(known == beside for known, _ in turned):
        return True
    return not own and any(
        (known[0] == beside[0] or known[1] == beside[1]) and word not in claim.words for known, word in turned
    )


def _denied_at(piece: Statement, place: int) -> bool:
    """Whether a word is denied: then it does not oppose its opposite, as `not allowed` does not `forbidden`."""
    return any(place in negation.scope for negation in piece.negations)
