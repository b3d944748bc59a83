"""Which rows of the evidence each section of a report is made of: those that answer its part rather than another."""

from collections.abc import Sequence
from typing import NamedTuple

from chains.kinds import holds_kind, untold
from chains.selection import Row, select, with_context
from language.sentences import points_back
from language.words import content_terms

_FOLLOWED_UP = 1
"""Sentences of a section for each query after its first one, at most."""
_FOREIGN = 0.75
"""Of its score for another part: a row below that, which has none of the words that tell the parts apart, is the
other's."""
_FLOOR = 0.5
"""Of the score of a section's best row, for any further one; and of a better row that is another part's."""
_FOLLOWING, _OF_THE_BEST = 0.35, 0.5
"""The score from which on a row answers a follow-up query, and its share of the best score for that query."""

Place = tuple[int, int]


class Found(NamedTuple):
    """What a query has found, each row with its score for this query."""

    query: str
    rows: Sequence[Row]


class Wanted(NamedTuple):
    """A part of a question, with what was found for it: for its own words, then by follow-up queries."""

    question: str
    searches: Sequence[Found]


def sections(parts: Sequence[Wanted], most: int) -> list[list[Row]]:
    """For each part the rows that answer it, `most` of them for its own words; none where all it has is another's.

    None either of one of several parts that asks for an amount or the like, if no row that was found tells one.

    A part's best row is said, whatever other sections say. Further rows go to the part that they answer best, measured
    by the best row of each, and are said once, but for those that name what another one speaks of.
    """
    told: set[str] = set()
    written = []
    for at, part in enumerate(parts):
        chosen = _section(part, [other for number, other in enumerate(parts) if number != at], most, told)
        told |= {row.text for row in chosen}
        written.append(chosen)
    answers = [
        [] if untold(part.question, [row.text for row in chosen]) else chosen
        for part, chosen in zip(parts, written, strict=True)
    ]
    return answers if len(parts) > 1 and any(answers) else written


def _section(part: Wanted, others: Sequence[Wanted], most: int, told: set[str]) -> list[Row]:
    if not part.searches:
        return []
    wanted = set(content_terms(part.question))
    telling = wanted.difference(*(content_terms(other.question) for other in others))
    scores = [_scores(other) for other in others]

    def own(row: Row) -> bool:
        return bool(row.words & telling) or holds_kind(part.question, row.text) is True

    def foreign(row: Row) -> bool:
        better = max((own.get(_place(row), 0.0) for own, _ in scores), default=0.0)
        return row.score < _FOREIGN * better and bool(telling) and not own(row)

    first, *following = part.searches
    rows = [row for row in first.rows if not foreign(row)]
    nearest = max(first.rows, key=lambda row: row.score)
    if foreign(nearest):  # what only comes near it says nothing of this part either
        rows = [row for row in rows if own(row) and row.score >= _FLOOR * nearest.score]
    best = select(first.query, rows, 1)
    chosen = _fitting(select(first.query, rows, most), best, scores, told)
    for search in sorted(following, key=lambda search: -max(row.score for row in search.rows)):
        left = wanted.difference(*(row.words for row in chosen))
        places = {_place(row) for row in chosen}
        least = max(_FOLLOWING, _OF_THE_BEST * max(row.score for row in search.rows))
        rows = [row for row in search.rows if row.words & left and _place(row) not in places and not foreign(row)]
        chosen += [row for row in select(search.query, rows, _FOLLOWED_UP) if row.score >= least]
    return _in_context(chosen, [row for search in part.searches for row in search.rows])


def _in_context(chosen: Sequence[Row], found: Sequence[Row]) -> list[Row]:
    """Each row behind those that name what it speaks of: under a heading about somebody else, `his` would be theirs."""
    once = {_place(row): row for row in (*found, *chosen)}
    contexts = with_context(list(once.values()))
    stretches: dict[Place, dict[Place, Row]] = {}
    for row in chosen:
        needed = contexts[once[_place(row)]]
        stretches.setdefault(_place(needed[0]), {}).update((_place(one), one) for one in needed)
    return [stretch[place] for stretch in stretches.values() for place in sorted(stretch)]


def _fitting(
    rows: Sequence[Row], best: Sequence[Row], scores: Sequence[tuple[dict[Place, float], float]], told: set[str]
) -> list[Row]:
    """The best rows of a section, of the others those that belong into it, with what they lean on."""
    top = max((row.score for row in best), default=0.0)
    kept: list[Row] = []
    for row in reversed(rows):
        leaned_on = bool(kept) and kept[-1].passage == row.passage and points_back(kept[-1].text)
        share = row.score / top if top else 0.0
        elsewhere = any(own.get(_place(row), 0.0) > share * highest for own, highest in scores)
        if row in best or leaned_on or (share >= _FLOOR and not elsewhere and row.text not in told):
            kept.append(row)
    return kept[::-1]


def _scores(part: Wanted) -> tuple[dict[Place, float], float]:
    """How well each row answers a part in its own words, and the best of these scores."""
    found = {_place(row): row.score for search in part.searches[:1] for row in search.rows}
    return found, max(found.values(), default=0.0)


def _place(row: Row) -> Place:
    return row.passage, row.sentence
