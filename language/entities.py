"""Names in a text: runs of capitalised words, and whether another text has them in some form."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from language.tokens import Token
from language.words import STOPWORDS

_JOINS = re.compile(r"[\s.&'’-]{0,3}")
_BEGINS = re.compile(r"(?:^|[.!?:;|•]|\n)[\s\"'“”‘’(\[*#>-]*$")
_ENDING = re.compile(r"(?:ians?|ans?|ns?|ese|ish|ia|ain|ic|a|y|s)$")
_NO_NAME = frozenset(
    "january february march april may june july august september october november december however although "
    "according despite several following including because first second third today yesterday i yes".split()
)
_LINKS = frozenset("of the for de la del der von van und y".split())


class Name(NamedTuple):
    """A run of capitalised words, as token positions; `sure` unless it only begins a sentence."""

    first: int
    last: int
    sure: bool


def names_in(text: str, tokens: Sequence[Token]) -> list[Name]:
    """The names of `text`, in order; none of a heading in capitals."""
    found: list[Name] = []
    at = 0
    while at < len(tokens):
        last = at
        if _is_name(tokens[at]):
            while (further := _continued(text, tokens, last)) is not None:
                last = further
            found.append(Name(at, last, last > at or not _begins(text, tokens[at])))
        at = last + 1
    return [] if len(found) > 1 and all(_capital(token) for token in tokens) else found


def same_root(name: str, words: Collection[str]) -> bool:
    """Whether a folded name stands among folded `words` in another form, as `japanese` does for `japan`."""
    root = _ENDING.sub("", name)
    return len(root) >= 4 and any(word[:4] == name[:4] and _ENDING.sub("", word) == root for word in words)


def initials(tokens: Sequence[Token]) -> set[str]:
    """What runs of capitalised words (small ones between them aside) could be called for short, folded."""
    found: set[str] = set()
    run = ""
    for token in tokens:
        if token.text[0].isupper():
            run += token.folded[0]
        elif token.folded not in {"of", "and", "the", "for", "de", "la", "in", "on"}:
            run = ""
        found.update(run[start:] for start in range(max(0, len(run) - 6), len(run) - 1))
    return found


def _capital(token: Token) -> bool:
    """Whether a word is written as in a headline."""
    return not token.text[0].islower() or token.folded in STOPWORDS or len(token.text) < 3


def _is_name(token: Token) -> bool:
    return token.text[0].isupper() and token.folded not in STOPWORDS and token.folded not in _NO_NAME


def _continued(text: str, tokens: Sequence[Token], last: int) -> int | None:
    """Where the next capitalised word of a name is: right behind, or behind `of`, `of the`, `de`."""
    for near in range(last + 1, min(last + 4, len(tokens))):
        if not _joined(text, tokens[near - 1], tokens[near]):
            return None
        if _is_name(tokens[near]):
            return near
        if tokens[near].text not in _LINKS or (tokens[near].text == "the" and near == last + 1):
            return None
    return None


def _joined(text: str, one: Token, other: Token) -> bool:
    between = text[one.end : other.start]
    if not _JOINS.fullmatch(between) or "\n" in between:
        return False
    return "." not in between or len(one.text) <= 3


def _begins(text: str, token: Token) -> bool:
    return _BEGINS.search(text, max(0, token.start - 12), token.start) is not None or token.start == 0
