"""Where sentences begin and end."""

import re
from itertools import pairwise

import nupunkt

from language.contents import led_lines

Span = tuple[int, int]
"""Start and end in code points, end exclusive."""

_UNNOTICED_END = re.compile(
    r"[。！？]+[”’」』）]*(?=\S)|(?:\b[ap]\.m|\b\d+ ?(?:km|cm|mm|m|kg|mg|g|ml|l|min|h))\.(?=\s+[A-Z])"
)
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])")


_SMUGGLED = re.compile("[\U000e0000-\U000e0fff\u202a-\u202e\u2066-\u2069]+")
"""Tags and marks of direction: what they spell is in no sentence if it stands beside one."""
_LEANING = re.compile(
    r"(?:[-*+•>]\s+)?(?:It|Its|They|Their|Them|He|She|His|Her|These|Those|This|That|Both|Such|The latter|The former|"
    r"However|Therefore|Thus|Otherwise|Instead|Afterwards|Then)\b"
)
_POINTING = re.compile(
    r"(?:[-*+•>]\s+)?(?:(?:In|At|On|From|Since|During|Until|By|After|Before|Under|Upon|Throughout|With|As)\s"
    r"(?:[^\s,;:]+,?\s){0,5}?|(?:Later|Soon|Eventually|Finally|Shortly|There|Here|Today|Now|Once|Earlier|Initially|"
    r"Originally|Subsequently|Meanwhile|When|While|Although|Though|Because|If),?\s(?:[^\s,;:A-Z][^\s,;:]*\s){0,3}?)"
    r"(?:he|she|his|her)\b"
)


def sentence_spans(text: str) -> list[Span]:
    """Spans of the sentences of `text`, in order, without the white space between them.

    A blank line, a list item or a line with leaders ends a sentence even without a full stop. The boundaries inside a
    paragraph come from nupunkt's unsupervised model (Kiss & Strunk, 2006); English is what it knows.
    """
    spans: list[Span] = []
    start = 0
    if not text.isascii():
        text = _SMUGGLED.sub(lambda run: " " * len(run.group()), text)
    breaks = {match.start() for match in _PARAGRAPH_BREAK.finditer(text)}.union(*led_lines(text))
    for cut in sorted({*breaks, len(text)}):
        for begin, end in nupunkt.sent_spans(text[start:cut]):
            for one, other in _after_abbreviations(text, start + begin, start + end):
                _append_trimmed(spans, text, one, other)
        start = cut
    return spans


def _after_abbreviations(text: str, begin: int, end: int) -> list[Span]:
    """A sentence cut where it ends in `p.m.` or `10 m.`, taken for an abbreviation inside one, or in `。`."""
    cuts = [begin, *(begin + match.end() for match in _UNNOTICED_END.finditer(text[begin:end])), end]
    return list(pairwise(cuts))


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that stands for something said before it, so that alone it misleads."""
    return _LEANING.match(sentence) is not None


def points_back(sentence: str) -> bool:
    """Whether somebody whom a sentence speaks of was named before it: `His office ...`, `In 1930 he ...`."""
    return leans_back(sentence) or _POINTING.match(sentence) is not None


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    body = piece.strip()
    if body:
        lead = len(piece) - len(piece.lstrip())
        spans.append((start + lead, start + lead + len(body)))
