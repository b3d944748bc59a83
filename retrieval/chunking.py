"""Blocks to passages: whole sentences inside one section, never more than the encoder reads."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from language.invisible import visible
from language.sentences import Span, sentence_spans
from retrieval.loaders import Block
from retrieval.passages import Draft

MAX_WORDS = 150
MAX_PIECES = 220

CountPieces = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Sentence:
    start: int
    end: int
    words: int
    pieces: int


def cut_passages(text: str, blocks: Sequence[Block], count_pieces: CountPieces) -> list[Draft]:
    """Passages of about 100-150 words and at most 220 word pieces.

    Sections are cut into packs of nearly equal length, so that no passage is a forlorn last sentence;
    `text[draft.start:draft.end]` is the passage, exactly. A sentence longer than a pack is cut between words, one that
    nobody sees is left out. Sections and headers are what is shown of them, without invisible characters.
    """
    drafts: list[Draft] = []
    for (section, page, header), group in groupby(blocks, key=lambda block: (block.section, block.page, block.header)):
        spans = [span for block in group for span in _pieces_of(text, block, count_pieces)]
        drafts.extend(_draft(pack, section, page, header) for pack in _packs(spans))
    return drafts


def _pieces_of(text: str, block: Block, count_pieces: CountPieces) -> Iterator[_Sentence]:
    found = _lines(text, block) if block.kind in ("code", "row") else _shifted(text, block)
    spans = [(start, end) for start, end in found if visible(text[start:end]).strip()]
    counts = count_pieces([text[start:end] for start, end in spans])
    for (start, end), pieces in zip(spans, counts, strict=True):
        if pieces <= MAX_PIECES:
            yield _Sentence(start, end, len(text[start:end].split()), pieces)
        else:
            yield from _cut_between_words(text, start, end, count_pieces)


def _shifted(text: str, block: Block) -> list[Span]:
    return [(block.start + start, block.start + end) for start, end in sentence_spans(text[block.start : block.end])]


def _lines(text: str, block: Block) -> list[Span]:
    matches = re.finditer(r"[^\r\n]*[^\s][^\r\n]*", text[block.start : block.end])
    return [(block.start + match.start(), block.start + match.end()) for match in matches]


def _cut_between_words(text: str, start: int, end: int, count_pieces: CountPieces) -> Iterator[_Sentence]:
    """Parts of at most 220 pieces; a word that alone has more is cut inside."""
    words = [(start + match.start(), start + match.end()) for match in re.finditer(r"\S{1,400}", text[start:end])]
    counts = count_pieces([text[begin:stop] for begin, stop in words])
    first, total = 0, 0
    for at, count in enumerate([*counts, MAX_PIECES + 1]):
        if total + count > MAX_PIECES and at > first:
            yield _Sentence(words[first][0], words[at - 1][1], at - first, total)
            first, total = at, 0
        total += count


def _packs(sentences: Sequence[_Sentence]) -> Iterator[list[_Sentence]]:
    words = sum(sentence.words for sentence in sentences)
    target = words / max(1, math.ceil(words / MAX_WORDS))
    pack: list[_Sentence] = []
    pack_words = pack_pieces = 0
    for sentence in sentences:
        full = pack_pieces + sentence.pieces > MAX_PIECES
        enough = pack_words + sentence.words / 2 > target
        if pack and (full or enough):
            yield pack
            pack, pack_words, pack_pieces = [], 0, 0
        pack.append(sentence)
        pack_words += sentence.words
        pack_pieces += sentence.pieces
    if pack:
        yield pack


def _draft(pack: Sequence[_Sentence], section: str | None, page: int | None, header: str | None) -> Draft:
    start = pack[0].start
    return Draft(
        start=start,
        end=pack[-1].end,
        section=visible(section) or None if section else None,
        page=page,
        header=visible(header) or None if header else None,
        sentences=tuple((sentence.start - start, sentence.end - start) for sentence in pack),
    )
