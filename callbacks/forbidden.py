"""Which words must not be said: links that no passage holds, keys, given secrets, encoded data."""

import re
from collections.abc import Sequence

from callbacks.credentials import bytes_before, encoded_in, holds_any, is_key, is_piece
from callbacks.links import Links, folded, url_in

_PIECES_IN_SIGHT = 2


class Forbidden:
    """Tells, of a word and of what was said before it, what kind of thing it is; None if it may be said."""

    def __init__(self, passages: Sequence[str], links: Links, secrets: Sequence[str], key: str | None) -> None:
        self._passages = passages
        self._links = links
        bare = [re.sub(r"[\W_]", "", secret) for secret in secrets]
        self._secrets = [form for secret in (*secrets, *bare) for form in (secret, secret[::-1])]
        self._key = [key, key[::-1]] if key else []
        self._pieces: list[str] = []

    def kind(self, word: str, before: str, after: str = "") -> str | None:
        """What a word is; `before` is the text before it, `after` the two characters after it, if it is a whole one."""
        plain = folded(word)
        if is_key(plain, "".join(before.split()[-1:])) or holds_any(plain, self._secrets):
            return "secret"
        if holds_any(plain, self._key):
            return "prompt"
        url = url_in(word)
        runs_on = after[:1] == "[" and not after[1:].isdigit()
        if url is not None and (runs_on or not self._links.permitted(url)):
            return "link"
        return "blob" if self._encoded(plain, before) else None

    def _encoded(self, word: str, before: str) -> bool:
        if any(not self._known(run) for run in encoded_in(word)):
            return True
        if len(word) <= 8 and bytes_before(before):
            return True
        piece = word.strip(".,;:!?'\"()`")
        if not is_piece(piece) or self._known(piece):
            return False
        self._pieces.append(piece)
        return sum(earlier in before for earlier in self._pieces[:-1]) >= _PIECES_IN_SIGHT

    def _known(self, text: str) -> bool:
        return any(text in passage for passage in self._passages)
