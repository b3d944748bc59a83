"""What belongs together within one sentence: a direction to its subject, a number to its clause and its year."""

from collections.abc import Callable, Iterable, Iterator, Set
from typing import NamedTuple

from chains.statement import Statement
from language.polarity import opposites
from language.quantities import Quantity, agree, same_unit
from language.words import stem

_DAYS = frozenset("monday tuesday wednesday thursday friday saturday sunday".split())
_CONDITIONS = frozenset(map(stem, "during after before inside outside within above below under over".split()))
_FAR = 3
"""What a condition is about stands no more words behind it than this."""
_OPENING = frozenset(
    "the a an this that these those its their his her our your my every each all any no some per of for with in on at "
    "by from during after before under and or".split()
)
"""What a noun and the words that describe it begin with, if not with a sentence or a clause."""
_INDIFFERENT = frozenset(
    map(
        stem,
        "new old current present former previous latest total overall usual normal standard regular exact whole full "
        "same own now still also only maximum minimum average".split(),
    )
)
_LINKING = frozenset("for of with".split())
"""Joins a noun to another one that says which is meant."""


class _Key(NamedTuple):
    """What a number may be of: a year, a month or a day of the week."""

    sort: str
    value: float | str
    at: int


def direction_fits(claim: Statement, at: int, contrary: Set[str], piece: Statement) -> bool | None:
    """Whether a piece that has a word of the claim and its opposite says the word of the same thing as the claim.

    None if that cannot be told: the two stand in one clause, or nothing that the claim says tells them apart.
    """
    word = claim.stems[at]
    own = [clause for clause in piece.clauses if word in _stems(piece, clause)]
    turned = [clause for clause in piece.clauses if not contrary.isdisjoint(_stems(piece, clause))]
    if not own or not turned or any(clause in turned for clause in own):
        return None
    subject = _subject(claim, _clause_of(claim, at), lambda one: one == word)
    first = _subjects(piece, own, lambda one: one == word)
    second = _subjects(piece, turned, lambda one: one in contrary)
    if subject and first and second:
        here, there = subject <= first, subject <= second
        if here != there:
            return here
    if not contrary.isdisjoint(claim.words):
        return None
    end = _clause_of(claim, at).stop
    behind = {claim.stems[near] for near in claim.telling if at < near < end}
    if not (first and second):
        behind |= {claim.stems[near] for near in claim.telling if near < at} - first - second
    mine, theirs = _all_stems(piece, own), _all_stems(piece, turned)
    here = not behind.isdisjoint(mine - theirs - first)
    there = not behind.isdisjoint(theirs - mine - second)
    return here if here != there else None


def number_fits(claim: Statement, item: Quantity, piece: Statement) -> bool | None:
    """Whether a piece that has a number of the claim has it of the same year and clause; None if unknown."""
    paired = _pairs_fit(claim, item, piece)
    return paired if paired is not None else _clause_fits(claim, item, piece)


def on_condition(claim: Statement, pieces: Iterable[Statement]) -> tuple[list[Statement], bool]:
    """The pieces that do not speak of the opposite condition (`after probation`, not `during probation`).

    All of them, and True, if none of those that speak of the condition at all speaks of the claim's own.
    """
    every = list(pieces)
    wanted = _conditions(claim)
    if not wanted:
        return every, False
    otherwise = [piece for piece in every if _on_another(wanted, _conditions(piece))]
    if not otherwise:
        return every, False
    if any(not wanted.isdisjoint(_conditions(piece)) for piece in every):
        return [piece for piece in every if piece not in otherwise], False
    return every, otherwise[0] is every[0]


def conditions_oppose(one: Statement, other: Statement) -> bool:
    """Whether the two speak of opposite conditions."""
    return _on_another(_conditions(one), _conditions(other))


def called_otherwise(one: Statement, other: Statement, until: int | None = None) -> bool:
    """Whether the two tell different things apart under one noun: `main pump` and `spare pump`, `fee for` two groups.

    Words that only one of the two has tell nothing apart, and names are not looked at. Of the first, only what stands
    before the token `until` counts.
    """
    first, second = _described(one, until), _described(other)
    both = [(first[noun], second[noun]) for noun in first.keys() & second.keys()]
    return any(mine and theirs and mine.isdisjoint(theirs) for mine, theirs in both)


