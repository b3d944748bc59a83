"""Courtesies around a question: `Thanks.`, `Hello,`, `ok great!`; they name nothing and ask nothing."""

import re

from language.words import content_terms

_COURTESY = (
    r"(?:(?:hi|hello|hey|please|ok|okay|i see|got it|hm+)\b"
    r"|(?:thanks|thank you|thx)\b(?! to\b)(?: so much| very much| a lot| for (?:your|the) help)*"
    r"|(?:great|good|nice|cool|perfect|right|well done)\b(?=\W*$|\s*[.,;:!-]|\s+thank))"
)
"""A word that may begin something else, as in `Great Britain`, is one before a mark alone."""
_SOME = rf"(?:{_COURTESY}[\s.,;:!-]*+)++"
"""Possessive, as what is read here may be anything: nothing is tried in two ways."""
_BEGINS = re.compile(rf"\W*+{_SOME}", re.IGNORECASE)
_ENDS = re.compile(rf"(?<=[?.!,;])\s+{_SOME}(?P<mark>\?)?\W*+$", re.IGNORECASE)
_GREETING = re.compile(rf"\W*+(?:(?:{_COURTESY}|(?:yes|no|bye|goodbye)\b)\W*+)++", re.IGNORECASE)


def greets(question: str) -> bool:
    """Whether a question asks nothing: `Thanks!`."""
    return _GREETING.fullmatch(question) is not None


def plain(question: str) -> str:
    """A question without the courtesies it begins and ends with."""
    begins, ends = _BEGINS.match(question), _ENDS.search(question)
    rest = question[begins.end() if begins else 0 : ends.start() if ends else None].rstrip(",; ")
    mark = (ends["mark"] or "") if ends and rest[-1:] not in "?!." else ""
    return f"{rest[:1].upper() if begins else rest[:1]}{rest[1:]}{mark}" if content_terms(rest) else question
