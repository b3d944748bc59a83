"""Where the sources of a report disagree: both sides, in their own words, with their dates."""

from collections.abc import Sequence, Set

from langchain_core.documents import Document

from chains.headings import heading
from chains.prompts import readable
from chains.recency import dated, newer
from graph.bench import Bench
from graph.disagreements import comparable
from graph.evidence import Opposition, Piece
from graph.lines import DISPUTES

_TOLD = 3
"""Disagreements, at most."""


Quote = tuple[str, str]
"""A source id, and words of it."""


def disputed(
    known: Sequence[Opposition], passages: Sequence[Document], cited: Set[Quote], bench: Bench
) -> list[Opposition]:
    """Pairs of sentences that are about the same and cannot both be right, where a report rests on one of them."""
    sources = {passage.metadata["source_id"] for passage in passages}
    found = [
        pair
        for pair in known
        if cited & {(piece.place[0], piece.text) for piece in pair}
        and {pair.one.place[0], pair.other.place[0]} <= sources
        and comparable(pair.other, pair.one.text, pair.one, bench)
    ]
    return found[:_TOLD]


def told(pairs: Sequence[Opposition], passages: Sequence[Document], bench: Bench) -> tuple[str, list[str]]:
    """The section in the form in which a model would write it, with row numbers; and the headings in it."""
    numbers = {passage.metadata["source_id"]: number for number, passage in enumerate(passages, start=1)}
    lines: list[str] = []
    headings = [DISPUTES]
    for pair in pairs:
        order = newer(bench.account(pair.one), bench.account(pair.other))
        for piece, rank in ((pair.one, order), (pair.other, -order)):
            side = _heading(piece, rank, bench)
            headings.append(side)
            lines += [f"### {side}", f"{readable(piece.text)} [{numbers[piece.place[0]]}.{piece.number}]"]
    return "\n\n".join([f"## {DISPUTES}", *lines]), headings


def _heading(piece: Piece, rank: int, bench: Bench) -> str:
    title, date = heading(piece.title), dated(bench.account(piece))
    age = {1: "the newer one", -1: "the older one"}.get(rank)
    return ", ".join(part for part in (f"“{title}”" if title else "A source without a title", date, age) if part)
