"""What of a model's message is thought and what is said, whatever shape the provider gives it.

Nothing here waits or imports a library: a reader is fed a message in pieces, split anywhere, and the same comes out as
if it had come whole.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

Kind = Literal["raw", "summary"]

TAGS = ("think", "thinking", "reasoning")
"""What models write around their thoughts where their server does not tell the two apart."""
_OPENINGS = tuple(f"<{name}>" for name in TAGS)
_CLOSINGS = tuple(f"</{name}>" for name in TAGS)
_LONGEST = len(_CLOSINGS[1])
_STRAY = re.compile(rf"(?:\A|(?<=\n))</(?:{'|'.join(TAGS)})>[ \t]*(?=\n|\r\n|\Z)", re.IGNORECASE)
"""A closing tag alone on its line: the prompt had opened the block. Anywhere else it is spoken of."""

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


def whole(content: Message, extra: Mapping[str, Any] | None = None) -> list[Piece]:
    """The thoughts and the text of a message that is complete."""
    text = "".join(piece.text for piece in pieces_of(content) if piece.kind is None)
    reader = Reader(inside=ends_a_block(text))
    return [*reader.feed(content, extra), *reader.flush()]


def said(content: Message, extra: Mapping[str, Any] | None = None) -> str:
    """The text of a complete message, without its thoughts."""
    if type(content) is str and "<" not in content:
        return content
    return "".join(piece.text for piece in whole(content, extra) if piece.kind is None)


def ends_a_block(text: str) -> bool:
    """Whether a complete message closes a block that it did not open."""
    return "</" in text and not text.lstrip().lower().startswith(_OPENINGS) and _STRAY.search(text) is not None


class Reader:
    """Reads one message, fed chunk by chunk.

    A tag counts where the message begins, white space aside. After text was said it is spoken of, unless the message
    began with such a block: then the same tag opens further ones where a line begins, outside of code. A message whose
    block is never closed says nothing more. With `inside` the prompt has opened the block already.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self.plain = False
        """Whether text without `<` can be nothing but said."""
        self.mistaken = False
        """Whether a message that was to begin inside a block turned out to have none."""
        self._inside = inside
        self._state: Literal["start", "thought", "text"] = "start"
        self._held = ""
        self._tags: tuple[str, ...] = ()
        """What may end the block, or has ended the last one, if there was any."""
        self._kept: list[str] = []
        """What was taken for thoughts on the prompt's word alone."""
        self._said = False
        self._before = ""
        """The last character of the text, for what stands before a tag."""
        self._ticks = 0

    def feed(self, content: Message, extra: Mapping[str, Any] | None = None) -> tuple[Piece, ...]:
        """What a further chunk adds."""
        found: list[Piece] = []
        for piece in pieces_of(content, extra):
            found += [piece] if piece.kind else self._split(piece.text, final=False)
        return tuple(found)

    def flush(self, *, cut: bool = False) -> tuple[Piece, ...]:
        """What was held back, when nothing follows; `cut` if the message is not whole."""
        found = list(self._split("", final=True))
        if self._kept and not cut:
            self.mistaken = True
            found.append(Piece("".join(self._kept)))
        self._kept = []
        return tuple(found)

    def passes(self, content: Message) -> bool:
        """Whether a chunk without anything beside its content is all said: the short way past `feed` for most."""
        if self.plain and type(content) is str and content and "<" not in content:
            self._note(content)
            return True
        return False

    def _note(self, text: str) -> None:
        self._before = text[-1]
        if self._tags:
            self._ticks += text.count("`")

    def _split(self, text: str, *, final: bool) -> Iterator[Piece]:
        text, self._held = self._held + text, ""
        while text:
            state = self._state
            piece, rest = self._step(text, final)
            if piece is not None and piece.text:
                yield piece
            if len(rest) == len(text) and state == self._state:
                self._held = rest
                break
            text = rest
        self.plain = self._state == "text" and not self._held

    def _step(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """The next stretch, if it is certain what it is, and what is left."""
        match self._state:
            case "start":
                return None, self._begun(text, final)
            case "thought":
                return self._thought(text, final)
            case "text":
                return self._text(text, final)

    def _begun(self, text: str, final: bool) -> str:
        """Before anything was said: white space waits, a tag decides."""
        bare = text.lstrip()
        low = bare[:_LONGEST].lower()
        for name in TAGS:
            if low.startswith(f"<{name}>"):
                self._state, self._tags = "thought", (name,)
                return bare[len(name) + 2 :]
            if low.startswith(f"</{name}>"):
                self._tags = (name,)
                return bare[len(name) + 3 :]
        if not final and any(tag.startswith(low) for tag in (*_OPENINGS, *_CLOSINGS)):
            return text
        if self._inside and bare and not self._tags:
            self._state, self._tags, self._kept = "thought", TAGS, [""]
            return bare
        self._state, self._before = "text", "\n"
        return bare if self._tags else text

    def _thought(self, text: str, final: bool) -> tuple[Piece, str]:
        """Inside of a block: up to what closes it."""
        end = re.search(rf"</({'|'.join(self._tags)})>", text, re.IGNORECASE)
        if end:
            self._kept, self._tags = [], (end[1].lower(),)
            self._state, self._before = "text" if self._said else "start", "\n"
            return Piece(text[: end.start()], "raw"), text[end.end() :]
        hold = 0 if final else _partial(text, self._tags)
        thought = text[: len(text) - hold]
        if self._kept:
            self._kept.append(thought)
        return Piece(thought, "raw"), text[len(thought) :]

    def _text(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """What is said, up to the next `<` and, if that begins a tag, past it."""
        at = text.find("<")
        if at:
            return self._say(text if at < 0 else text[:at]), "" if at < 0 else text[at:]
        low = text[:_LONGEST].lower()
        if self._tags and self._before == "\n" and self._ticks % 2 == 0:
            opening = f"<{self._tags[0]}>"
            if low.startswith(opening):
                self._state = "thought"
                return None, text[len(opening) :]
            if not final and opening.startswith(low):
                return None, text
        if self._before == "\n":
            stray = _STRAY.match(text)
            if stray and (final or stray.end() < len(text)):
                self._tags = (stray.group().strip(" \t</>").lower(),)
                return None, text[stray.end() :]
            if not final and (any(tag.startswith(low) for tag in _CLOSINGS) or _half_line(text)):
                return None, text
        return self._say("<"), text[1:]

    def _say(self, text: str) -> Piece:
        self._said = self._said or not text.isspace()
        self._note(text)
        return Piece(text)


def _half_line(text: str) -> bool:
    """Whether a text may become a closing tag alone on its line."""
    tag = next((tag for tag in _CLOSINGS if text.lower().startswith(tag)), None)
    return tag is not None and not text[len(tag) :].strip(" \t\r")


def _partial(text: str, names: tuple[str, ...]) -> int:
    """How much of the end of a text may be the beginning of a closing tag."""
    tail = text[at:].lower() if (at := text.rfind("<")) >= 0 else ""
    return len(tail) if tail and any(f"</{name}>".startswith(tail) for name in names) else 0


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
