"""The text of a document that has none of its own, composed block by block."""

from dataclasses import dataclass

from retrieval.loaders.blocks import (
    MAX_BLOCKS,
    MAX_CHARACTERS,
    Block,
    BlockKind,
    Loaded,
    one_line,
    too_large,
    without_untextual,
)
from retrieval.loaders.sections import Sections


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    block: Block


class TextBuilder:
    """Blocks in, `Loaded` out: a blank line between blocks, a line break between the rows of one table.

    A heading is text, not a block, as in Markdown; one that has nothing below it becomes a block, so that
    it can be found. Raises `LoadError("too_large")` beyond the bounds of `blocks`.
    """

    def __init__(self, media_type: str, title: str | None = None) -> None:
        self._media_type = media_type
        self._sections = Sections((title and one_line(without_untextual(title))) or None)
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._waiting: _Heading | None = None
        self._in_table = False

    def heading(self, level: int, text: str, page: int | None = None) -> None:
        """A heading, 1 the outermost level, 0 above all. White space in it is made one space."""
        text = one_line(without_untextual(text))
        if text:
            self._settle(level)
            start = self._append(text, "\n\n")
            block = Block(start=start, end=start + len(text), kind="heading", section=self._sections.section, page=page)
            self._sections.enter(level, text)
            self._waiting = _Heading(level, block)

    def add(self, text: str, kind: BlockKind = "text", page: int | None = None) -> None:
        """A block; its text is stripped, one without text is left out."""
        text = without_untextual(text).strip()
        if text:
            self._waiting = None
            start = self._append(text, "\n\n")
            self._blocks.append(
                Block(start=start, end=start + len(text), kind=kind, section=self._sections.section, page=page)
            )

    def row(self, text: str, page: int | None = None) -> None:
        """A row of a table, on one line; the rows until `end_table` stand together."""
        text = one_line(without_untextual(text))
        if text:
            self._waiting = None
            start = self._append(text, "\n" if self._in_table else "\n\n")
            self._in_table = True
            self._blocks.append(
                Block(start=start, end=start + len(text), kind="row", section=self._sections.section, page=page)
            )

    def end_table(self) -> None:
        """The next row belongs to another table."""
        self._in_table = False

    def loaded(self) -> Loaded:
        """Everything added so far."""
        self._settle(0)
        return Loaded(
            text="".join(self._parts), title=self._sections.title, media_type=self._media_type, blocks=self._blocks
        )

    def _settle(self, next_level: int) -> None:
        """Keep the heading before a heading of `next_level` as a block, unless that one lies below it."""
        if self._waiting is not None and next_level <= self._waiting.level:
            self._blocks.append(self._waiting.block)
        self._waiting = None

    def _append(self, text: str, gap: str) -> int:
        if gap == "\n\n":
            self._in_table = False
        start = self._length + len(gap) if self._parts else 0
        self._parts += (gap, text) if self._parts else (text,)
        self._length = start + len(text)
        if self._length > MAX_CHARACTERS:
            raise too_large(f"{MAX_CHARACTERS:,} characters")
        if len(self._blocks) >= MAX_BLOCKS:
            raise too_large(f"{MAX_BLOCKS:,} paragraphs and rows")
        return start
