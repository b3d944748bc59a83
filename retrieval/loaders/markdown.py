"""CommonMark with tables."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from retrieval.loaders.blocks import Block, BlockKind, Loaded
from retrieval.loaders.encodings import decode
from retrieval.loaders.markdown_hidden import Open, after, shown_content, shown_spans
from retrieval.loaders.sections import Sections
from retrieval.loaders.text import check_size, trim

_OWNERS = {"heading_open", "paragraph_open", "fence", "code_block", "tr_open", "html_block"}
_KINDS: dict[str, BlockKind] = {"fence": "code", "code_block": "code", "tr_open": "row"}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A token that owns lines of text, with what is written in it: one inline token, or one for each cell of a row."""

    token: Token
    inline: tuple[Token, ...]
    in_header: bool

    @property
    def cells(self) -> list[str]:
        """The plain text of its cells; of a heading the only one."""
        return [shown_content(token.children or ()) for token in self.inline]


def load_markdown(text: str) -> Loaded:
    """Markdown, kept verbatim: sections follow the headings, code stays in one piece, rows know their header.

    HTML makes no blocks; a comment, or an element that is not shown, is cut out of the block it stands in.
    """
    line_starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    blocks: list[Block] = []
    sections = Sections()
    header: str | None = None
    hidden: Open | None = None
    for leaf in _leaves(MarkdownIt("commonmark").enable("table").parse(text)):
        assert leaf.token.map is not None
        first, last = leaf.token.map
        start, end = trim(text, _line(line_starts, text, first), _line(line_starts, text, last))
        if leaf.token.type == "html_block" or hidden is not None:
            hidden = after(text[start:end], hidden)
        elif leaf.in_header:
            header = " | ".join(leaf.cells)
        elif start < end and leaf.token.type == "heading_open":
            sections.enter(int(leaf.token.tag[1:]), " ".join("".join(leaf.cells).split()))
        elif start < end:
            kind = _KINDS.get(leaf.token.type, "text")
            of_table = header if kind == "row" else None
            for begin, stop in shown_spans(text, (start, end), leaf.inline):
                blocks.append(Block(start=begin, end=stop, kind=kind, section=sections.section, header=of_table))
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
            yield _Leaf(token, tuple(_inline(tokens, at)), in_header)


def _inline(tokens: Sequence[Token], at: int) -> Iterator[Token]:
    """The inline tokens of a paragraph, a heading or a row, which ends at the first token of its own level."""
    following = at + 1
    while tokens[at].nesting == 1 and tokens[following].level > tokens[at].level:
        if tokens[following].type == "inline":
            yield tokens[following]
        following += 1


def _line(starts: list[int], text: str, line: int) -> int:
    return starts[line] if line < len(starts) else len(text)
