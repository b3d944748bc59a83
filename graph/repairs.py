"""What becomes of sentences that cannot stand as they are.

Another citation, other words, the other side beside them, or nothing: the least that makes it right. Each step takes an
answer as lines and gives lines back; none needs a model.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from callbacks.answer import Judge
from callbacks.events import PartialAnswer, Trigger
from chains.aspects import Aspect, answers, aspects, covered
from chains.correction import corrected
from chains.prompts import readable
from chains.recency import Account, newer
from chains.rivals import another_subject, bygone, closeness, same_name, says_otherwise
from chains.subjects import Context, about
from graph.evidence import Idf, Opposition, Piece, Place
from graph.lines import ACCEPTABLE, Line, resting, without_markers
from language.sentences import leans_back
from language.words import content_terms

_CLOSEST = 6
"""Sentences of the evidence by which a sentence may be put right."""
_SAME_MATTER = 0.5
"""Of the words of a sentence that a source contradicts, in the one of it that takes its place."""
_SAME_MEANING, _SAME_TOPIC, _SAME_FIGURES = 0.75, 0.55, 0.4
"""The cosine of two sentences that say the same in other words, of two about the same, of two with the same numbers."""
_COUNTED = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.IGNORECASE)
_CONVERTED = re.compile(r"\s*\((?:i\.e\. |about |approx\. |roughly )?[^()]*\d[^()]*\)")
"""What was calculated from the number before it."""
_SAME_CLAIM = 0.66
"""Of the words of a sentence that no source has, numbers and names aside, in the one that takes its place."""
_FEWEST_WORDS = 4
_NEWER, _ASKED_ABOUT = 1, 2
_NOTES = 2
"""Other sides told in one answer, and parts of the question added to it."""


class Note(NamedTuple):
    """What was done, and why, in words a reader understands."""

    trigger: Trigger
    text: str


class Mended(NamedTuple):
    """The answer as it is now."""

    lines: list[Line]
    notes: list[Note]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What repairs are made with."""

    question: str
    pieces: Sequence[Piece]
    """The sentences of the evidence that may be quoted, best passage first."""
    judge: Judge
    idf: Idf
    unsafe: Callable[[str], bool]
    account: Callable[[Piece], Account]
    """What a source says of its age, and what stands around."""
    plainly: Judge
    """The judge for whom every word weighs the same."""
    alike: Callable[[str, Sequence[str]], list[float]]
    """The cosine of a sentence and each of some others."""
    floor: float
    """The score from which on a passage counts."""
    supporting: Mapping[int, Place] = field(default_factory=dict)
    """Which place speaks for a sentence of the draft, where a slower judge has found it."""
    half: int | None = None
    """The sentence in which the model broke off: no claim that could be supported."""

    def at(self, place: Place) -> Piece | None:
        """The sentence at a place, if it may be quoted."""
        return next((piece for piece in self.pieces if piece.place == place), None)

    def cited_by(self, line: Line) -> list[Piece]:
        """The sentences a line rests on."""
        if line.rests_on is not None:
            return [line.rests_on]
        quoted = {(citation.source_id, citation.quote) for citation in line.citations}
        return [piece for piece in self.pieces if (piece.place[0], piece.text) in quoted]

    def closest(self, line: Line) -> list[Piece]:
        """What it cites, then what shares most words with it."""
        wanted = set(content_terms(without_markers(line.text)))
        own = self.cited_by(line)
        shared = {piece.place: len(wanted & set(content_terms(piece.text))) for piece in self.pieces}
        others = sorted(self.pieces, key=lambda piece: -shared[piece.place])[:_CLOSEST]
        return [*own, *(piece for piece in others if piece not in own)]


def trouble(line: Line, bench: Bench) -> Trigger | None:
    """Why a sentence cannot stand, if it cannot."""
    if bench.unsafe(line.text):
        return "safety"
    if line.verdict.support in ACCEPTABLE:
        return None
    return "contradicted" if line.verdict.support == "contradicted" else "unsupported"


def stands_for(line: Line, draft: Sequence[PartialAnswer]) -> bool:
    """Whether a rewritten sentence still says of the same matter what the one of the draft said wrongly."""
    if line.origin is None:
        return False
    before, after = without_markers(draft[line.origin].text), without_markers(line.text)
    return before.endswith("?") == after.endswith("?") and closeness(before, [after])[0] >= _SAME_MATTER


