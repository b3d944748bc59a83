"""Parts of a question that an answer leaves open, and the evidence does not."""

from collections.abc import Sequence

from chains.aspects import Aspect, answers, aspects, covered
from graph.bench import Bench, Mended, Note
from graph.evidence import Piece
from graph.lines import Line, without_markers
from language.sentences import leans_back

_MOST = 2
"""Sentences added to one answer."""


def answer_open_parts(lines: Sequence[Line], bench: Bench) -> Mended:
    """Add a sentence for a part of the question that the answer leaves open and the evidence does not."""
    said = [without_markers(line.text) for line in lines]
    added: list[Line] = []
    notes: list[Note] = []
    for aspect in aspects(bench.question, bench.idf):
        if len(added) == _MOST or covered(aspect, said) or (aspect.first and any(map(leans_back, said))):
            continue
        piece = _answering(aspect, bench)
        line = None if piece is None or not lines else _standing_alone(lines[-1], piece, bench)
        if line is not None and piece is not None:
            added.append(line)
            said.append(line.text)
            notes.append(Note("aspect", f"“{aspect.text.rstrip('?')}” was left open; “{piece.title}” answers it"))
    return Mended([*lines, *added], notes)


def _answering(aspect: Aspect, bench: Bench) -> Piece | None:
    for piece in bench.pieces:
        known = piece.document.metadata
        about = f"{known['source']} {known['section'] or ''} {piece.document.page_content}"
        if known["score"] >= bench.floor and answers(aspect, bench.question, piece.text, about, bench.idf):
            return piece
    return None


def _standing_alone(last: Line, piece: Piece, bench: Bench) -> Line | None:
    alone = Line("", " ", last.verdict, (), None)
    return bench.quoting(alone, piece)
