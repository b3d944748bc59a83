"""Words of a question that only ask for a comparison: a passage that answers it need not hold them."""

import re

from language.words import STOPWORDS, WORD, fold, stem

_TELL = r"(?:^|[.?!;:]\s+|\b(?:please|you)\s+)"
_WAYS = r"(?:how|in\s+(?:what|which)\s+(?:ways?|respects?))"
_COMPARING = re.compile(
    rf"{_TELL}(?P<compare>compare|contrast)\b|"
    rf"\b{_WAYS}\s+(?:do|does|did|is|are|was|were)\s+[^;:?]{{1,120}}?\s(?P<differ>differ(?:ent)?|compared?)\b"
    r"(?=\s+(?:from|to|with|in|on)\b|\s*[?.,;]|\s*$)|"
    r"\b(?P<difference>(?:(?:main|key|major)\s+)?(?:differences?|distinctions?|comparison|similarit(?:y|ies)))\s+"
    r"(?:(?:is|are)\s+there\s+)?between\b",
    re.IGNORECASE,
)
_COMPARED = 2
"""Words at least that say what is compared."""


def asking_words(question: str) -> frozenset[str]:
    """The stems of the words by which a question asks for a comparison; as a rule, none.

    None either where fewer than two words say what is compared, or where one of them says so as well.
    """
    spans = [match.span(match.lastgroup) for match in _COMPARING.finditer(question) if match.lastgroup]
    if not spans:
        return frozenset()
    framing = _stems(" ".join(question[start:end] for start, end in spans))
    kept, at = [], 0
    for start, end in spans:
        kept.append(question[at:start])
        at = end
    compared = _stems(" ".join([*kept, question[at:]]))
    return framing - compared if len(compared - framing) >= _COMPARED else frozenset()


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in WORD.findall(fold(text)) if word not in STOPWORDS)
