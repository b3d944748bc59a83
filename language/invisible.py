"""Characters that nobody sees: a text without them, and what of a passage is there to be read at all."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from language.sentences import Span

_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\ua8ff\U00010a00-\U00011fff"
"""Scripts whose letters change their form beside a joiner or a non-joiner: from Arabic over those of India to Khmer."""
_PICTURE = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_SKIN = "\U0001f3fb-\U0001f3ff"
_SEPARATORS = "\x1c-\x1f"
_UNSEEN = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Controls but for white space, soft hyphens, joiners, marks of direction, fillers, variation selectors and tags.

Characters of the category Cf that are seen, such as the Arabic sign of a year, are not among them.
"""
_MEANT = (
    rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"
    rf"|(?<=[{_PICTURE}{_SKIN}\ufe0f])\u200d(?=[{_PICTURE}])"
    rf"|(?<=[{_PICTURE}#*0-9])[\ufe0e\ufe0f]"
)
_ANY = re.compile(f"[{_SEPARATORS}{_UNSEEN}]")
_FOUND = re.compile(rf"({_MEANT})|([{_SEPARATORS}])|[{_UNSEEN}]+?")


def visible(text: str) -> str:
    """`text` without the characters that nobody sees, so that `ig<U+200B>nore` reads `ignore`.

    A joiner stays between letters that it changes and inside an emoji, a variation selector after a picture, and
    ordinary white space everywhere. The separators of old file formats become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    return text if _ANY.search(text) is None else _FOUND.sub(_seen, text)


def seen_span(text: str, start: int, end: int) -> Span:
    """A span without the characters at its ends that nobody sees."""
    if text.isascii():
        return start, end
    while start < end and not visible(text[end - 1]).strip():
        end -= 1
    while start < end and not visible(text[start]).strip():
        start += 1
    return start, end


def legible(text: str, sentences: Iterable[Span | None]) -> tuple[str, list[Span]]:
    """The sentences of a passage as they are read, with their spans in it: visible, and nothing between them.

    What a document hides between two sentences is a part of its text, and of no sentence. White space stays as it is.
    A place that is not known is left out.
    """
    known = [span for span in sentences if span is not None]
    if not known:
        return "", []
    if _ANY.search(text) is None and not any(map(str.strip, _between(text, known))):
        start, end = known[0][0], known[-1][1]
        return text[start:end], [(begin - start, stop - start) for begin, stop in known]
    pieces: list[str] = []
    spans: list[Span] = []
    length = 0
    for (start, end), gap in zip(known, ["", *_between(text, known)], strict=True):
        space = gap if not gap.strip() else " "
        said = visible(text[start:end])
        pieces += (space, said)
        spans.append((length + len(space), length + len(space) + len(said)))
        length += len(space) + len(said)
    return "".join(pieces), spans


def _between(text: str, sentences: Sequence[Span]) -> list[str]:
    return [text[end:start] for (_, end), (start, _) in pairwise(sentences)]


def _seen(found: re.Match[str]) -> str:
    return found[1] or (" " if found[2] else "")
