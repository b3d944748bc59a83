"""What every loader gives: a document's text, the blocks found in it, and the bounds of both."""

import re
from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["heading", "text", "code", "row"]

MAX_CHARACTERS = 20_000_000
MAX_BLOCKS = 200_000
MAX_PAGES = 5_000
MAX_DEPTH = 1_000
"""Of elements inside each other."""
MAX_UNZIPPED = 200 * 2**20
"""Bytes, of all parts of a zipped document together."""
MAX_PARTS = 2_000

_UNTEXTUAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class LoadError(ValueError):
    """A document that cannot be read. `code` is stable; the message may be shown to whoever sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A paragraph, a heading, a piece of code or a row of a table: `text[start:end]` in code points."""

    start: int
    end: int
    kind: BlockKind = "text"
    section: str | None = None
    """The headings above it, outermost first, joined by ` > `."""
    page: int | None = None
    header: str | None = None
    """Of the table a row belongs to, where the row's text does not carry it: it is searched, not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A document's text and the blocks found in it, in order, not overlapping."""

    text: str
    title: str | None
    media_type: str
    blocks: list[Block]


def one_line(text: str) -> str:
    """`text` with every run of white space made one space, and none at its ends."""
    return " ".join(text.split())


def without_untextual(text: str) -> str:
    """`text` without control characters and lone surrogates, which no database or tokenizer takes."""
    return _UNTEXTUAL.sub("", text)


def too_large(what: str) -> LoadError:
    """The error of a document beyond one of the bounds above; `what` finishes "The document has more than"."""
    return LoadError("too_large", f"The document has more than {what}.")
