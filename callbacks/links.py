"""What a link is, and which links an answer may hold: those that its passages hold, character for character."""

import re
from collections.abc import Sequence
from functools import cached_property

_ENDS = r"\s<>\[\]，。、；！？「」『』【】"
WORD_END = re.compile(f"[{_ENDS}]")
"""Ends a word as renderers see it: they let a link run on over everything else."""
_TRIMMED = ".,;:!?'\"*_~`|}’”»…"
_ALIKE = {"∕": "/", "⁄": "/", "⧸": "/", "∶": ":", "․": ".", "﹒": "."}
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord(sign): ord(_ALIKE[sign]) for sign in _ALIKE}
_URL = re.compile(
    r"""
    [a-z][a-z0-9+.-]*:/+\S*                                        # any scheme with slashes
    | (?<![^\W_])(?:https?|ftp|file|wss?):[/\\]+\S*                 # browsers take the other ones for slashes
    | (?<![^\W_])(?:mailto|tel|sms|javascript|vbscript|data|file|blob|about|view-source|intent|market):\S+
    | (?<![\w:/\\])[/\\]{2}[\w.]\S*                               # protocol-relative
    | [\w.+%-]+@[\w-]+(?:\.[\w-]+)+
    | (?<![\w.])www\.\S+
    | [\w-]+(?:\.[\w-]+)*\.(?:[^\W\d_]{2,}|xn--[\w-]+)(?::\d+)?[/?\#\\]\S*
    | (?<![\w.-])(?:[\w-]{2,}\.){2,}(?:[^\W\d_]{2,}|xn--[\w-]+)(?![\w.-])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAYBE_LINK = re.compile(rf"(?:[^{_ENDS}:/\\@.]|\.(?![^\W\d_]))*(?:[:/\\@]|\.[^\W\d_])[^{_ENDS}]*")
"""A word with a sign that every link has: few words of prose do."""
_PERMITTED = re.compile(r"https?://\S|mailto:\S|(?!//|\\\\)[^:]+$", re.IGNORECASE)
"""A link without a scheme is no link to every renderer, so it may stay as well, where a passage holds it."""
_ADDRESS_LIKE = re.compile(r"[:/\\?#%&=]|[\w-]\.[^\W\d_]{2,}")


def folded(text: str) -> str:
    """Full-width letters and signs as the plain ones that renderers and browsers take them for; as long as before."""
    return text if text.isascii() else text.translate(_WIDE)


def url_in(word: str) -> str | None:
    """The link that a word without white space holds, without the punctuation after it."""
    found = _URL.search(folded(word))
    return None if found is None else trimmed(word[found.start() :])


def trimmed(url: str) -> str:
    """A link without what only ends the sentence or the brackets around it."""
    while url and (url[-1] in _TRIMMED or (url[-1] == ")" and url.count("(") < url.count(")"))):
        url = url[:-1]
    return url


def looks_like_address(destination: str) -> bool:
    """Whether what stands in the brackets after a link's text is a destination, rather than words in brackets."""
    return _ADDRESS_LIKE.search(folded(destination)) is not None


class Links:
    """The links of some passages, looked for when the first one is asked about."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = passages

    @cached_property
    def _known(self) -> frozenset[str]:
        words = (word for text in self._passages for word in _MAYBE_LINK.findall(folded(text)))
        return frozenset(url for word in words if (url := url_in(word)))

    @cached_property
    def longest(self) -> int:
        """How long a link of them may be."""
        return max(map(len, self._known), default=0)

    def permitted(self, url: str) -> bool:
        """Whether an answer may hold this very link."""
        return _PERMITTED.match(url) is not None and url in self._known