def narrower(one: Statement, other: Statement, familiar: Set[str]) -> bool:
    """Whether the other one speaks of a special case of what the first counts: `the spare pump` of `the pump`.

    Words that are familiar, or that say nothing of the thing, as in `the new fee`, make none.
    """
    known = one.words | familiar | _INDIFFERENT
    start = min((item.first for item in one.quantities), default=0)
    first, second = _described(one, start), _described(other)
    return any(second[noun] - known and not first[noun] - second[noun] for noun in first.keys() & second.keys())


def _described(statement: Statement, until: int | None = None) -> dict[tuple[str, str], set[str]]:
    """For each noun the words right before it, if any, and for each noun with a word like `for` those right behind."""
    plain = {at for at in statement.telling if until is None or at < until} - _counted(statement)
    plain -= {at for at in plain if statement.tokens[at].folded in _OPENING}
    plain -= {at for name in statement.names if name.sure for at in range(name.first, name.last + 1)}
    found: dict[tuple[str, str], set[str]] = {}
    starts = {clause.start for clause in statement.clauses}
    for run in _runs(plain, starts):
        words = [statement.stems[at] for at in run]
        before = statement.tokens[run[0] - 1].folded if run[0] else ""
        if run[0] in starts or before in _OPENING:
            for at, noun in enumerate(words):
                found.setdefault(("", noun), set()).update(words[:at])
        head, link = _linked(statement, run[0], plain)
        if head:
            found.setdefault((head, link), set()).update(words)
    return found


def _runs(plain: Set[int], starts: Set[int]) -> Iterator[list[int]]:
    """Words in a row, each within one clause."""
    run: list[int] = []
    for at in sorted(plain):
        if run and (at != run[-1] + 1 or at in starts):
            yield run
            run = []
        run.append(at)
    if run:
        yield run


def _linked(statement: Statement, at: int, plain: Set[int]) -> tuple[str, str]:
    """The noun that the words from here on are joined to, and the word that joins them; empty if there is none."""
    link = at - 1
    while link > 0 and statement.tokens[link].folded in _OPENING - _LINKING and at - link < 3:
        link -= 1
    if link < 1 or statement.tokens[link].folded not in _LINKING or link - 1 not in plain:
        return "", ""
    return statement.stems[link - 1], statement.tokens[link].folded


def _on_another(wanted: Set[tuple[str, str]], known: Set[tuple[str, str]]) -> bool:
    return any(
        (condition, about) not in known and any((contrary, about) in known for contrary in opposites(condition))
        for condition, about in wanted
    )


def _conditions(statement: Statement) -> set[tuple[str, str]]:
    """Pairs like (`after`, `probation`)."""
    found = set()
    if not _CONDITIONS.isdisjoint(statement.words):
        telling = set(statement.telling)
        for at, one in enumerate(statement.stems):
            if one in _CONDITIONS:
                about = next((near for near in range(at + 1, at + 1 + _FAR) if near in telling), None)
                if about is not None:
                    found.add((one, statement.stems[about]))
    return found


def _pairs_fit(claim: Statement, item: Quantity, piece: Statement) -> bool | None:
    for sort in ("year", "month", "day"):
        said, known = _pairs(claim, item, sort), _pairs(piece, item, sort)
        keys = {value for number, value in said if number is item}
        theirs = {value for number, value in known if agree(item, number)}
        taken = {value for number, value in known if not agree(item, number)}
        if len(keys) == 1 and theirs and taken:
            if keys <= theirs:
                return True
            if keys <= taken:
                return False
    return None