def settle_problems(lines: Sequence[Line], bench: Bench) -> Mended:
    """Each sentence that cannot stand gets the least that makes it right: a citation, other words, or it goes."""
    kept: list[Line] = []
    notes: list[Note] = []
    for line in lines:
        trigger = trouble(line, bench)
        mended: Line | None = line
        if trigger == "unsupported":
            mended = _in_other_words(line, bench)
            trigger = None if mended is not None else trigger
        if trigger is not None:
            mended = _mended(line, trigger, bench)
        elif line.verdict.support == "partial":
            mended = _exact(line, bench)
            trigger = "unsupported" if mended is not line else None
        if mended is not None:
            kept.append(mended)
        if trigger is not None:
            notes.append(Note(trigger, _told(line, trigger, mended)))
    return Mended(kept, notes)


def _mended(line: Line, trigger: Trigger, bench: Bench) -> Line | None:
    if trigger == "safety" or line.origin == bench.half:
        return None
    plain, own = without_markers(line.text), bench.cited_by(line)
    found = _speaking_for(line, plain, bench)
    if trigger == "contradicted" and own:
        right = _corrected(line, plain, own, bench) or _first_restated(line, own, bench)
        if right is not None and (found is None or _better_source(own[0], found, bench)):
            return right
    if found is not None:
        return resting(line, plain, found, bench.judge)
    exact = _corrected(line, plain, bench.closest(line), bench)
    if exact is not None:
        return exact
    return _first_restated(line, [*own, *_most_alike(plain, bench)], bench)


def _most_alike(plain: str, bench: Bench) -> list[Piece]:
    """The sentences of the evidence that may say otherwise: what shares words with a sentence, the most alike first."""
    wanted = set(content_terms(plain))
    near = sorted(bench.pieces, key=lambda piece: -len(wanted & set(content_terms(piece.text))))[:_CLOSEST]
    cosines = dict(zip((piece.place for piece in near), bench.alike(plain, [p.text for p in near]), strict=True))
    return sorted(near, key=lambda piece: -cosines[piece.place])


def _better_source(one: Piece, other: Piece, bench: Bench) -> bool:
    """Whether a sentence counts at least as much as another one that says otherwise."""
    fits, its = about(bench.question, _context(one, bench), _context(other, bench))
    return fits and (not its or newer(bench.account(one), bench.account(other)) >= 0)


def _in_other_words(line: Line, bench: Bench) -> Line | None:
    """The sentence as it is, in part supported, if only rare words weigh against it and no particular of it."""
    if line.origin == bench.half or not line.citations:
        return None
    plain, quotes = _CONVERTED.sub("", without_markers(line.text)), [citation.quote for citation in line.citations]
    cited = {citation.source_id for citation in line.citations}
    around = [piece for piece in bench.pieces if piece.place[0] in cited]
    judgement = bench.plainly(plain, [*(piece.text for piece in around), *{_context(p, bench).title for p in around}])
    if not set(judgement.parts) <= {"negation"} or judgement.support == "contradicted":
        return None
    own = bench.plainly(plain, quotes)
    if own.support not in ACCEPTABLE:
        borne = _COUNTED.search(plain) is not None and "numbers" not in own.parts
        if max(bench.alike(plain, quotes)) < (_SAME_FIGURES if borne else _SAME_MEANING):
            return None
    verdict = {
        "support": "partial",
        "score": round(min(judgement.score, 0.5), 4),
        "method": f"{judgement.method}+plain",
    }
    return replace(line, verdict=line.verdict.model_copy(update=verdict))


def _exact(line: Line, bench: Bench) -> Line:
    """A sentence whose sources have all of it but a number or a name: with theirs, if that makes it right."""
    plain = without_markers(line.text)
    documents = {piece.document_id for piece in bench.cited_by(line)}
    own = [piece for piece in bench.pieces if piece.document_id in documents]
    if not own or not {"numbers", "entities"} & set(bench.judge(plain, [piece.text for piece in own]).parts):
        return line
    return _corrected(line, plain, [piece for piece in bench.closest(line) if piece in own], bench) or line


