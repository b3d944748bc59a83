"""Takes invisible characters out of a text that arrives in pieces."""

from collections import Counter

from language.invisible import visible

_JOINERS = ("\u200c", "\u200d")


class Unseen:
    """Drops characters that nobody sees; whether a joiner is meant shows only when its neighbour is there."""

    def __init__(self, removed: Counter[str]) -> None:
        self._removed = removed
        self.held = ""
        self.before = ""
        """The last character, as the model wrote it; empty where it has no bearing on the next."""

    def feed(self, text: str, *, final: bool) -> str:
        """What of the text is seen."""
        text, self.held = self.held + text, ""
        if not final and text.endswith(_JOINERS):
            text, self.held = text[:-1], text[-1]
        if not text:
            return ""
        seen = visible(self.before + text + self.held)
        seen = seen[len(visible(self.before)) :]
        if self.held and seen.endswith(_JOINERS):
            seen = seen[:-1]
        if len(seen) < len(text):
            self._removed["invisible"] += len(text) - len(seen)
        self.before = text[-1]
        return seen
