"""Plain text."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from retrieval.loaders.blocks import MAX_BLOCKS, MAX_CHARACTERS, Block, Loaded, one_line, too_large
from retrieval.loaders.encodings import decode

_HEADING_WORDS, _HEADING_LETTERS = 8, 0.5
_FEWEST_HEADINGS = 2
"""A single line in capitals is a shout."""


def load_text(text: str) -> Loaded:
    """Plain text, kept verbatim: paragraphs are what blank lines separate, headings lines in capitals over others."""
    paragraphs = list(_paragraphs(text))
    heads = _heads(text, paragraphs)
    blocks: list[Block] = []
    section: str | None = None
    for start, end in paragraphs:
        if start in heads:
            section = one_line(text[start : heads[start]])
            start, _ = trim(text, heads[start], end)
        if start < end:
            blocks.append(Block(start=start, end=end, section=section))
    check_size(text, blocks)
    return Loaded(text=text, title=None, media_type="text/plain", blocks=blocks)


def load_text_file(data: bytes) -> Loaded:
    """A file of plain text in any common encoding. Raises `LoadError`."""
    return load_text(decode(data))


def check_size(text: str, blocks: list[Block]) -> None:
    """Raise `LoadError("too_large")` for a text beyond the bounds of `blocks`."""
    if len(text) > MAX_CHARACTERS:
        raise too_large(f"{MAX_CHARACTERS:,} characters")
    if len(blocks) > MAX_BLOCKS:
        raise too_large(f"{MAX_BLOCKS:,} paragraphs")


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space at its ends; empty, or the wrong way round, if there is nothing else."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _heads(text: str, paragraphs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Where the headings start and end: each has a text below it that is not in capitals."""
    found: dict[int, int] = {}
    for (start, end), (below, until) in pairwise([*paragraphs, (len(text), len(text))]):
        first = text.find("\n", start, end)
        stop, body = (end, text[below:until]) if first < 0 else (first, text[first:end])
        if _is_heading(text[start:stop].strip()) and any(char.islower() for char in body):
            found[start] = stop
    return found if len(found) >= _FEWEST_HEADINGS else {}


def _is_heading(line: str) -> bool:
    letters = sum(map(str.isalpha, line))
    short = len(line.split()) <= _HEADING_WORDS and letters >= max(2, _HEADING_LETTERS * len(line))
    return short and line.isupper() and line[-1] not in ".!?:;,"


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in [*(match.start() for match in re.finditer(r"(?:\r?\n[ \t]*){2,}", text)), len(text)]:
        begin, end = trim(text, start, cut)
        if begin < end:
            yield begin, end
        start = cut
