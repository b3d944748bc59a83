"""Which of the wanted items a passage holds, and whether an answer says what was expected."""

import re
import string
from collections.abc import Hashable, Sequence

from evaluation.sets import Question

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MARKS = str.maketrans(dict.fromkeys(string.punctuation + "“”‘’„–—", " "))


def wanted(question: Question, *, by_span: bool) -> frozenset[Hashable]:
    """The relevant items of a question: spans of long documents, else document ids."""
    return frozenset(question.spans) if by_span else question.documents


def holds(question: Question, document_id: str, start: int, end: int, *, by_span: bool) -> frozenset[Hashable]:
    """The wanted items that a passage, [start, end) of a document, holds or overlaps."""
    if not by_span:
        return question.documents & {document_id}
    return frozenset(span for span in question.spans if span[0] == document_id and start < span[2] and span[1] < end)


def contained(answers: Sequence[str], text: str) -> list[bool]:
    """For each expected answer, whether the text says it: whole words, without case, articles and punctuation."""
    said = f" {_normal(text)} "
    return [bool(normal := _normal(answer)) and f" {normal} " in said for answer in answers]


def _normal(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.casefold().translate(_MARKS)).split())
