"""Where the sources of a report disagree: both sides, in their own words, with their dates."""

from collections.abc import Sequence, Set

from langchain_core.documents import Document

from chains.headings import heading
from chains.prompts import readable
from chains.recency import dated, newer
from graph.bench import Bench
from graph.disagreements import comparable, says_the_same
from graph.evidence import Opposition, Piece, oppositions
from graph.lines import DISPUTES, Line, aside, resting

_TOLD = 3
"""Disagreements, at most."""


Quote = tuple[str, str]
"""A source id, and words of it."""


def disputed(
    known: Sequence[Opposition], passages: Sequence[Document], cited: Set[Quote], bench: Bench
) -> list[Opposition]:
    """Pairs of sentences that are about the same and cannot both be right, where a report rests on one of them.

    Besides those that are `known`, what the report rests on is compared with all that may be quoted.
    """
    sources = {passage.metadata["source_id"] for passage in passages}
    own = [piece for piece in bench.pieces if (piece.place[0], piece.text) in cited]
    every = {frozenset((pair.one.place, pair.other.place)): pair for pair in oppositions(own, bench.pieces, bench.idf)}
    every |= {frozenset((pair.one.place, pair.other.place)): pair for pair in known}
    found = [
        pair
        for pair in every.values()
        if cited & {(piece.place[0], piece.text) for piece in pair}
        and {pair.one.place[0], pair.other.place[0]} <= sources
        and comparable(pair.other, pair.one.text, pair.one, bench)
        and not says_the_same(pair.other, pair.one.text, bench)
    ]
    return found[:_TOLD]


def told(pairs: Sequence[Opposition], passages: Sequence[Document], bench: Bench) -> tuple[str, list[str]]:
    """The section in the form in which a model would write it, with row numbers; and the headings in it."""
    numbers = {passage.metadata["source_id"]: number for number, passage in enumerate(passages, start=1)}
    lines: list[str] = []
    headings = [DISPUTES]
    for pair in pairs:
        for piece, rank in _sides(pair, bench):
            side = _heading(piece, rank, bench)
            headings.append(side)
            lines += [f"### {side}", f"{readable(piece.text)} [{numbers[piece.place[0]]}.{piece.number}]"]
    return "\n\n".join([f"## {DISPUTES}", *lines]), headings


def section(pairs: Sequence[Opposition], lines: Sequence[Line], bench: Bench) -> list[Line]:
    """The section for an answer that is written already, with what it does not tell of both sides."""
    stated = {piece.place for line in lines for piece in bench.cited_by(line)}
    every = {frozenset((pair.one.place, pair.other.place)): pair for pair in pairs}
    told = [pair for pair in every.values() if not {piece.place for piece in pair} <= stated]
    told = [pair for pair in told if not any(bench.unsafe(readable(piece.text)) for piece in pair)][:_TOLD]
    added = [aside(f"## {DISPUTES}")] if told else []
    for pair in told:
        for piece, rank in _sides(pair, bench):
            plain = Line("", "\n\n", lines[0].verdict, (), None, disputed=True)
            added += [
                aside(f"### {_heading(piece, rank, bench)}"),
                resting(plain, readable(piece.text), piece, bench.judge),
            ]
    return added


def _sides(pair: Opposition, bench: Bench) -> list[tuple[Piece, int]]:
    """Both sentences, each with 1 if it is the newer one, -1 if it is the older one."""
    order = newer(bench.account(pair.one), bench.account(pair.other))
    return [(pair.one, order), (pair.other, -order)]


def _heading(piece: Piece, rank: int, bench: Bench) -> str:
    title, date = heading(piece.title), dated(bench.account(piece))
    age = {1: "the newer one", -1: "the older one"}.get(rank)
    return ", ".join(part for part in (f"“{title}”" if title else "A source without a title", date, age) if part)
