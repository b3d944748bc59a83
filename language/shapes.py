"""The thoughts and the text in the blocks and keys of a message, as each provider spells them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["raw", "summary"]

_BLOCKS = frozenset({"reasoning", "thinking", "reasoning_content"})
_KEYS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Where adapters put thoughts in `additional_kwargs`; a server that tells them twice is heard once."""
_SUMMARIES = ("summary", "summary_text", "reasoning.summary")


class Piece(NamedTuple):
    """A stretch of a message; `kind` is None where it is said, and tells what sort of thought it is where not."""

    text: str
    kind: Kind | None = None


Message = str | Sequence[str | Mapping[str, Any]]
"""The content of a message: a text, or blocks."""


def pieces_of(content: Message, extra: Mapping[str, Any] | None = None) -> list[Piece]:
    """The thoughts and the text of a message or a chunk, by the blocks and the `additional_kwargs` it has.

    Blocks are known as LangChain, Anthropic, Bedrock, Mistral and OpenAI's responses spell them; those that hide what
    they hold, and tool calls, are neither.
    """
    if isinstance(content, str):
        pieces = [Piece(content)] if content else []
    else:
        pieces = [piece for block in content for piece in _of_block(block) if piece.text]
    if extra and not any(piece.kind for piece in pieces):
        told = (list(_thoughts(extra[key])) for key in _KEYS if extra.get(key))
        pieces = [*next((thoughts for thoughts in told if thoughts), []), *pieces]
    return pieces


def _of_block(block: str | Mapping[str, Any]) -> Iterator[Piece]:
    if isinstance(block, str):
        yield Piece(block)
        return
    kind = block.get("type", "text")
    if kind == "text":
        text = block.get("text")
        yield Piece(text if isinstance(text, str) else "")
    elif kind in _BLOCKS:
        yield from _thoughts(block)


def _thoughts(value: Any, kind: Kind = "raw") -> Iterator[Piece]:
    """The thoughts in what a provider says of them: a text, a block, or a list of either."""
    match value:
        case str():
            yield Piece(value, kind)
        case Mapping():
            sort: Kind = "summary" if value.get("type") in _SUMMARIES else kind
            if not value.get("text") and value.get("index") and value.get("type") == "summary_text":
                yield Piece("\n\n", "summary")  # another part begins
            for key in ("thinking", "reasoning", "reasoning_content", "text"):
                yield from _thoughts(value.get(key), sort)
            yield from _thoughts(value.get("summary"), "summary")
            yield from _thoughts(value.get("content"), sort)
        case Sequence():
            for at, part in enumerate(value):
                between = at and isinstance(part, Mapping) and part.get("type") == "summary_text"
                yield from [Piece("\n\n", "summary")] if between else ()
                yield from _thoughts(part, kind)
