"""The letters of a text, whatever it is dressed up in: what is compared where wording counts and form does not."""

import unicodedata
from string import hexdigits

_LEET = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_LOOKS_LIKE = dict(zip("аеорсухіјѕԁһԛԝкмтнвгαονρτυικ", "aeopcyxijsdhqwkmthbraovptuik", strict=True))
"""Cyrillic and Greek letters that are drawn like Latin ones."""


def letters_of(text: str) -> str:
    """The letters of a text, lower-case, without accents."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).lower()
        text = "".join(_LOOKS_LIKE.get(char, char) for char in decomposed)
    return "".join(char for char in text.lower() if "a" <= char <= "z")


class Lettering:
    """Gives the letters of a text character by character; escapes are decoded, `\\n` and the like are no letters."""

    def __init__(self) -> None:
        self.previous = ""
        """The last character of the text."""
        self._code = ""
        self._digits = 0
        """How long the code of an escape is to be; 0 outside of escapes."""

    def of(self, char: str) -> str:
        """The letters that a further character adds."""
        before, self.previous = self.previous, char
        if self._digits and char in hexdigits:
            return self._decoded(char)
        self._code, self._digits = "", 2 if char == "%" else 0
        if before == "\\":
            self._digits = {"x": 2, "u": 4}.get(char, 0)
            return ""
        if not char.isascii():
            return letters_of(char)
        if char.isalpha():
            return char.lower()
        return _LEET.get(char, "") if before.isalpha() else ""

    def _decoded(self, digit: str) -> str:
        self._code += digit
        if len(self._code) < self._digits:
            return ""
        code, self._code, self._digits = self._code, "", 0
        return letters_of(chr(int(code, 16)))
