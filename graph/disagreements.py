"""Where another document says otherwise than the one an answer rests on: which one is followed, or both are told."""

import re
from collections.abc import Sequence

from chains.headings import heading
from chains.occasions import of_other_occasions
from chains.prompts import readable
from chains.recency import Account, ahead, newer, year_of
from chains.rivals import another_subject, bygone, closeness, same_name, says_otherwise
from chains.subjects import Context, about, another_year
from graph.bench import Bench, Mended, Note
from graph.evidence import Opposition, Piece, Place, oppositions
from graph.lines import Line, resting, without_markers
from language.words import content_terms

_SAME_CLAIM = 0.66
"""Of the words of a sentence, numbers and names aside, in one that says the same matter."""
_NEWER, _ASKED_ABOUT = 1, 2
_OLDER, _BESIDE_THE_POINT = -1, -2
_FORMER = re.compile(r"\b(?:old|previous|former|earlier|original|formerly|used to|back then)\b", re.IGNORECASE)
"""Asks for what held once: then both are told."""
_SOMEBODY = re.compile(r"\s*(?:he|she|his|her)\b", re.IGNORECASE)
"""Speaks of whom its document is about."""
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_NOTES = 2
"""Other sides told in one answer."""


def settle_disagreements(
    lines: Sequence[Line], bench: Bench, known: Sequence[Opposition], *, only_known: bool = False
) -> Mended:
    """Where another document says otherwise, one is followed: the one about what was asked, then the newer one.

    If nothing tells which that is, both sides are told. `only_known` looks for nothing besides what is known.
    """
    rest = [piece.place for line in lines if not line.disputed for piece in bench.cited_by(line)]
    told = [piece for line in lines if line.disputed for piece in bench.cited_by(line)]
    known = [*known, *oppositions(told, told, bench.idf)]
    beside: list[Place] = [piece.place for piece in told]
    kept: list[Line] = []
    notes: list[Note] = []
    for line in lines:
        own = [] if bench.late() or line.layout or line.disputed else bench.cited_by(line)
        against = _against(line, own, bench, known, only_known=only_known) if own else []
        if not against:
            kept.append(line)
            continue
        piece, rank = _foremost(against, own[0], bench)
        title, ours, pair = heading(piece.title), heading(own[0].title), Opposition(own[0], piece)
        why = "is newer than" if rank == _NEWER else "speaks of what was asked, other than"
        if rank > 0 and piece.place in rest and _told_already(piece, lines, line):
            notes.append(Note("disagreement", f"“{title}” {why} “{ours}” and was cited already", pair))
        elif rank > 0 and (following := bench.corrected(line, piece) or bench.quoting(line, piece)) is not None:
            kept.append(following)
            notes.append(Note("disagreement", f"“{title}” says otherwise and {why} “{ours}”", pair))
        elif (
            rank >= 0
            and piece.place not in [*rest, *beside]
            and sum(note.trigger is not None for note in notes) < _NOTES
        ):
            kept += [line, _beside(line, piece, bench)]
            beside.append(piece.place)
            notes.append(Note("disagreement", f"“{title}” says otherwise than “{ours}”, and none is the newer one"))
        else:
            kept.append(line)
            if rank == 0 and piece in told:
                notes.append(Note("disagreement", f"“{title}” says otherwise than “{ours}”, and both are told", pair))
            if rank == _OLDER:
                notes.append(Note(None, f"“{title}” says otherwise and is older than “{ours}”", pair))
    return Mended(kept, notes)


def _told_already(piece: Piece, lines: Sequence[Line], line: Line) -> bool:
    """Whether another sentence of the answer says what a source says."""
    others = [without_markers(other.text) for other in lines if other is not line and not other.disputed]
    return any(closeness(readable(piece.text), [other])[0] >= _SAME_CLAIM for other in others)