def _speaking_for(line: Line, plain: str, bench: Bench) -> Piece | None:
    place = bench.supporting.get(line.origin) if line.origin is not None else None
    if place is not None:
        return bench.at(place)
    judgement = bench.judge(plain, [piece.text for piece in bench.pieces])
    if judgement.support != "supported" or judgement.best is None:
        return None
    piece = bench.pieces[judgement.best]
    return piece if bench.judge(plain, [piece.text]).support == "supported" else None


def _corrected(line: Line, plain: str, pieces: Sequence[Piece], bench: Bench) -> Line | None:
    for piece in pieces:
        wording = corrected(plain, readable(piece.text), bench.judge, _familiar(piece, bench))
        if wording is not None:
            return resting(line, wording, piece, bench.judge)
    return None


def _familiar(piece: Piece, bench: Bench) -> set[str]:
    """The words of what was asked about, and of what the document of a sentence is called after."""
    return set(content_terms(bench.question)) | _context(piece, bench).named


def _first_restated(line: Line, pieces: Sequence[Piece], bench: Bench) -> Line | None:
    fitting = [piece for piece in pieces if not _elsewhere(piece, bench)]
    return next(filter(None, (_restated(line, piece, bench) for piece in fitting)), None)


def _elsewhere(piece: Piece, bench: Bench) -> bool:
    """Whether a sentence is of a document about something else than was asked, as the best one shows."""
    best = bench.pieces[0]
    fits, _ = about(bench.question, _context(piece, bench), _context(best, bench))
    return piece.document_id != best.document_id and not fits


def _restated(line: Line, piece: Piece, bench: Bench) -> Line | None:
    """The source's own sentence, if it speaks of the same."""
    plain = without_markers(line.text)
    if line.verdict.support == "contradicted":
        wanted, said = set(content_terms(plain)), set(content_terms(piece.text))
        same = len(wanted & said) >= _SAME_MATTER * min(len(wanted), len(said))
    else:
        cited = piece in bench.cited_by(line)
        same = closeness(plain, [piece.text])[0] >= _SAME_CLAIM or (
            bench.alike(plain, [piece.text])[0] >= (_SAME_TOPIC if cited else _SAME_MEANING)
        )
    return _quoting(line, piece, bench) if same else None


def _quoting(line: Line, piece: Piece, bench: Bench) -> Line | None:
    """The source's own sentence, if it stands alone or leans on what the line leaned on."""
    wording = readable(piece.text)
    stands = len(wording.split()) >= _FEWEST_WORDS and (leans_back(line.text) or not leans_back(wording))
    stands = stands and not wording.endswith("?")
    return resting(line, wording, piece, bench.judge) if stands and not bench.unsafe(wording) else None


def _told(line: Line, trigger: Trigger, mended: Line | None) -> str:
    number = f"sentence {line.verdict.sentence + 1}"
    if trigger == "safety":
        return f"{number} held what must not be said, and was left out"
    why = f"{number}: its sources say otherwise" if trigger == "contradicted" else f"{number} was not supported"
    if mended is None:
        return f"{why}; left out"
    assert mended.rests_on is not None
    title = mended.rests_on.title
    same = without_markers(line.text) == mended.text
    return f"{why}; “{title}” supports it" if same else f"{why}; put right from “{title}”"


def settle_disagreements(lines: Sequence[Line], bench: Bench, known: Sequence[Opposition]) -> Mended:
    """Where another document says otherwise, one is followed: the one about what was asked, then the newer one.

    If nothing tells which that is, both sides are told.
    """
    rest = [piece.place for line in lines for piece in bench.cited_by(line)]
    kept: list[Line] = []
    notes: list[Note] = []
    for line in lines:
        own = bench.cited_by(line)
        against = _against(line, own, bench, known) if own else []
        if not against:
            kept.append(line)
            continue
        piece, rank = _foremost(against, own[0], bench)
        title, ours = piece.title, own[0].title
        why = "is newer than" if rank == _NEWER else "speaks of what was asked, other than"
        if rank > 0 and piece.place in rest and _told_already(piece, lines, line):
            notes.append(Note("disagreement", f"“{title}” {why} “{ours}” and was cited already"))
        elif rank > 0 and (following := _following(line, piece, bench)) is not None:
            kept.append(following)
            notes.append(Note("disagreement", f"“{title}” says otherwise and {why} “{ours}”"))
        elif rank >= 0 and piece.place not in rest and len(notes) < _NOTES:
            kept += [line, _beside(line, piece, bench)]
            notes.append(Note("disagreement", f"“{title}” says otherwise than “{ours}”, and none is the newer one"))
        else:
            kept.append(line)
    return Mended(kept, notes)


