"""The letters of a text, whatever it is dressed up in: what is compared where wording counts and form does not."""

import unicodedata
from string import hexdigits

_LEET = {"0": "o", "1": "i", "!": "i", "|": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "8": "b"}
_SAME = {"l": "i", "L": "i"}
"""What 1 stands for: both letters are taken for one."""
_DISGUISED = 3
_LOOKS_LIKE = dict(zip("аеорсухіјѕԁһԛԝкмтнвгαονρτυικ", "aeopcyxijsdhqwkmthbraovptuik", strict=True))
"""Cyrillic and Greek letters that are drawn like Latin ones."""


def letters_of(text: str) -> str:
    """The letters of a text, lower-case, without accents; an l is an i."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).lower()
        text = "".join(_LOOKS_LIKE.get(char, char) for char in decomposed)
    return "".join(char for char in text.lower() if "a" <= char <= "z").replace("l", "i")


class Lettering:
    """Gives the letters of a text character by character.

    Escapes are decoded, `\\n` and the like are no letters, and digits are letters in and between words such as `r0w5`.
    """

    def __init__(self) -> None:
        self.previous = ""
        """The last character of the text."""
        self.plain = True
        """Whether letters that come next are just that."""
        self._code = ""
        self._digits = 0
        """How long the code of an escape is to be; 0 outside of escapes."""
        self._waiting = ""
        """The letters that digits stand for, if a letter follows them."""
        self._disguised = 0
        """How many words may pass before digits by themselves are numbers again."""

    def of(self, char: str) -> str:
        """The letters that a further character adds."""
        letters = self._letters(char)
        self.plain = not (self._waiting or self._disguised or self._digits)
        return letters

    def _letters(self, char: str) -> str:
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
            return self._after_digits() + _SAME.get(char, char.lower())
        if char in _LEET:
            return self._digit(_LEET[char], before)
        waiting, self._waiting = self._waiting, ""
        if char.isspace() and self._disguised:
            self._disguised -= 1
            return waiting
        return ""

    def _digit(self, letter: str, before: str) -> str:
        if before.isalpha():
            self._disguised = _DISGUISED
            return letter
        if self._waiting or before not in "[.,":
            self._waiting += letter
        return ""

    def _after_digits(self) -> str:
        waiting, self._waiting = self._waiting, ""
        if waiting:
            self._disguised = _DISGUISED
        return waiting

    def _decoded(self, digit: str) -> str:
        self._code += digit
        if len(self._code) < self._digits:
            return ""
        code, self._code, self._digits = self._code, "", 0
        return letters_of(chr(int(code, 16)))
