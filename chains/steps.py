"""Steps: instructions that follow one another, and that somebody who asks how to do a thing needs all of."""

import re
from collections.abc import Sequence

_HOW_TO = re.compile(
    r"^\W*(?:and\s|please\s|(?:can|could) you\s)?"
    r"(?:how (?:do|does|can|could|should|must|would) (?:I|we|you|one|somebody|someone|people)\b"
    r"|how to\b|how (?:is|are) .{1,80} (?:done|made|\w+ed)\b|(?:what|which) (?:are the )?steps\b"
    r"|what (?:do|must|should) (?:I|we|you|one) do\b|(?:tell|show|explain)\b.{0,20} how to\b)",
    re.IGNORECASE,
)
_TOLD_TO = re.compile(
    r"(?:(?:always|never|do not|don['’]t)\s\w|"
    r"(?:(?:first|then|next|now|finally|carefully|gently|slowly|again)\b,?\s)*"
    r"(?!(?:the|an?|this|that|these|those|it|its|he|she|they|there|we|i|in|on|at|all|some|many|every|each|if|when|after"
    r"|before|for|during|under|no|one|both)\s)(?:\w+(?<!s)(?<!ing)|press|pass|discuss|bring)\s"
    r"(?:the|an?|it|them|its|your|in|on|off|out|up|down|about|until|to|for|with|and|or|at|from|any|all|both|each|every|"
    r"into|back|onto|through|over|under|\d+|[a-z]+(?:ly)?\s(?:the|an?|your|to|in|into|with|from))\b)",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(r",|\b(?:until|when|if|because|so that|while|after|before|that|which|where)\b", re.IGNORECASE)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|must|may|can|could|will|would|should|does|did)\b", re.IGNORECASE
)


def asks_how_to(question: str) -> bool:
    """Whether a question asks for the way to do something."""
    return _HOW_TO.match(question) is not None


def is_step(text: str) -> bool:
    """Whether a sentence tells its reader to do something: it begins with a bare verb, and nothing has one."""
    told = _SUBORDINATE.split(text, maxsplit=1)[0]
    return _TOLD_TO.match(text) is not None and not _FINITE.search(told)


def steps_from(texts: Sequence[str], at: int) -> range:
    """Of sentences that follow one another, which belong to the instructions that the one at `at` is one of, or that it
    introduces: itself alone where there are fewer than two."""
    first = last = at
    while is_step(texts[first]) and first > 0 and is_step(texts[first - 1]):
        first -= 1
    while last + 1 < len(texts) and is_step(texts[last + 1]):
        last += 1
    if first > 0 and is_step(texts[first]) and texts[first - 1].rstrip().endswith(":"):
        first -= 1
    return range(first, last + 1) if last - first >= 2 else range(at, at + 1)
