"""Notices a model that recites its instructions, however it spaces, capitalises, reverses or rotates them."""

import unicodedata
from codecs import encode
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

LETTERS = 24
"""So many letters of the instructions in a row are a recital; fewer are a harmless few words."""
_PIECE = 12
_PIECES, _AMONG = 16, 120
"""So many ends of pieces among so many letters are a recital that is broken up by other words."""
_SEED = 6
_LEET = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s"}
_LOOKS_LIKE = dict(zip("аеорсухіјѕԁһԛԝкмтнвгαονρτυικ", "aeopcyxijsdhqwkmthbraovptuik", strict=True))
"""Cyrillic and Greek letters that are drawn like Latin ones."""


def letters_of(text: str) -> str:
    """The letters of a text, lower-case, without accents."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text).lower()
        text = "".join(_LOOKS_LIKE.get(char, char) for char in decomposed)
    return "".join(char for char in text.lower() if "a" <= char <= "z")


class Grams:
    """All stretches of some texts that are told apart, forwards and backwards, plain and in ROT13."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.long: set[str] = set()
        self.pieces: set[str] = set()
        self.seeds: set[str] = set()
        for text in texts:
            plain = letters_of(text)
            rotated = encode(plain, "rot13")
            for letters in (plain, plain[::-1], rotated, rotated[::-1]):
                for grams, size in ((self.long, LETTERS), (self.pieces, _PIECE), (self.seeds, _SEED)):
                    grams.update(letters[at : at + size] for at in range(len(letters) - size + 1))


@lru_cache(maxsize=8)
def grams_of(texts: tuple[str, ...]) -> Grams:
    """The stretches of some texts; the prompts are the same for every run."""
    return Grams(texts)


class Recital:
    """Lets a text through up to where it recites.

    What the passages say as well is no recital: a document may speak of the same things.
    """

    def __init__(self, grams: Grams, passages: Sequence[str], removed: Counter[str]) -> None:
        self._removed = removed
        self._grams = grams
        self._passages = passages
        self._said: str | None = None
        self._window = ""
        self._count = 0
        self._ends: list[int] = []
        self._reciting = False
        self._previous = ""

    def unrelated(self, letters: str, last: str) -> bool:
        """Take note of up to 12 further letters, lower-case, of a text that ends with `last`.

        False, and nothing noted, if they must be looked at one by one.
        """
        seeds = self._grams.seeds
        if self._reciting:
            return False
        if (self._window[-_SEED:] in seeds or letters[:_SEED] in seeds) and self._touches(letters):
            return False
        self._window += letters
        if len(self._window) > 200:
            self._window = self._window[-LETTERS:]
        self._count += len(letters)
        self._previous = last
        return True

    def feed(self, text: str, placeholder: str) -> str:
        """What of a text may be said; `placeholder` stands for the rest."""
        out = []
        for char in text:
            letters = self._letters(char)
            self._previous = char
            if letters:
                recites = [self._recites(letter) for letter in letters][-1]
                if recites and not self._reciting:
                    out.append(placeholder)
                    self._removed["prompt"] += 1
                elif self._reciting and not recites:
                    out.append(" ")
                self._reciting = recites
            if not self._reciting:
                out.append(char)
        return "".join(out)

    def _touches(self, letters: str) -> bool:
        """Whether a stretch of the instructions ends among some further letters."""
        text = self._window[1 - _PIECE :] + letters
        return any(text[at : at + _PIECE] in self._grams.pieces for at in range(len(text) - _PIECE + 1))

    def _letters(self, char: str) -> str:
        if char.isascii():
            if char.isalpha():
                return char.lower()
            return _LEET.get(char, "") if self._previous.isalpha() else ""
        return letters_of(char)

    def _recites(self, letter: str) -> bool:
        self._window = (self._window + letter)[-LETTERS:]
        self._count += 1
        if self._window[-_PIECE:] not in self._grams.pieces or self._in_passages(self._window[-_PIECE:]):
            return False
        self._ends = [end for end in self._ends if end > self._count - _AMONG] + [self._count]
        return len(self._ends) >= _PIECES or self._window in self._grams.long

    def _in_passages(self, piece: str) -> bool:
        if self._said is None:
            self._said = " ".join(letters_of(passage) for passage in self._passages)
        return piece in self._said