def _against(
    line: Line, own: Sequence[Piece], bench: Bench, known: Sequence[Opposition], *, only_known: bool
) -> list[Piece]:
    """What other documents about the same thing say otherwise, the closest first."""
    plain, places = without_markers(line.text), {piece.place for piece in own}
    found = {pair.other.place for pair in known if pair.one.place in places}
    found |= {pair.one.place for pair in known if pair.other.place in places}
    mine, words = bench.context(own[0]), set(content_terms(plain))
    asked = set(content_terms(bench.question))
    documents = {piece.document_id for piece in own}
    said = [] if only_known else [plain, own[0].text] if line.verdict.support == "supported" else [plain]
    against = []
    for piece in bench.pieces:
        if piece.document_id in documents or not words & piece.words or not comparable(piece, plain, own[0], bench):
            continue
        familiar = asked | mine.words
        opposed = piece.place in found or any(says_otherwise(one, piece.text, bench.judge, familiar) for one in said)
        if opposed and not says_the_same(piece, plain, bench):
            against.append(piece)
    near = dict(zip((piece.place for piece in against), closeness(plain, [p.text for p in against]), strict=True))
    return sorted(against, key=lambda piece: -near[piece.place])


def says_the_same(piece: Piece, plain: str, bench: Bench) -> bool:
    """Whether a document that has an opposing sentence has one as close to a line that bears it out."""
    others = [
        other
        for other in bench.pieces
        if other.document_id == piece.document_id and other.place != piece.place and not bygone(other.text)
    ]
    near, *rest = closeness(plain, [piece.text, *(other.text for other in others)])
    agreeing = [other for other, its in zip(others, rest, strict=True) if its >= near]
    return any(bench.judge(plain, [other.text]).support == "supported" for other in agreeing)


def comparable(piece: Piece, plain: str, own: Piece, bench: Bench) -> bool:
    """Whether a sentence can be about what a line is about.

    Not if its document is about something else than was asked, if it calls its matter by a word of its own title that
    nobody else uses, or if both tell what was in years or on occasions of their own.
    """
    mine, its = bench.context(own), bench.context(piece)
    asked, said = set(content_terms(bench.question)), set(content_terms(plain))
    if another_subject(plain, mine.named, piece.text, its.named) or another_year(bench.question, mine, its):
        return False
    if (mine.named & said) - its.words - piece.words:
        return False
    if _SOMEBODY.match(piece.text) and not mine.named & its.named:
        return False
    if not same_name(plain, piece.text):
        if not about(bench.question, mine, its)[1]:
            return False
        if its.apart(asked | said, mine) & piece.words or (mine.named & asked & said) - its.named - piece.words:
            return False
    if bygone(plain) and bygone(piece.text) and its.year != mine.year and None not in (its.year, mine.year):
        return False
    return not of_other_occasions(bench.account(own), bench.account(piece))


def _foremost(against: Sequence[Piece], own: Piece, bench: Bench) -> tuple[Piece, int]:
    """The opposing sentence that counts most: one about what was asked, the newest, one of unknown age."""
    mine = bench.account(own)
    ranked = [(piece, _rank(piece, own, mine, bench)) for piece in against]
    best, rank = ranked[0]
    for piece, its in ranked[1:]:
        if its > rank or (its == rank and newer(bench.account(piece), bench.account(best)) > 0):
            best, rank = piece, its
    return best, rank


def _rank(piece: Piece, own: Piece, mine: Account, bench: Bench) -> int:
    one, other = bench.context(own), bench.context(piece)
    fits, its = about(bench.question, one, other)
    if its and not fits:
        return _ASKED_ABOUT
    if fits and not its and not same_subject(one, other):
        return _BESIDE_THE_POINT
    account = bench.account(piece)
    if ahead(account):
        return 0
    told = newer(account, mine)
    before = _FORMER.search(bench.question) or _asks_of_before(bench.question, account)
    return 0 if told > 0 and before else told


def _asks_of_before(question: str, account: Account) -> bool:
    """Whether a question is about a year before a source was made."""
    years, made = [int(year) for year in _YEAR.findall(question)], year_of(account)
    return bool(years) and made is not None and max(years) < made


def same_subject(one: Context, other: Context) -> bool:
    """Whether two documents are called after the same things, kinds of text and years aside."""
    return not one.apart(set(), other) and not other.apart(set(), one)


def _beside(line: Line, piece: Piece, bench: Bench) -> Line:
    """A sentence that tells the other side, in its own words."""
    said = readable(piece.text)
    line = resting(line, said, piece, bench.judge)
    wording = f"However, “{heading(piece.title)}” says: “{said.rstrip('. ')}”."
    return Line(wording, " ", line.verdict, (), line.origin, piece)
