"""Lines to paragraphs."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from retrieval.loaders.pdf.cells import is_bullet, is_mark
from retrieval.loaders.pdf.layout import Line

_SENTENCE_END = re.compile(r"[.!?:;][\"'”’)\]]*$")
_ITEM = re.compile(r"[•●▪■◦○·‣⁃]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,5})[.)] ")
_EXTRA_GAP = 0.4
"""Of a line's height, beyond the gap lines usually have, that parts paragraphs."""
_WIDEST_GAP = 1.5
"""Of a line's height: what is wider is no distance of lines."""
_SHORT = 0.75
"""Of the region's width: a line that ends before this and ends a sentence ends its paragraph."""
_RESIZED = 0.12

Words = Counter[str]
"""How often each word, with its hyphens, stands in the document."""


def count_words(lines: Iterable[Line]) -> Words:
    """The words of a document, those cut at a line's end left out."""
    words: Words = Counter()
    for line in lines:
        found = re.findall(r"\w+(?:-\w+)*-?", line.text.lower())
        words.update(word for word in found if not word.endswith("-"))
    return words


def paragraphs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Consecutive lines of a region that belong together."""
    if not lines:
        return
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    short = left + (right - left) * _SHORT
    gaps = [above.bottom - line.top for above, line in pairwise(lines)]
    usual = median([gap for gap in gaps if gap < _WIDEST_GAP * lines[0].size] or [0.0])
    paragraph = [lines[0]]
    for line in lines[1:]:
        if _begins(line, paragraph, usual, short):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    yield paragraph


def joined(texts: Iterable[str], words: Words) -> str:
    """One text of several lines, words that were cut at a line's end made whole."""
    whole = ""
    for text in texts:
        if whole.endswith("\xad"):
            whole = whole[:-1] + text
        elif whole.endswith("-") and whole[-2:-1].isalpha() and text[:1].islower():
            whole = _mended(whole, text, words)
        else:
            whole = f"{whole} {text}" if whole else text
    return whole.replace("\xad", "")


def text_of(line: Line) -> str:
    """A line's text, the bullet of a list item as `-`."""
    if is_bullet(line.runs[0].text) and len(line.runs) > 1:
        return "- " + " ".join(run.text for run in line.runs[1:])
    return re.sub(r"^[•●▪■◦○‣⁃]\s*", "- ", line.text)


def goes_on(text: str, following: str) -> bool:
    """Whether a paragraph was cut by the end of a column or page: mid-sentence, and the next begins in lower case."""
    return not _SENTENCE_END.search(text) and following[:1].islower()


def _begins(line: Line, paragraph: Sequence[Line], usual: float, short: float) -> bool:
    above = paragraph[-1]
    size = min(line.size, above.size)
    if above.bottom - line.top > usual + _EXTRA_GAP * size or abs(line.size - above.size) > _RESIZED * size:
        return True
    ended = bool(_SENTENCE_END.search(above.text))
    if is_mark(line.runs[0].text) and len(line.runs) > 1:
        return True
    if _ITEM.match(line.text) and (ended or above.x1 < short or is_bullet(line.text[:1])):
        return True
    if line.bold != above.bold and (ended or above.x1 < short):
        return True
    indented = (
        line.x0 > above.x0 + size and not _ITEM.match(paragraph[0].text) and not is_mark(paragraph[0].runs[0].text)
    )
    return ended and (indented or above.x1 < short)


def _mended(whole: str, text: str, words: Words) -> str:
    """Drop the hyphen if the word without it is known, or the word with it is not and could not be two words."""
    first = re.search(r"\w+-$", whole)
    second = re.match(r"\w+", text)
    if first is None or second is None:
        return whole + text
    start, end = first.group().lower()[:-1], second.group().lower()
    together, apart = words[start + end], words[f"{start}-{end}"]
    compound = not together and words[start] and words[end] and min(len(start), len(end)) > 2
    return whole + text if apart > together or compound else whole[:-1] + text
