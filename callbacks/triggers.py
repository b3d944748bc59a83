"""Where a text may turn into a link, markup or a key, and where that cannot be told before more of it is there."""

import re
from collections.abc import Iterable

_AT_WORD = r"(?<![^\W_])(?<!\w['’])"
_SCHEMES = ("https", "http", "ftp", "javascript", "vbscript", "www", "hf_", "xoxb-", "xoxp-", "xoxa-", "xoxr-")
"""Held back from their first letter on: few words are that letter alone."""
_WORDS_TOO = ("data", "file", "mailto", "tel", "sms", "blob")
"""Words of their own, so that only the colon after them tells."""
_KEYS = {
    "s": ("k-", "k_"),
    "p": ("k-", "k_"),
    "r": ("k-", "k_"),
    "g": ("hp_", "ho_", "hu_", "hs_", "hr_", "ithub_pat_", "lpat-", "sk_"),
    "n": ("pm_",),
    "e": ("yJ",),
    "A": ("KIA",),
    "AS": ("IA",),
    "AI": ("za",),
}
"""Held back after the letters that are words of their own, and units."""


def _beginnings(words: Iterable[str]) -> list[str]:
    """All that the words begin with, the longest first."""
    return sorted({word[:end] for word in words for end in range(1, len(word) + 1)}, key=len, reverse=True)


HELD_WORDS = frozenset(
    beginning.lower()
    for beginning in (
        *_beginnings(_SCHEMES),
        *(first + rest for first, keys in _KEYS.items() for rest in _beginnings(keys)),
    )
)
"""A text that ends in one of these words, lower-case, may be about to become a link or a key."""
LOOKED_BACK = 16
"""So many characters before a place, and no more, have a say in whether it is a trigger."""

_KEY = "|".join(rf"(?<={_AT_WORD}{first})(?:{'|'.join(keys)})" for first, keys in _KEYS.items())
_KEY_BEGUN = "|".join(rf"(?<={_AT_WORD}{first})(?:{'|'.join(_beginnings(keys))})" for first, keys in _KEYS.items())
_FORMS = [form for word in _WORDS_TOO for form in (word, word.title(), word.upper())]
_DATA = "(?:" + "|".join(rf"(?<=\b{form})" for form in _FORMS) + "):"
_AFTER_SINGLES = r"(?<=(?<![^\W_])[^\W_][^\w\n][^\W_][^\w\n][^\W_][^\w\n])"
_TRIGGERS = rf"""
      (?P<image>(?<=!)\[(?=\D))
    | (?P<destination>(?<=\])\()
    | (?P<tag><(?=[A-Za-z/!?]))
    | (?P<pem>(?<=-----)BEGIN)
    | (?P<spaced>{_AFTER_SINGLES}[^\W_](?![^\W_]))
    | (?P<word>
        {_AT_WORD}(?:(?i:https?|ftp|javascript|vbscript)(?=:)|(?i:www)(?=\.)|hf_|xox[abpr]-)
      | {_KEY}
      | {_DATA}(?=\S)
      | (?<![\w:/\\])[/\\]{{2}}(?=[\w.])
      | (?<=[^\W\d_]{{2}}\.)[^\W_] | (?<=[^\W\d_]\.[^\W_])[^\W_] | (?<=\d\.)[^\W\d_]
      | (?<=[^\W\d]:)[\w/\\%&]
      | (?<=\w)[@=\\_]
      | (?<=[A-Za-z])\d | (?<=\d)[A-Za-z] | (?<=[a-z])[A-Z] | (?<=\d{{12}})\d | (?<=[01]{{7}})[01]
      )
"""
TRIGGER = re.compile(_TRIGGERS, re.VERBOSE)
"""The name of the group tells what is there; in lookbehinds nothing is older than `LOOKED_BACK`."""
TRIGGER_IN_IMAGE = re.compile(rf"(?P<bracket>[\[\]])|(?P<break>\n[^\S\n]*\n)|{_TRIGGERS}", re.VERBOSE)
"""The same inside the description of an image, which a blank line ends."""
UNDECIDED = re.compile(
    rf"""
    (?: < | (?<=!)\[ | {_DATA}
      | (?<![\w:/\\])[/\\]{{1,2}}
      | (?<=-----)B(?:E(?:GI?)?)?
      | {_AFTER_SINGLES}[^\W_]
      | {_KEY_BEGUN}
      | {_AT_WORD}(?i:{"|".join(_beginnings(_SCHEMES))})
    )\Z""",
    re.VERBOSE,
)
"""The end of a text in which the next character may make a trigger."""
UNDECIDED_IN_IMAGE = re.compile(rf"\n[^\S\n]*\Z|{UNDECIDED.pattern}", re.VERBOSE)
