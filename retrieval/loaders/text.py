"""Plain text."""

import re
from collections.abc import Iterator

from retrieval.loaders.blocks import MAX_BLOCKS, MAX_CHARACTERS, Block, Loaded, too_large
from retrieval.loaders.encodings import decode


def load_text(text: str) -> Loaded:
    """Plain text, kept verbatim: paragraphs are what blank lines separate."""
    blocks = [Block(start=start, end=end) for start, end in _paragraphs(text)]
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


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in [*(match.start() for match in re.finditer(r"(?:\r?\n[ \t]*){2,}", text)), len(text)]:
        begin, end = trim(text, start, cut)
        if begin < end:
            yield begin, end
        start = cut
