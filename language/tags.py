"""The marks that models write around their thoughts where their server does not tell the two apart.

A text may end in the middle of a mark, so of each kind it is also known what may become one.
"""

import re

NAMES = ("think", "thinking", "thought", "reasoning")
_NAME = "|".join(NAMES)
_BEGUN = "|".join(sorted({name[:end] for name in NAMES for end in range(1, len(name) + 1)}, key=len, reverse=True))
_FLAGS = re.IGNORECASE | re.ASCII
OPENING = re.compile(rf"<({_NAME})(?:\s[^<>]{{0,200}})?>", _FLAGS)
"""The name in any case, with attributes and white space or without."""
CLOSING = re.compile(rf"</({_NAME})\s{{0,16}}>", _FLAGS)
HALF_OPENING = re.compile(rf"<(?:{_BEGUN}|(?:{_NAME})\s[^<>]{{0,200}})?", _FLAGS)
HALF_CLOSING = re.compile(rf"<(?:/(?:{_BEGUN}|(?:{_NAME})\s{{0,16}})?)?", _FLAGS)
"""Both for `fullmatch`."""
SPOKEN_OF = re.compile(rf"(?<!`){OPENING.pattern}", _FLAGS)
FOLLOWED = re.compile(r"[ \t]{0,16}\r?\n(?:\s{0,64}\S|\s{64})")
"""What stands after a closing tag that ends a line of thoughts, although no sentence has ended there."""
ENOUGH_AFTER = 100
"""Characters that decide whether it does."""

MESSAGE = "<|message|>"
ENDS = ("<|end|>", "<|return|>", "<|call|>")
_CONTROLS = (*ENDS, MESSAGE, "<|start|>", "<|channel|>", "<|constrain|>")
CONTROL = re.compile("|".join(map(re.escape, _CONTROLS)))
"""What harmony, the format of gpt-oss, has between its messages: https://cookbook.openai.com/articles/openai-harmony"""
_HEADERS = (
    *(f"<|channel|>{channel}" for channel in ("analysis", "commentary", "final")),
    "<|start|>assistant",
    *(f"{end}{begin}" for end in ENDS for begin in ("<|start|>", "<|channel|>")),
)
HEADER = re.compile("|".join(map(re.escape, _HEADERS)))
"""What begins such a header also where no control token came before: a lone token is spoken of."""
LAST = re.compile(rf"(?:{'|'.join(map(re.escape, ENDS))})\s{{0,100}}")
"""For `fullmatch`: nothing follows, so the message ends with it."""

_SENTENCE_END = re.compile(r"[.!?…。！？][\"”’'»)\]*_]*(?:[ \t]*\[[\d., \t]{1,20}\])*\.?[ \t]*\Z")
_ABBREVIATED = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|etc|incl|resp|approx|ca|no|z\.\s?B|d\.\s?h|bzw)\.[ \t]*\Z", re.IGNORECASE
)
_TAIL, _HEAD = 64, 12
_INDENTED = 4
"""Spaces that make a line code."""


def may_be_control(text: str) -> bool:
    """Whether a text may become a control token."""
    return any(token.startswith(text) for token in _CONTROLS)


def may_be_header(text: str) -> bool:
    """Whether a text may become a header, or the end of a message."""
    return any(header.startswith(text) for header in _HEADERS) or LAST.fullmatch(text) is not None


class Place:
    """Where a text stands that is still written: at the beginning of a line, after a sentence, inside code."""

    def __init__(self) -> None:
        self.tail = ""
        self._head = ""
        """How the line at hand begins."""
        self._line_ticks = 0
        self._ticks = 0
        """Of the paragraph: what opens code within a line is closed before a blank line, or was none."""
        self._fenced = False

    def note(self, text: str) -> None:
        """So much more was written."""
        self.tail = (self.tail + text[-_TAIL:])[-_TAIL:]
        first, *further = text.split("\n")
        self._continue(first)
        for line in further:
            self._end_line()
            self._continue(line)

    @property
    def in_code(self) -> bool:
        """Whether what follows is code."""
        return self._fenced or (self._ticks + self._line_ticks) % 2 == 1

    @property
    def turns(self) -> bool:
        """Whether something else may begin here: a line or a sentence does."""
        if self.in_code:
            return False
        if not self._head.strip(" \t\r"):
            return len(self._head) < _INDENTED
        return _SENTENCE_END.search(self.tail) is not None and not _ABBREVIATED.search(self.tail)

    def _continue(self, part: str) -> None:
        if len(self._head) < _HEAD:
            self._head = (self._head + part[:_HEAD])[:_HEAD]
        self._line_ticks += part.count("`")

    def _end_line(self) -> None:
        bare, ticks = self._head.strip(), self._line_ticks
        fence = bare.startswith("~~~") or (bare.startswith("```") and len(bare) - len(bare.lstrip("`")) == ticks)
        if fence:
            self._fenced = not self._fenced
        self._ticks = 0 if fence or self._fenced or not bare else self._ticks + ticks
        self._head, self._line_ticks = "", 0