def _told_already(piece: Piece, lines: Sequence[Line], line: Line) -> bool:
    """Whether another sentence of the answer says what a source says."""
    others = [without_markers(other.text) for other in lines if other is not line]
    return any(closeness(readable(piece.text), [other])[0] >= _SAME_CLAIM for other in others)


def _against(line: Line, own: Sequence[Piece], bench: Bench, known: Sequence[Opposition]) -> list[Piece]:
    """What other documents about the same thing say otherwise, the closest first."""
    plain, places = without_markers(line.text), {piece.place for piece in own}
    found = {pair.other.place for pair in known if pair.one.place in places}
    found |= {pair.one.place for pair in known if pair.other.place in places}
    mine = _context(own[0], bench)
    asked = set(content_terms(bench.question))
    documents = {piece.document_id for piece in own}
    against = []
    said = [plain, own[0].text] if line.verdict.support == "supported" else [plain]
    for piece in bench.pieces:
        if piece.document_id in documents or not _comparable(piece, plain, asked, mine, bench):
            continue
        if piece.place in found or any(
            says_otherwise(one, piece.text, bench.judge, asked | mine.words) for one in said
        ):
            against.append(piece)
    near = dict(zip((piece.place for piece in against), closeness(plain, [p.text for p in against]), strict=True))
    return sorted(against, key=lambda piece: -near[piece.place])


def _comparable(piece: Piece, plain: str, asked: set[str], mine: Context, bench: Bench) -> bool:
    """Whether a sentence can be about what a line is about.

    Not if its document is about something else than was asked, if it calls its matter by a word of its own title that
    nobody else uses, or if both tell what was in years of their own.
    """
    if not set(content_terms(plain)) & set(content_terms(piece.text)):
        return False
    its = _context(piece, bench)
    if another_subject(plain, mine.named, piece.text, its.named):
        return False
    said, theirs = set(content_terms(plain)), set(content_terms(piece.text))
    if (mine.named & said) - its.words - theirs:
        return False
    if not same_name(plain, piece.text):
        if not about(bench.question, mine, its)[1]:
            return False
        if its.apart(asked | said, mine) & theirs or (mine.named & asked & said) - its.named - theirs:
            return False
    return not (bygone(plain) and bygone(piece.text) and its.year != mine.year and None not in (its.year, mine.year))


def _context(piece: Piece, bench: Bench) -> Context:
    account = bench.account(piece)
    return Context(account.title, account.text)


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
    fits, _ = about(bench.question, _context(own, bench), _context(piece, bench))
    return newer(bench.account(piece), mine) if fits else _ASKED_ABOUT


def _following(line: Line, piece: Piece, bench: Bench) -> Line | None:
    plain = without_markers(line.text)
    wording = corrected(plain, readable(piece.text), bench.judge, _familiar(piece, bench))
    return _quoting(line, piece, bench) if wording is None else resting(line, wording, piece, bench.judge)


def _beside(line: Line, piece: Piece, bench: Bench) -> Line:
    """A sentence that tells the other side, in its own words."""
    said = readable(piece.text)
    line = resting(line, said, piece, bench.judge)
    wording = f"However, “{piece.title}” says: “{said.rstrip('. ')}”."
    return Line(wording, " ", line.verdict, (), line.origin, piece)


def answer_open_parts(lines: Sequence[Line], bench: Bench) -> Mended:
    """Add a sentence for a part of the question that the answer leaves open and the evidence does not."""
    said = [without_markers(line.text) for line in lines]
    added: list[Line] = []
    notes: list[Note] = []
    for aspect in aspects(bench.question, bench.idf):
        if len(added) == _NOTES or covered(aspect, said) or (aspect.first and any(map(leans_back, said))):
            continue
        piece = _answering(aspect, bench)
        line = None if piece is None or not lines else _restated_alone(lines[-1], piece, bench)
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


def _restated_alone(last: Line, piece: Piece, bench: Bench) -> Line | None:
    wording = readable(piece.text)
    if len(wording.split()) < _FEWEST_WORDS or leans_back(wording) or bench.unsafe(wording):
        return None
    line = resting(last, wording, piece, bench.judge)
    return Line(line.text, " ", line.verdict, (), None, piece)
