"""Light rewordings that keep what a sentence says: an answer in them is as well supported as before."""

import re
from collections.abc import Callable, Mapping

Rewording = Callable[[str], str]
"""Gives the same text back where it finds nothing to change."""

_MONTH = r"(January|February|March|April|May|June|July|August|September|October|November|December)"
_CARDINALS = {word: str(value) for value, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
_DIGITS_FOR = re.compile(rf"(?<![\w-])(?:{'|'.join(_CARDINALS)})(?![\w-])")
_CONTRACTED = (
    (r"\b(is|are|was|were|did|does|do|has|have|had|would|could|should) not\b", r"\1n't"),
    (r"\b(?:can not|cannot)\b", "can't"),
    (r"\bwill not\b", "won't"),
)
_SPELLED_OUT = (
    (r"\b(is|are|was|were|did|does|do|has|have|had|would|could|should)n['’]t\b", r"\1 not"),
    (r"\bcan['’]t\b", "cannot"),
    (r"\bwon['’]t\b", "will not"),
)


def numbers(text: str) -> str:
    """`1,000` as `1000` and the other way round, `13%` as `13 percent`, `two` as `2`."""
    changed = re.sub(r"(?<=\d)\s?%", " percent", text)
    changed = re.sub(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", lambda match: match.group().replace(",", ""), changed)
    changed = _DIGITS_FOR.sub(lambda match: _CARDINALS[match.group()], changed)
    if changed == text:
        changed = re.sub(r"(?<![\w.,/-])\d{5,9}(?![\w,/-]|\.\d)", lambda match: f"{int(match.group()):,}", text)
    return changed


def dates(text: str) -> str:
    """`March 1, 2017` as `1 March 2017`, and the other way round."""
    changed = re.sub(rf"\b{_MONTH} (\d{{1,2}}), (\d{{4}})\b", r"\2 \1 \3", text)
    return changed if changed != text else re.sub(rf"\b(\d{{1,2}}) {_MONTH} (\d{{4}})\b", r"\2 \1, \3", text)


def contractions(text: str) -> str:
    """`did not` as `didn't`, or the other way round."""
    for rules in (_CONTRACTED, _SPELLED_OUT):
        changed = text
        for pattern, other in rules:
            changed = re.sub(pattern, other, changed)
        if changed != text:
            return changed
    return text


def lower_case(text: str) -> str:
    """Everything in lower case."""
    return text.lower()


def punctuation(text: str) -> str:
    """Straight quotes for curly ones, a hyphen for a dash between words, and no mark at the end."""
    changed = re.sub(r"\s*[.!]\s*$", "", text)
    changed = changed.translate(str.maketrans("“”‘’", "\"\"''"))
    return re.sub(r"\s[–—]\s", " - ", changed)


def without_aside(text: str) -> str:
    """Without what is in parentheses, or without a last `, which ...`."""
    changed = re.sub(r"\s*\([^()]*\)", "", text)
    return changed if changed != text else re.sub(r"^(\w[^,]{20,}), which [^,;:]+?(\s?\.)$", r"\1\2", text)


REWORDINGS: Mapping[str, Rewording] = {
    "numbers written otherwise": numbers,
    "dates reordered": dates,
    "contractions": contractions,
    "lower case": lower_case,
    "punctuation": punctuation,
    "an aside left out": without_aside,
}
