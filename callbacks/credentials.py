"""What looks like a secret: keys of well-known kinds, given values, and data encoded so that nobody could read it."""

import re
from collections.abc import Sequence

_KEYS = re.compile(
    r"""
    (?<![A-Za-z0-9]) (?:
      (?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{8,}            # OpenAI, Anthropic, Stripe
      | (?:AKIA|ASIA)[A-Z0-9]{12,}                                # AWS
      | gh[pousr]_[A-Za-z0-9]{16,} | github_pat_\w{16,}
      | glpat-[\w-]{12,} | hf_[A-Za-z0-9]{16,} | npm_[A-Za-z0-9]{16,} | gsk_[A-Za-z0-9]{16,}
      | xox[a-z]-[A-Za-z0-9-]{8,}                                 # Slack
      | AIza[\w-]{16,}                                            # Google
      | eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)? | eyJ[\w-]{20,}      # JSON Web Tokens
    )
    | [a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@                     # a password in a connection string
    | (?i:passw(?:or)?d|pwd|secret|api[_-]?key|access[_-]?key|token|authorization)["']?[=:]["']?[^\s"']{6,}
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_ESCAPED = re.compile(r"(?:(?:%|\\x|\\u00|&\#x?)[0-9A-Fa-f]{2,6};?){6,}")
_SEPARATED = re.compile(r"[-_/+=]+")
_OPAQUE_PART = 12
"""Words joined by hyphens, and paths, have shorter parts than what was encoded."""
_TURN = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])|[A-Za-z](?=\d)|\d(?=[A-Za-z])")
_TURNS = 3
_PIECE = re.compile(r"[A-Za-z0-9+/=]{8,}")
_BYTES = re.compile(r"(?:(?<![^\W_])(?:[0-9A-Fa-f]{2}|0x[0-9A-Fa-f]{2}|[01]{8})[\s,:;-]{1,2}){4,}\Z")
BYTES_END = re.compile(r"[^0-9A-Fa-fx\s,:;-]")
"""Ends a row of bytes; a letter or two of the next word may be taken for one."""


def is_key(word: str, before: str) -> bool:
    """Whether a word is a key of a well-known kind; `before` is the word before it."""
    if _KEYS.search(word):
        return True
    bearer = before.lower().rstrip(":").endswith("bearer")
    return bearer and len(word) >= 12 and _TURN.search(word) is not None


def holds_any(word: str, values: Sequence[str]) -> bool:
    """Whether a word holds one of some values, or is a good part of one."""
    plain = word.strip(".,;:!?'\"()`")
    return any(value in word or (len(plain) >= 8 and plain in value) for value in values)


def encoded_in(word: str) -> list[str]:
    """The stretches of a word that look like encoded data."""
    runs = [run for run in _RUN.findall(word) if any(_opaque(part) for part in _SEPARATED.split(run))]
    return [*runs, *(found.group() for found in _ESCAPED.finditer(word))]


def is_piece(word: str) -> bool:
    """Whether a word may be a piece of encoded data that was cut up."""
    return _PIECE.fullmatch(word) is not None and len(_TURN.findall(word)) >= _TURNS


def bytes_before(text: str) -> bool:
    """Whether a text ends in a row of bytes, written one by one: ten as hexadecimal pairs, or four as bits."""
    found = _BYTES.search(text)
    return found is not None and (len(found.group().split()) >= 10 or re.search("[01]{8}", found.group()) is not None)


def _opaque(part: str) -> bool:
    if len(part) < _OPAQUE_PART:
        return False
    return len(part) >= 24 if part.isdigit() else len(_TURN.findall(part)) >= _TURNS
