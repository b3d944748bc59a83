"""Words of a question that only say how it is asked: a passage that answers it need not hold them."""

import re

from language.words import STOPWORDS, WORD, fold, stem

_RESOLVE, _RESOLVED = r"(?:agree|conclude|decide|discuss)", r"(?:agreed|concluded|decided|discussed)"
_ABOUT = r"(?=\s+(?:up)?on\b|\s+(?:about|with|for|in|at|regarding|concerning)\b|\s*[?.,;]|\s*$)"
_WHO = r"(?:(?!\b(?:who|whom|which|that)\b)[^,;:?]){1,60}?"
_TELL = r"(?:^|[.?!;:]\s+|\b(?:please|you)\s+)"
_WAYS = r"(?:how|in\s+(?:what|which)\s+(?:ways?|respects?))"
_ASKING = re.compile(
    rf"\bwhat\s+(?:was|were|has\s+been|have\s+been|had\s+been)(?:\s+\w+ly)?\s+(?P<told>{_RESOLVED}){_ABOUT}|"
    rf"\bwhat\s+(?:did|do|does)\s+{_WHO}\s(?P<resolve>{_RESOLVE}){_ABOUT}|"
    rf"\bwhat\s+(?:has|have|had)\s+{_WHO}\s(?P<resolved>{_RESOLVED}){_ABOUT}|"
    rf"{_TELL}(?P<compare>compare|contrast)\b|"
    rf"\b{_WAYS}\s+(?:do|does|did|is|are|was|were)\s+[^;:?]{{1,120}}?\s(?P<differ>differ(?:ent)?|compared?)\b"
    r"(?=\s+(?:from|to|with|in|on)\b|\s*[?.,;]|\s*$)|"
    r"\b(?P<difference>(?:(?:main|key|major)\s+)?(?:differences?|distinctions?|comparison|similarit(?:y|ies)))\s+"
    r"(?:(?:is|are)\s+there\s+)?between\b|"
    r"\bwhich\s+(?:[\w-]+\s+){0,4}?(?:is|are|was|were)\s+(?:the\s+)?(?P<better>better|best|worse|worst|preferable)\b"
    r"(?=\s*[?,:;]|\s*$)",
    re.IGNORECASE,
)


def asking_words(question: str) -> frozenset[str]:
    """The stems of the words by which a question asks for a comparison or for what was decided; as a rule, none.

    None either where nothing else is asked about, or where a word says what is asked about as well.
    """
    spans = [match.span(match.lastgroup) for match in _ASKING.finditer(question) if match.lastgroup]
    if not spans:
        return frozenset()
    framing = _stems(" ".join(question[start:end] for start, end in spans))
    kept, at = [], 0
    for start, end in spans:
        kept.append(question[at:start])
        at = end
    rest = _stems(" ".join([*kept, question[at:]]))
    return framing - rest if rest - framing else frozenset()


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in WORD.findall(fold(text)) if word not in STOPWORDS)
