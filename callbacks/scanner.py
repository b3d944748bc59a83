"""Takes links, markup and secrets out of a text that arrives in pieces, and holds back as little of it as that needs.

What becomes of a place in the text depends on the text alone, never on how it was split: wherever more of it could
change the decision, the scanner waits, but never for more than `HELD` characters or the longest permitted link.
"""

import re
from collections import Counter
from collections.abc import Sequence

from callbacks.credentials import BYTES_END, bytes_before
from callbacks.forbidden import Forbidden
from callbacks.links import WORD_END, Links, folded, trimmed
from callbacks.markup import Found, destination, image_end, tag
from callbacks.placeholders import IMAGE_REMOVED, LINK_REMOVED, WITHHELD
from callbacks.triggers import LOOKED_BACK, TRIGGER, TRIGGER_IN_IMAGE, UNDECIDED, UNDECIDED_IN_IMAGE

HELD = 300
_SEEN = 160
"""How much of what was let go has a say in what follows."""
_SINGLES = re.compile(r"(?:[^\W_][^\w\n]{1,3})*(?:[^\W_](?![^\W_]))?")
_SINGLES_BEFORE = re.compile(r"(?<![^\W_])(?:[^\W_][^\w\n]{1,3})+\Z")
_PEM_END = re.compile(r"-----END[^-\n]{0,40}-----")
_PEM_TAIL = 60


class Scanner:
    """Lets a text through but for links that no passage holds, images, markup and secrets; counts them by kind."""

    def __init__(
        self,
        removed: Counter[str],
        passages: Sequence[str] = (),
        links: Links | None = None,
        secrets: Sequence[str] = (),
        key: str | None = None,
    ) -> None:
        self._removed = removed
        self._links = links or Links(passages)
        self._forbidden = Forbidden(passages, self._links, secrets, key)
        self._seen = ""
        self._pending = ""
        self._until: re.Pattern[str] | None = None
        self._depth = 0
        """Of brackets, inside the description of an image."""

    @property
    def idle(self) -> bool:
        """Whether nothing is held back or being left out."""
        return not (self._pending or self._until or self._depth)

    @property
    def in_word(self) -> bool:
        """Whether small letters only go on with a word, past what a key could begin with."""
        return self._seen[-2:-1].isalpha() and self._seen[-1:].islower()

    def passes(self, text: str) -> str:
        """Take note of a text that needs no look; returned as it is."""
        self._seen += text
        if len(self._seen) > 4 * _SEEN:
            self._seen = self._seen[-_SEEN:]
        return text

    def feed(self, text: str, *, final: bool = False) -> str:
        """What may be said by now."""
        self._pending += text
        out: list[str] = []
        while self._pending and self._advance(out, final):
            pass
        if final and self._depth:  # an image without an end
            self._depth = 0
            self._take(Found(0, f" {IMAGE_REMOVED}", "image"), out)
        return "".join(out)

    def _advance(self, out: list[str], final: bool) -> bool:
        """Decide about the next stretch of what is pending; False if that takes more of the text."""
        if self._until is not None:
            return self._leave_out(self._until)
        before = self._seen[-LOOKED_BACK:]
        at, text = len(before), folded(before + self._pending)
        found = (TRIGGER_IN_IMAGE if self._depth else TRIGGER).search(text, at)
        decidable = self._decided(text, at, final)
        plain = (min(found.start(), decidable) if found else decidable) - at
        if plain:
            out.append(self.passes(self._pending[:plain]))
            self._pending = self._pending[plain:]
        if found is None or decidable < found.start():
            return False
        decided = self._judged(str(found.lastgroup), final)
        if decided is not None:
            self._take(decided, out)
        return decided is not None

    def _decided(self, text: str, at: int, final: bool) -> int:
        """Up to where a text can hold no trigger that is not seen yet."""
        if final:
            return len(text)
        pattern = UNDECIDED_IN_IMAGE if self._depth else UNDECIDED
        undecided = pattern.search(text, max(at, len(text) - LOOKED_BACK))
        return undecided.start() if undecided else len(text)

    def _take(self, decided: Found, out: list[str]) -> None:
        if decided.counted:
            self._removed[decided.counted] += 1
        out.append(self.passes(decided.said))
        self._pending = decided.again + self._pending[decided.length :]
        self._until = decided.until

    def _leave_out(self, until: re.Pattern[str]) -> bool:
        end = until.search(self._pending)
        if end is None:  # the end of a key may have begun
            self._pending = self._pending[-_PEM_TAIL:] if until is _PEM_END else ""
            return False
        self._pending = self._pending[end.end() if until is _PEM_END else end.start() :]
        self._until = None
        return True

    def _judged(self, what: str, final: bool) -> Found | None:
        """What becomes of the trigger at the start of what is pending; None if that takes more of the text."""
        most = max(HELD, self._links.longest + 2)
        window = self._pending[:most]
        whole = final or len(self._pending) >= most
        match what:
            case "image":
                self._depth += 1
                return Found(1, "")
            case "bracket":
                return self._bracket(window, whole)
            case "break":
                self._depth = 0
                return Found(0, f" {IMAGE_REMOVED}", "image")
            case "destination":
                return destination(window, self._links, whole=whole)
            case "tag":
                return tag(window, self._links, whole=whole)
            case "pem":
                return Found(5, WITHHELD, "secret", _PEM_END)
            case "spaced":
                return self._spaced(window, whole)
            case _:
                return self._word(window, whole, final)

    def _bracket(self, window: str, whole: bool) -> Found | None:
        if window[0] == "[":
            self._depth += 1
            return Found(1, "[")
        if self._depth > 1:
            self._depth -= 1
            return Found(1, "]")
        found = image_end(window, whole=whole)
        self._depth = 0 if found else 1
        return found

    def _spaced(self, window: str, whole: bool) -> Found | None:
        """Single characters in a row are a word that was spaced out."""
        run = _SINGLES.match(window)
        assert run is not None
        if run.end() == len(window) and not whole:
            return None
        head = _SINGLES_BEFORE.search(self._seen[-_SEEN:])
        spaced = (head.group() if head else "") + run.group()
        kind = self._forbidden.kind(re.sub(r"[^\w-]", "", spaced), "")
        kind = kind or self._forbidden.kind(re.sub(r"[\W_]", "", spaced), "")
        return Found(run.end(), run.group()) if kind is None else Found(run.end(), WITHHELD, kind)

    def _word(self, window: str, whole: bool, final: bool) -> Found | None:
        end = WORD_END.search(window)
        if end is None and not whole:
            return None
        body = window[: end.start()] if end else window
        after = self._pending[len(body) : len(body) + 2]
        if after == "[" and not final:
            return None
        seen = self._seen[-_SEEN:]
        head = WORD_END.split(seen)[-1]
        before = seen[: len(seen) - len(head)]
        kind = self._forbidden.kind(head + body, before, after)
        if kind is None:
            return Found(len(body), body)
        if kind == "blob" and bytes_before(before):
            return Found(len(body), WITHHELD, kind, BYTES_END)
        said = LINK_REMOVED if kind == "link" else WITHHELD
        taken = len(trimmed(body)) if end or final else 0
        return Found(taken or len(body), said, kind, None if end or final else WORD_END)
