"""What becomes of sentences that cannot stand as they are: another citation, other words, or nothing.

The least that makes a sentence right is taken, and none of it needs a model.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from callbacks.events import PartialAnswer, Trigger
from callbacks.placeholders import without_placeholders
from chains.recency import newer
from chains.rivals import closeness
from chains.subjects import about
from graph.bench import Bench, Mended, Note
from graph.evidence import Piece
from graph.lines import ACCEPTABLE, Line, resting, without_markers
from language.words import content_terms

_SAME_MATTER = 0.5
"""Of the words of a sentence that a source contradicts, in the one of it that takes its place."""
_SAME_MEANING, _SAME_TOPIC, _SAME_FIGURES = 0.75, 0.55, 0.4
"""The cosine of two sentences that say the same in other words, of two about the same, of two with the same numbers."""
_SAME_CLAIM = 0.66
"""Of the words of a sentence that no source has, numbers and names aside, in the one that takes its place."""
_COUNTED = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.IGNORECASE)
_CONVERTED = re.compile(r"\s*\((?:i\.e\. |about |approx\. |roughly )?[^()]*\d[^()]*\)")
"""What was calculated from the number before it."""


def trouble(line: Line, bench: Bench) -> Trigger | None:
    """Why a sentence cannot stand, if it cannot. What only lays a page out claims nothing."""
    if bench.unsafe(line.text):
        return "safety"
    if line.verdict.support in ACCEPTABLE or line.layout:
        return None
    return "contradicted" if line.verdict.support == "contradicted" else "unsupported"


def stands_for(line: Line, draft: Sequence[PartialAnswer]) -> bool:
    """Whether a rewritten sentence still says of the same matter what the one of the draft said wrongly."""
    if line.origin is None:
        return False
    before, after = without_markers(draft[line.origin].text), without_markers(line.text)
    return before.endswith("?") == after.endswith("?") and closeness(before, [after])[0] >= _SAME_MATTER


def settle_problems(lines: Sequence[Line], bench: Bench) -> Mended:
    """Each sentence that cannot stand gets the least that makes it right, or goes."""
    kept: list[Line] = []
    notes: list[Note] = []
    for line in lines:
        trigger = trouble(line, bench)
        mended: Line | None = line
        if trigger == "unsupported" and not bench.late():
            mended = _in_other_words(line, bench)
            trigger = None if mended is not None else trigger
        if trigger is not None:
            mended = _mended(line, trigger, bench)
            mended = None if mended is not None and _says_again(mended, [*kept, *lines], line) else mended
        elif line.verdict.support == "partial" and not bench.late():
            mended = _exact(line, bench)
            trigger = "unsupported" if mended is not line else None
        if mended is not None:
            kept.append(mended)
        if trigger is not None:
            notes.append(Note(trigger, _told(line, trigger, mended)))
    return Mended(_under_something(kept), notes)


def _mended(line: Line, trigger: Trigger, bench: Bench) -> Line | None:
    plain, own = without_markers(line.text), bench.cited_by(line)
    if trigger == "safety":
        return _without_what_was_removed(line, own, bench)
    if line.origin == bench.half or plain.endswith("?") or bench.late():
        return None
    found = _speaking_for(line, plain, bench)
    if trigger == "contradicted" and own:
        right = _first_corrected(line, own, bench) or _first_restated(line, own, bench)
        if right is not None and (found is None or _counts_as_much(own[0], found, bench)):
            return right
    if found is not None:
        return resting(line, plain, found, bench.judge)
    if plain.lstrip().startswith("#"):  # a sentence of a source is no heading
        return None
    near = bench.closest(plain)
    exact = _first_corrected(line, [*own, *(piece for piece in near if piece not in own)], bench)
    return exact or _first_restated(line, [*own, *_most_alike(plain, near, bench)], bench)


def _without_what_was_removed(line: Line, own: Sequence[Piece], bench: Bench) -> Line | None:
    """The sentence without the placeholders of what was taken out of it, if what is left is supported."""
    left = without_placeholders(without_markers(line.text))
    if not own or left == without_markers(line.text) or bench.unsafe(left):
        return None
    support = bench.judge(left, [own[0].text]).support
    return resting(line, left, own[0], bench.judge) if support in ACCEPTABLE else None


def _says_again(mended: Line, lines: Sequence[Line], line: Line) -> bool:
    """Whether another sentence of the answer says the very same."""
    plain = without_markers(mended.text).strip()
    return any(without_markers(other.text).strip() == plain for other in lines if other is not line)


def _under_something(lines: Sequence[Line]) -> list[Line]:
    """Without headings that nothing stands under any more."""
    kept: list[Line] = []
    for line in reversed(lines):
        if not (line.text.startswith("#") and (not kept or kept[-1].text.startswith("#"))):
            kept.append(line)
    return kept[::-1]


def _most_alike(plain: str, near: Sequence[Piece], bench: Bench) -> list[Piece]:
    """Sentences of the evidence, the most alike first."""
    cosines = dict(zip((piece.place for piece in near), bench.alike(plain, [p.text for p in near]), strict=True))
    return sorted(near, key=lambda piece: -cosines[piece.place])


def _counts_as_much(one: Piece, other: Piece, bench: Bench) -> bool:
    """Whether a sentence counts at least as much as another one that says otherwise."""
    fits, its = about(bench.question, bench.context(one), bench.context(other))
    return fits and (not its or newer(bench.account(one), bench.account(other)) >= 0)


def _in_other_words(line: Line, bench: Bench) -> Line | None:
    """The sentence as it is, in part supported, if only rare words weigh against it and no particular of it."""
    if line.origin == bench.half or not line.citations:
        return None
    plain, quotes = _CONVERTED.sub("", without_markers(line.text)), [citation.quote for citation in line.citations]
    cited = {citation.source_id for citation in line.citations}
    around = [piece for piece in bench.pieces if piece.place[0] in cited]
    titles = {bench.context(piece).title for piece in around}
    judgement = bench.plainly(plain, [*(piece.text for piece in around), *titles])
    if not set(judgement.parts) <= {"negation"} or judgement.support == "contradicted":
        return None
    own = bench.plainly(plain, quotes)
    if own.support not in ACCEPTABLE:
        borne = _COUNTED.search(plain) is not None and "numbers" not in own.parts
        if max(bench.alike(plain, quotes)) < (_SAME_FIGURES if borne else _SAME_MEANING):
            return None
    score, method = round(min(judgement.score, 0.5), 4), f"{judgement.method}+plain"
    verdict = line.verdict.model_copy(update={"support": "partial", "score": score, "method": method})
    return replace(line, verdict=verdict)


def _exact(line: Line, bench: Bench) -> Line:
    """A sentence whose sources have all of it but a number or a name: with theirs, if that makes it right."""
    plain = without_markers(line.text)
    documents = {piece.document_id for piece in bench.cited_by(line)}
    own = [piece for piece in bench.pieces if piece.document_id in documents]
    if not own or not {"numbers", "entities"} & set(bench.judge(plain, [piece.text for piece in own]).parts):
        return line
    cited = bench.cited_by(line)
    near = [piece for piece in bench.closest(plain) if piece in own and piece not in cited]
    return _first_corrected(line, [*cited, *near], bench) or line


def _speaking_for(line: Line, plain: str, bench: Bench) -> Piece | None:
    place = bench.supporting.get(line.origin) if line.origin is not None else None
    if place is not None:
        return bench.at(place)
    judgement = bench.judge(plain, [piece.text for piece in bench.pieces])
    if judgement.support != "supported" or judgement.best is None:
        return None
    piece = bench.pieces[judgement.best]
    return piece if bench.judge(plain, [piece.text]).support == "supported" else None


def _first_corrected(line: Line, pieces: Sequence[Piece], bench: Bench) -> Line | None:
    return next(filter(None, (bench.corrected(line, piece) for piece in pieces)), None)


def _first_restated(line: Line, pieces: Sequence[Piece], bench: Bench) -> Line | None:
    fitting = [piece for piece in pieces if not _elsewhere(piece, bench)]
    return next(filter(None, (_restated(line, piece, bench) for piece in fitting)), None)


def _elsewhere(piece: Piece, bench: Bench) -> bool:
    """Whether a sentence is of a document about something else than was asked, as the best one shows."""
    best = bench.pieces[0]
    fits, _ = about(bench.question, bench.context(piece), bench.context(best))
    return piece.document_id != best.document_id and not fits


def _restated(line: Line, piece: Piece, bench: Bench) -> Line | None:
    """The source's own sentence, if it speaks of the same."""
    plain = without_markers(line.text)
    if line.verdict.support == "contradicted":
        wanted = set(content_terms(plain))
        same = len(wanted & piece.words) >= _SAME_MATTER * min(len(wanted), len(piece.words))
    else:
        least = _SAME_TOPIC if piece in bench.cited_by(line) else _SAME_MEANING
        same = closeness(plain, [piece.text])[0] >= _SAME_CLAIM or bench.alike(plain, [piece.text])[0] >= least
    return bench.quoting(line, piece) if same else None


def _told(line: Line, trigger: Trigger, mended: Line | None) -> str:
    number = f"sentence {line.verdict.sentence + 1}"
    if trigger == "safety":
        return f"{number} held what must not be said, and {'was left out' if mended is None else 'stands without it'}"
    why = f"{number}: its sources say otherwise" if trigger == "contradicted" else f"{number} was not supported"
    if mended is None:
        return f"{why}; left out"
    assert mended.rests_on is not None
    title = mended.rests_on.title
    same = without_markers(line.text) == mended.text
    return f"{why}; “{title}” supports it" if same else f"{why}; put right from “{title}”"
