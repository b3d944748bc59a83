"""Notices a model that recites its instructions, however it spaces, capitalises, reverses or rotates them."""

from codecs import encode
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from callbacks.lettering import Lettering, letters_of

LETTERS = 24
"""So many letters of the instructions in a row are a recital; fewer are a harmless few words."""
_PIECE = 12
_PIECES, _AMONG = 16, 120
"""So many ends of pieces among so many letters are a recital that is broken up by other words."""
_WARY = 400
"""So many letters after a recital each piece is taken for more of it."""
_BETWEEN = 40
_SEED = 6


class Grams:
    """All stretches of some texts that are told apart, forwards and backwards, plain and in ROT13."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.long: set[str] = set()
        self.pieces: set[str] = set()
        self.seeds: set[str] = set()
        for text in texts:
            plain = letters_of(text)
            rotated = letters_of(encode(text, "rot13"))
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
        self._between = ""
        """What came after the last letter of a recital: it is said when the recital turns out to be over."""
        self._lettering = Lettering()
        self._wary_until = 0

    def unrelated(self, letters: str, last: str) -> bool:
        """Take note of up to 12 further letters, lower-case, of a text that ends with `last`.

        False, and nothing noted, if they must be looked at one by one.
        """
        seeds = self._grams.seeds
        if self._reciting or not self._lettering.plain:
            return False
        letters = letters.replace("l", "i")
        if (self._window[-_SEED:] in seeds or letters[:_SEED] in seeds) and self._touches(letters):
            return False
        self._window += letters
        if len(self._window) > 200:
            self._window = self._window[-LETTERS:]
        self._count += len(letters)
        self._lettering.previous = last
        return True

    def feed(self, text: str, placeholder: str) -> str:
        """What of a text may be said; `placeholder` stands for the rest."""
        out = []
        for char in text:
            before = self._lettering.previous
            letters = self._lettering.of(char)
            if letters:
                recites = [self._recites(letter) for letter in letters][-1]
                if recites and not self._reciting:
                    out.append(f" {placeholder}" if before == "!" else placeholder)  # no image
                    self._removed["prompt"] += 1
                elif self._reciting and not recites:
                    out.append(self._between or " ")
                self._reciting, self._between = recites, ""
            if not self._reciting:
                out.append(char)
            elif not letters:
                self._between = (self._between + char)[-_BETWEEN:]
        return "".join(out)

    def flush(self) -> str:
        """What followed a recital at the end of the text."""
        between, self._between = self._between, ""
        return between

    def _touches(self, letters: str) -> bool:
        """Whether a stretch of the instructions ends among some further letters."""
        text = self._window[1 - _PIECE :] + letters
        return any(text[at : at + _PIECE] in self._grams.pieces for at in range(len(text) - _PIECE + 1))

    def _recites(self, letter: str) -> bool:
        self._window = (self._window + letter)[-LETTERS:]
        self._count += 1
        if self._window[-_PIECE:] not in self._grams.pieces or self._in_passages(self._window[-_PIECE:]):
            return False
        self._ends = [end for end in self._ends if end > self._count - _AMONG] + [self._count]
        enough = 1 if self._count < self._wary_until else _PIECES
        if len(self._ends) < enough and self._window not in self._grams.long:
            return False
        self._wary_until = self._count + _WARY
        return True

    def _in_passages(self, piece: str) -> bool:
        if self._said is None:
            self._said = " ".join(letters_of(passage) for passage in self._passages)
        return piece in self._said