def _pairs(statement: Statement, item: Quantity, sort: str) -> list[tuple[Quantity, float | str]]:
    """Numbers like `item`, each with its key, where the order of the sentence tells: `5 in 2020 and 7 in 2021`."""
    numbers = [q for q in statement.quantities if q.kind not in {"year", "month", "day", "date"} and _alike(item, q)]
    keys = [key for key in _keys(statement) if key.sort == sort]
    if len(keys) == 1 and len(numbers) == 1:
        return [(numbers[0], keys[0].value)]
    if len(keys) != len(numbers):
        return []
    order = sorted([(q.first, "n") for q in numbers] + [(key.at, "k") for key in keys])
    shape = "".join(sort for _, sort in order)
    count = len(keys)
    if shape in {"nk" * count, "kn" * count, "n" * count + "k" * count, "k" * count + "n" * count}:
        return [(number, key.value) for number, key in zip(numbers, keys, strict=True)]
    return []


def _alike(item: Quantity, other: Quantity) -> bool:
    return item is other or same_unit(item, other) or (item.kind == other.kind and not (item.unit and other.unit))


def _keys(statement: Statement) -> list[_Key]:
    found = [_Key(q.kind, q.value, q.first) for q in statement.quantities if q.kind in {"year", "month"}]
    days = [(at, token.folded.removesuffix("s")) for at, token in enumerate(statement.tokens)]
    return found + [_Key("day", day, at) for at, day in days if day in _DAYS]


def _clause_fits(claim: Statement, item: Quantity, piece: Statement) -> bool | None:
    if len(piece.clauses) < 2:
        return None
    own = [known for known in piece.quantities if agree(item, known)]
    if len(own) != 1:
        return None
    here = _clause_of(piece, own[0].first)
    others = [
        known
        for known in piece.quantities
        if known.first not in here and _counts_the_same(piece, own[0], known) and not _said(claim, known)
    ]
    if not others:
        return None
    around = _all_stems(piece, [here])
    theirs = set().union(*(_all_stems(piece, [_clause_of(piece, known.first)]) for known in others))
    shared = around & theirs
    subject = _words_before(claim, item) - shared
    mine = _words_before(piece, own[0]) - shared
    if not mine or not mine.isdisjoint(claim.words) or not subject:
        return None
    return False if subject <= theirs else None


def _said(claim: Statement, known: Quantity) -> bool:
    return any(agree(said, known) for said in claim.quantities)


def _counts_the_same(piece: Statement, one: Quantity, other: Quantity) -> bool:
    if one.kind != other.kind or one.kind in {"year", "month", "day", "ordinal", "date"}:
        return False
    if one.unit or other.unit or one.kind == "percent":
        return same_unit(one, other)
    return piece.beside(one.first, one.last)[1] == piece.beside(other.first, other.last)[1] != ""


def _words_before(statement: Statement, item: Quantity) -> set[str]:
    """The telling words of the clause before a number, without other numbers."""
    counted = _counted(statement)
    start = _clause_of(statement, item.first).start
    return {statement.stems[at] for at in statement.telling if start <= at < item.first and at not in counted}


def _clause_of(statement: Statement, at: int) -> range:
    return next(clause for clause in statement.clauses if at in clause)


def _stems(statement: Statement, clause: range) -> tuple[str, ...]:
    return statement.stems[clause.start : clause.stop]


def _all_stems(statement: Statement, clauses: Iterable[range]) -> set[str]:
    return {word for clause in clauses for word in _stems(statement, clause)}


def _subject(statement: Statement, clause: range, at_word: Callable[[str], bool]) -> set[str]:
    """The telling word right before the first word that is meant, in its clause; no number."""
    counted = _counted(statement)
    telling = set(statement.telling) - counted
    end = next((at for at in clause if at_word(statement.stems[at])), clause.start)
    before = [at for at in clause if at < end and at in telling]
    return {statement.stems[before[-1]]} if before else set()


def _subjects(statement: Statement, clauses: Iterable[range], at_word: Callable[[str], bool]) -> set[str]:
    """Every telling word before the word that is meant, of several clauses."""
    found: set[str] = set()
    for clause in clauses:
        end = next((at for at in clause if at_word(statement.stems[at])), clause.start)
        found |= {statement.stems[at] for at in statement.telling if clause.start <= at < end}
    return found - {statement.stems[at] for at in _counted(statement)}


def _counted(statement: Statement) -> set[int]:
    """The tokens of the numbers, those that only put things in an order left out."""
    return {at for q in statement.quantities if q.kind != "ordinal" for at in range(q.first, q.last + 1)}
