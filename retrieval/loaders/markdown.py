"""CommonMark with tables."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.loaders.blocks import Block, BlockKind, Loaded
from retrieval.loaders.encodings import decode
from retrieval.loaders.sections import Sections
from retrieval.loaders.text import check_size, trim

_OWNERS = {"heading_open", "paragraph_open", "fence", "code_block", "tr_open"}
_KINDS: dict[str, BlockKind] = {"fence": "code", "code_block": "code", "tr_open": "row"}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A token that owns lines of text, with the cells of its row or the content of its heading."""

    token: Token
    cells: tuple[str, ...]
    in_header: bool


def load_markdown(text: str) -> Loaded:
    """Markdown, kept verbatim: sections follow the headings, code stays in one piece, rows know their header."""
    line_starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    blocks: list[Block] = []
    sections = Sections()
    header: str | None = None
    for leaf in _leaves(MarkdownIt("commonmark").enable("table").parse(text)):
        assert leaf.token.map is not None
        first, last = leaf.token.map
        start, end = trim(text, _line(line_starts, text, first), _line(line_starts, text, last))
        if leaf.in_header:
            header = " | ".join(leaf.cells)
        elif start < end and leaf.token.type == "heading_open":
            sections.enter(int(leaf.token.tag[1:]), " ".join("".join(leaf.cells).split()))
        elif start < end:
            kind = _KINDS.get(leaf.token.type, "text")
            of_table = header if kind == "row" else None
            blocks.append(Block(start=start, end=end, kind=kind, section=sections.section, header=of_table))
    check_size(text, blocks)
    return Loaded(text=text, title=sections.title, media_type="text/markdown", blocks=blocks)


def load_markdown_file(data: bytes) -> Loaded:
    """A Markdown file in any common encoding. Raises `LoadError`."""
    return load_markdown(decode(data))


def _leaves(tokens: Sequence[Token]) -> Iterator[_Leaf]:
    in_header = False
    for at, token in enumerate(tokens):
        if token.type in ("thead_open", "thead_close"):
            in_header = token.type == "thead_open"
        if token.type in _OWNERS and token.map is not None:
            yield _Leaf(token, _cells(tokens, at), in_header)


def _cells(tokens: Sequence[Token], at: int) -> tuple[str, ...]:
    """The plain text of the inline tokens of a heading or a row, which ends at the first token of its own level."""
    cells = []
    following = at + 1
    while tokens[at].nesting == 1 and tokens[following].level > tokens[at].level:
        if tokens[following].type == "inline":
            cells.append("".join(child.content for child in tokens[following].children or ()))
        following += 1
    return tuple(cells)


def _line(starts: list[int], text: str, line: int) -> int:
    return starts[line] if line < len(starts) else len(text)
