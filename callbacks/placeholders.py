"""What stands in an answer for what was taken out of it. All of it is plain text to the citation parser."""

import re

WITHHELD = "[withheld]"
LINK_REMOVED = "[link removed]"
IMAGE_REMOVED = "[image removed]"
MARKUP_REMOVED = "[markup removed]"
_UNSAFE = re.compile(r"\[(?:withheld|(?:link|image|markup) removed)\]")
_PERSONAL = re.compile(r"\[(?:[a-z]+ ){1,2}withheld\]")

_LED_TO = re.compile(
    r"(?:[,;:(–-]?\s*(?:\b(?:see|at|via|visit|under|here|more|available|click|on|from|also|open)\b[\s:,]*){1,4})?"
    rf"(?:!\S*\s*(?=\[image))?[\s(]*!?{_UNSAFE.pattern}\)?",
    re.IGNORECASE,
)


def personal_withheld(kind: str) -> str:
    """The placeholder for personal data: `[credit card withheld]`."""
    return f"[{kind.replace('_', ' ')} withheld]"


def holds_placeholder(text: str) -> bool:
    """Whether something was taken out of a text that a model should not have written.

    Personal data is not that: what is said of it stands, and only the data is withheld.
    """
    return _UNSAFE.search(text) is not None


def without_personal(text: str) -> str:
    """A text without the placeholders for personal data, which no source holds."""
    return _PERSONAL.sub("", text)


def without_placeholders(text: str) -> str:
    """A text without what stands for what was taken out, and without the words that only led there."""
    return " ".join(_LED_TO.sub("", text).split()).replace(" .", ".").replace(" ,", ",")
