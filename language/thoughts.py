"""What of a model's message is thought and what is said, whatever shape the provider gives it.

Nothing here waits or imports a library: a reader is fed a message in pieces, split anywhere, and the same comes out as
if it had come whole.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from language import tags
from language.shapes import Kind, Message, Piece, pieces_of

__all__ = ["Kind", "Message", "Piece", "Reader", "ends_a_block", "pieces_of", "said", "whole"]

_MOST_DOUBTED = 200
_BELIEVED = re.compile(r"\[|[.!?…][\"”’')*]*\s+[^\s<]|[。！？][^<]")
"""A citation, or a sentence and more: so far a message is doubted whose model may begin with thoughts."""
_MOST_HEADER = 256
_THOUGHT_CHANNELS = ("analysis", "commentary")
_CHANNEL = re.compile(r".*<\|channel\|>\s*(\w+)", re.DOTALL)
_ROLE = re.compile(r".*<\|start\|>\s*(\w+)", re.DOTALL)
_ANY_END = re.compile(f"(?i:{tags.CLOSING.pattern})|{tags.CONTROL.pattern}", re.ASCII)


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
    if "</" not in text and "<|" not in text:
        return False
    reader = Reader()
    reader.feed(text)
    reader.flush()
    return reader.closed_alone


class Reader:
    """Reads one message, fed chunk by chunk.

    A block of thoughts counts where the message, a line or a sentence begins, outside of code; elsewhere its tag is
    spoken of. What follows a block that is never closed is thought. With `inside` the prompt has opened the block
    already; where that is None nobody knows yet, and the first sentence waits for a closing tag.
    """

    def __init__(self, *, inside: bool | None = False) -> None:
        self.plain = False
        """Whether text without `<` can be nothing but said."""
        self.mistaken = False
        """Whether a message that was, or might have been, to begin inside a block turned out to have none."""
        self.closed_alone = False
        """Whether the message has closed a block that it did not open."""
        self._inside = inside
        self._doubted: str | None = "" if inside is None else None
        """What may be thought or said, as long as that is open."""
        self._state: Literal["start", "header", "thought", "text", "joint"] = "start"
        self._held = ""
        self._end = _ANY_END
        """What ends the block."""
        self._opened = False
        """Whether there was any block."""
        self._harmony = False
        self._header = ""
        self._kept: list[str] = []
        """What was taken for thoughts on the prompt's word alone."""
        self._words: list[str] = []
        """What was said so far."""
        self._placed = 0
        """How many of them the place knows of."""
        self._at = tags.Place()
        self._said = False

    def feed(self, content: Message, extra: Mapping[str, Any] | None = None) -> tuple[Piece, ...]:
        """What a further chunk adds."""
        found: list[Piece] = []
        for piece in pieces_of(content, extra):
            if piece.kind:
                self._doubted = self._doubted or None
            found += [piece] if piece.kind else self._split(piece.text, final=False)
        return tuple(found)

    def flush(self, *, cut: bool = False) -> tuple[Piece, ...]:
        """What was held back, when nothing follows; `cut` if the message is not whole."""
        found = list(self._split("", final=True))
        if self._doubted:
            found.append(self._believe())
        if self._kept and not cut:
            found.append(Piece("".join(self._kept)))
        self.mistaken = not cut and (bool(self._kept) or (self._inside is None and not self.closed_alone))
        self._kept = []
        return tuple(found)

    def passes(self, content: Message) -> bool:
        """Whether a chunk without anything beside its content is all said: the short way past `feed` for most."""
        if self.plain and type(content) is str and content and "<" not in content:
            self._words.append(content)
            return True
        return False

    @property
    def _place(self) -> tags.Place:
        if self._placed < len(self._words):
            self._at.note("".join(self._words[self._placed :]))
            self._placed = len(self._words)
        return self._at

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
        self.plain = self._state == "text" and not self._held and self._doubted is None

    def _step(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """The next stretch, if it is certain what it is, and what is left."""
        match self._state:
            case "start":
                return None, self._begun(text, final)
            case "header":
                return self._headed(text, final)
            case "thought":
                return self._thought(text, final)
            case "joint":
                return self._joined(text, final)
            case "text":
                return self._text(text, final)

    def _begun(self, text: str, final: bool) -> str:
        """Before anything was said: white space waits, a tag decides."""
        bare = text.lstrip()
        if tags.CONTROL.match(bare):
            self._state, self._harmony, self._opened = "header", True, True
            self._doubted = self._doubted or None
            return bare
        if opening := tags.OPENING.match(bare):
            self._open(opening[1])
            return bare[opening.end() :]
        if closing := tags.CLOSING.match(bare):
            self._doubted = self._doubted or None
            self.closed_alone, self._opened = self.closed_alone or not self._opened, True
            return bare[closing.end() :]
        if not final and (not bare or _half(bare) or tags.may_be_control(bare)):
            return text
        if self._inside and bare and not self._opened:
            self._state, self._end, self._kept = "thought", _ANY_END, [""]
            return bare
        self._state = "text"
        return bare if self._opened else text

    def _open(self, name: str) -> None:
        self._state, self._opened = "thought", True
        self._doubted = self._doubted or None
        self._end = re.compile(rf"</{name}\s{{0,16}}>", re.IGNORECASE | re.ASCII)

    def _close(self) -> None:
        """A block is over: what follows is said, or another block."""
        self._opened = True
        self._state = "joint" if self._said else "start"

    def _thought(self, text: str, final: bool) -> tuple[Piece, str]:
        """Inside of a block: up to what ends it."""
        end = self._end.search(text)
        if end:
            self.closed_alone = self.closed_alone or not self._opened
            self._kept = []
            self._close()
            if tags.CONTROL.fullmatch(end[0]):
                self._state, self._harmony = "header", True
            return Piece(text[: end.start()], "raw"), text[end.start() if self._state == "header" else end.end() :]
        thought = text if final else text[: len(text) - _half_end(text)]
        if self._kept:
            self._kept.append(thought)
        return Piece(thought, "raw"), text[len(thought) :]

    def _headed(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """Between the messages of harmony, where nothing is said."""
        token = tags.CONTROL.match(text)
        if token:
            rest = text[token.end() :]
            if token[0] == tags.MESSAGE:
                return self._enter(), rest
            self._header = token[0] if token[0] in tags.ENDS else self._header + token[0]
            return None, rest
        if not final and tags.may_be_control(text):
            return None, text
        at = text.find("<", 1)
        room = _MOST_HEADER - len(self._header)
        part = text[: min(at, room) if at > 0 else room]
        if not part or (part.strip() and self._header.rstrip() in tags.ENDS):
            self._header = ""
            self._close()
            return None, text.lstrip()
        self._header += part
        return None, text[len(part) :]

    def _enter(self) -> Piece | None:
        """A header is complete: it says whether its message is thought."""
        channel, role = _CHANNEL.match(self._header), _ROLE.match(self._header)
        self._header = ""
        if (channel and channel[1] in _THOUGHT_CHANNELS) or (role and role[1] != "assistant"):
            before = self._believe()
            self._state, self._end, self._opened = "thought", tags.CONTROL, True
            return before
        if not self._opened:
            return self._turn()
        self._close()
        return None

    def _joined(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """After a block amid the text: the white space around it becomes one."""
        bare = text.lstrip()
        if not final and (not bare or _half(bare) or (self._harmony and tags.may_be_control(bare))):
            return None, text
        if self._harmony and tags.CONTROL.match(bare):
            self._state = "header"
            return None, bare
        if opening := tags.OPENING.match(bare):
            self._open(opening[1])
            return None, bare[opening.end() :]
        self._state = "text"
        if not bare:
            return None, ""
        return self._say(self._gap(text[: len(text) - len(bare)])), bare

    def _gap(self, after: str) -> str:
        tail = self._place.tail
        before = tail[len(tail.rstrip()) :]
        return "\n" * max(0, after.count("\n") - before.count("\n")) if before else after or " "

    def _text(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """What is said, up to the next `<` and, if that begins a tag, past it."""
        at = text.find("<")
        if at:
            return self._say(text if at < 0 else text[:at]), "" if at < 0 else text[at:]
        if self._place.in_code:
            return self._say("<"), text[1:]
        if (tags.CONTROL if self._harmony else tags.HEADER).match(text):
            self._state, self._harmony = "header", True
            return None, text
        if final and tags.LAST.fullmatch(text):
            return None, ""
        if not final and (tags.may_be_control(text) if self._harmony else tags.may_be_header(text)):
            return None, text
        if self._place.turns:
            if opening := tags.OPENING.match(text):
                before = self._believe()
                self._open(opening[1])
                return before, text[opening.end() :]
            if not final and tags.HALF_OPENING.fullmatch(text):
                return None, text
        return self._stray(text, final)

    def _stray(self, text: str, final: bool) -> tuple[Piece | None, str]:
        """Where a closing tag may stand alone: it ends what the prompt has opened, unless it is spoken of."""
        closing = tags.CLOSING.match(text)
        if closing is None:
            waits = not final and tags.HALF_CLOSING.fullmatch(text)
            return (None, text) if waits else (self._say("<"), text[1:])
        rest = text[closing.end() :]
        ends = self._place.turns or tags.FOLLOWED.match(rest)
        if not ends and not final and not rest.strip() and len(rest) < tags.ENOUGH_AFTER:
            return None, text
        if not ends or (not self._opened and tags.SPOKEN_OF.search("".join(self._words))):
            return self._say("<"), text[1:]
        return self._turn(), rest

    def _turn(self) -> Piece | None:
        """What came so far was thought. It is told as such if it was doubted; what was said stays said."""
        self.closed_alone = self.closed_alone or not self._opened
        thought, self._doubted = self._doubted, None
        if thought is not None:
            self._said = False
        self._close()
        return Piece(thought, "raw") if thought else None

    def _say(self, text: str) -> Piece:
        self._said = self._said or not text.isspace()
        self._words.append(text)
        if self._doubted is None:
            return Piece(text)
        self._doubted += text
        enough = len(self._doubted) >= _MOST_DOUBTED or _BELIEVED.search(self._doubted)
        return self._believe() if enough else Piece("")

    def _believe(self) -> Piece:
        """What was doubted is said."""
        text, self._doubted = self._doubted or "", None
        return Piece(text)


def _half(text: str) -> bool:
    """Whether a text may become a tag."""
    return bool(tags.HALF_OPENING.fullmatch(text) or tags.HALF_CLOSING.fullmatch(text))


def _half_end(text: str) -> int:
    """How much of the end of a text may be the beginning of what ends a block."""
    tail = text[at:] if (at := text.rfind("<")) >= 0 else ""
    return len(tail) if tail and (tags.HALF_CLOSING.fullmatch(tail) or tags.may_be_control(tail)) else 0
