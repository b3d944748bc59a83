"""Bytes to blocks: one function and one suffix per document type."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

BlockKind = Literal["heading", "text", "code"]


class LoadError(ValueError):
    """A document that cannot be read. `code` is stable; the message may be shown to whoever sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, a heading or a piece of code: `text[start:end]` in code points."""

    start: int
    end: int
    kind: BlockKind = "text"
    section: str | None = None
    """The headings above it, outermost first, joined by ` > `."""
    page: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A document's text, kept verbatim, and the blocks found in it."""

    text: str
    title: str | None
    media_type: str
    blocks: list[Block]


def load(name: str, data: bytes) -> Loaded:
    """Read a file by the suffix of its `name`. Raises `LoadError`."""
    loader = LOADERS.get(PurePosixPath(name).suffix.lower())
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        raise LoadError("unsupported_type", f"This kind of file is not supported; these are: {known}.")
    return loader(decode(data))


def decode(data: bytes) -> str:
    """UTF-8 or UTF-16 with a byte order mark. Raises `LoadError` for anything else."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise LoadError("undecodable", "The file is not UTF-8 text.") from error
    if "\0" in text:
        raise LoadError("undecodable", "The file holds NUL characters: it is not text.")
    return text


def load_text(text: str) -> Loaded:
    """Plain text: paragraphs are what blank lines separate."""
    blocks = [Block(start=start, end=end) for start, end in _paragraphs(text)]
    return Loaded(text=text, title=None, media_type="text/plain", blocks=blocks)


def load_markdown(text: str) -> Loaded:
    """CommonMark with tables: sections follow the headings, code stays in one piece."""
    line_starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    title: str | None = None
    for token, inline in _leaves(MarkdownIt("commonmark").enable("table").parse(text)):
        assert token.map is not None
        start, end = _trim(text, _line(line_starts, text, token.map[0]), _line(line_starts, text, token.map[1]))
        if start >= end:
            continue
        if token.type == "heading_open":
            heading = " ".join(_plain(inline).split())
            level = int(token.tag[1:])
            title = title or heading
            path = [(depth, name) for depth, name in path if depth < level] + [(level, heading)]
            continue
        section = " > ".join(name for depth, name in path if name != title or depth > 1) or None
        kind: BlockKind = "code" if token.type in ("fence", "code_block", "tr_open") else "text"
        blocks.append(Block(start=start, end=end, kind=kind, section=section))
    return Loaded(text=text, title=title, media_type="text/markdown", blocks=blocks)


LOADERS: dict[str, Callable[[str], Loaded]] = {
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".txt": load_text,
    ".text": load_text,
}

_LEAVES = {"heading_open", "paragraph_open", "fence", "code_block", "tr_open"}


def _leaves(tokens: list[Token]) -> Iterator[tuple[Token, Token | None]]:
    """The tokens that own lines of text, each with the inline token that follows it."""
    for at, token in enumerate(tokens):
        if token.type in _LEAVES and token.map is not None:
            inline = tokens[at + 1] if at + 1 < len(tokens) and tokens[at + 1].type == "inline" else None
            yield token, inline


def _plain(inline: Token | None) -> str:
    return "".join(child.content for child in inline.children or ()) if inline else ""


def _line(starts: list[int], text: str, line: int) -> int:
    return starts[line] if line < len(starts) else len(text)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for cut in [*(match.start() for match in re.finditer(r"(?:\r?\n[ \t]*){2,}", text)), len(text)]:
        begin, end = _trim(text, start, cut)
        if begin < end:
            yield begin, end
        start = cut
