"""Revisions of an answer: sentences kept, repaired or left out, with citations that stay where they belong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from langchain_core.documents import Document

from callbacks.answer import AnswerStream, Judge
from callbacks.events import Change, CitationAttached, PartialAnswer
from callbacks.sources import Shown
from chains.disagreement import opposes
from language.words import content_terms

ACCEPTABLE = frozenset({"supported", "partial"})
_ALIKE = 0.6
"""The share of the words of the shorter of two sentences that both must have to be about the same."""
_MARKERS = re.compile(r"\s*(?:\[\d+\])+")
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*)$")


@dataclass(frozen=True, slots=True)
class Revision:
    """A text with its citations, and what was changed to get there."""

    text: str
    citations: list[CitationAttached]
    changes: list[Change]
    sentences: list[PartialAnswer]
    """Its sentences, with what the sources say of each."""


def disagreement(stream: AnswerStream, evidence: Sequence[Document]) -> str | None:
    """A sentence of another document that says the same as one of the answer's, but for a number or a negation.

    Within the documents that are cited, different figures are of different things as a rule.
    """
    cited = {stream.book[citation.source_id].event.document_id for citation in stream.citations}
    said = [(plain, set(content_terms(plain))) for plain in (without_markers(s.text) for s in stream.sentences)]
    for document in evidence:
        if document.metadata["document_id"] in cited:
            continue
        for start, end in document.metadata["sentences"]:
            piece = document.page_content[start:end]
            words = set(content_terms(piece))
            alike = [plain for plain, own in said if len(own & words) >= _ALIKE * max(1, min(len(own), len(words)))]
            if any(opposes(plain, piece) is not None for plain in alike):
                return piece
    return None


def changes_between(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Which sentences of a draft became which of a revision; the sentences of both in order."""
    plain_before = [" ".join(without_markers(text).split()) for text in before]
    plain_after = [" ".join(without_markers(text).split()) for text in after]
    changes = []
    for kind, start, end, at, until in SequenceMatcher(a=plain_before, b=plain_after).get_opcodes():
        if kind == "equal":
            continue
        new = list(after[at:until])
        for offset, sentence in enumerate(range(start, end)):
            rest = " ".join(new[offset:]) if sentence == end - 1 else " ".join(new[offset : offset + 1])
            changes.append(Change(sentence=sentence, before=before[sentence], after=rest))
        if start == end:
            changes.append(Change(sentence=start, before="", after=" ".join(new)))
    return changes


def without_markers(text: str) -> str:
    """A text without its visible citation markers."""
    return _MARKERS.sub("", text)


def problems(sentences: Sequence[PartialAnswer]) -> list[int]:
    """Which sentences nothing supports, or something contradicts."""
    return [at for at, sentence in enumerate(sentences) if sentence.support not in ACCEPTABLE]


def repair(
    stream: AnswerStream,
    shown: Sequence[Shown],
    unsafe: Callable[[str], bool],
    supporting: Mapping[int, tuple[str, int]],
) -> Revision:
    """Revision 1: each problem gets the citation that supports it, or is left out; the rest stays word for word.

    `supporting` says which sentence of which source speaks for a sentence, where a slower judge has found it.
    """
    sources = {source.event.source_id: source for source in shown}
    text = ""
    citations: list[CitationAttached] = []
    changes: list[Change] = []
    sentences: list[PartialAnswer] = []
    doubtful = set(problems(stream.sentences))
    previous_end = 0
    for at, sentence in enumerate(stream.sentences):
        gap, previous_end = stream.text[previous_end : sentence.start], sentence.end
        own = [citation for citation in stream.citations if citation.sentence == at]
        wording, verdict = sentence.text, sentence
        if unsafe(wording) or at in doubtful:
            half = stream.truncated and at == len(stream.sentences) - 1  # no claim that could be supported
            place = supporting.get(at)
            if half or unsafe(wording):
                found = None
            elif place is not None and place[0] in sources:
                found = (sources[place[0]], place[1], sentence.score)
            else:
                found = _supporting(wording, shown, stream.judge)
            if found is None:
                changes.append(Change(sentence=at, before=wording, after=""))
                continue
            verdict = sentence.model_copy(update={"support": "supported", "score": round(found[2], 4)})
            wording, own = _recited(wording, found, sentence.start)
            changes.append(Change(sentence=at, before=sentence.text, after=wording))
        text += gap if text else gap.lstrip()
        shift = len(text) - sentence.start
        citations += [_moved(citation, shift, len(sentences)) for citation in own]
        moved = {"start": len(text), "end": len(text) + len(wording), "sentence": len(sentences), "revision": 1}
        sentences.append(verdict.model_copy(update={"text": wording, **moved}))
        text += wording
    return Revision(text, citations, changes, sentences)


def _supporting(wording: str, shown: Sequence[Shown], judge: Judge) -> tuple[Shown, int, float] | None:
    places = [(source, number) for source in shown for number in range(1, len(source.sentences) + 1)]
    judgement = judge(wording, [source.sentence(number)[0] for source, number in places])
    if judgement.support != "supported" or judgement.best is None:
        return None
    source, number = places[judgement.best]
    alone = judge(wording, [source.sentence(number)[0]])  # it will be the only one quoted
    return (source, number, alone.score) if alone.support == "supported" else None


def _recited(wording: str, found: tuple[Shown, int, float], start: int) -> tuple[str, list[CitationAttached]]:
    """The sentence with one marker in place of those it had, and the citation behind it."""
    shown, number, score = found
    plain = without_markers(wording)
    closing = _CLOSING.search(plain)
    cut = closing.start() if closing else len(plain)
    marker = f"[{shown.event.index}]"
    quote, source_start, source_end = shown.sentence(number)
    citation = CitationAttached(
        index=shown.event.index,
        source_id=shown.event.source_id,
        source=shown.event.source,
        section=shown.event.section,
        page=shown.event.page,
        confidence=round(score, 4),
        quote=quote,
        source_start=source_start,
        source_end=source_end,
        revision=1,
        start=start + cut + 1,
        end=start + cut + 1 + len(marker),
        sentence=0,
    )
    return f"{plain[:cut]} {marker}{plain[cut:]}", [citation]


def _moved(citation: CitationAttached, shift: int, sentence: int) -> CitationAttached:
    place = {"start": citation.start + shift, "end": citation.end + shift, "sentence": sentence, "revision": 1}
    return citation.model_copy(update=place)
