"""Sentences that can stand alone: no rows, headings, fragments, pointers elsewhere, or halves of a thought."""

import re
from functools import lru_cache

from language.cells import cells
from language.instructions import speaks_to_a_model
from language.sentences import leans_back

_SHORTEST, _LONGEST = 5, 90
"""Words of a sentence that says something and can still be read."""
_LETTERS_A_WORD = 3
"""Where a script has no spaces between its words."""
_LETTERS = 0.72
MOST_WEIGHT = 3
"""Figures and names of a sentence that are counted."""
_LAYOUT = re.compile(r"\s*(?:[|#>]|\[?\d+\]?$|https?://\S+$)")
_ROW = re.compile(r" — [^;:]{1,80}: [-–—$€£(\d]|(?:: [^;:]{1,40}(?:;\s|$)[^;:]{0,60}){2}")
_BRACKETED = re.compile(r"\W*(?:\([^()]*\)|\[[^\[\]]*\])\W*")
_ITEM = re.compile(r"\W*(?:\(\w{1,4}\)|\d{1,3}(?:\.\d{1,3})+[.)]?|[ivx]{1,5}\)|[a-z]\)|\*)\s*(?=\S)", re.IGNORECASE)
_FORM = re.compile(
    r"\bindicate by check ?mark\b|\bincorporated (?:herein )?by reference to exhibit\b|"
    r"\b(?:exact name of registrant|i\.r\.s\. employer identification|state or other jurisdiction of incorporation|"
    r"signature page (?:to )?follows|commission file number|date of (?:earliest event )?report(?:ed)?|"
    r"intentionally left blank|address of principal executive offices|registrant.s telephone number|"
    r"cover page interactive data file)\b",
    re.IGNORECASE,
)
_LEADER = re.compile(r"(?:\.\s?){4}|(?:…\s?){2}|(?:·\s?){4}|_{4}")
_RUNNING_HEAD = re.compile(
    r"\W*(?:chapter|section|part|appendix|page|item|annex|kapitel)\s+[\divxlc]+\b[^.!?]{0,80}?\s\d{1,4}\W*",
    re.IGNORECASE,
)
_SHOUTED = 0.6
"""Of the letters, in capitals: a heading, a cover page, a notice."""
_CUT_OFF = re.compile(
    r"(?:(?<!['’])\b(?:an?|the|and|or|but|nor|than|if|because|its|their|our|your|pursuant to|according to|into)\W*|"
    r"\b(?:of|to|in|on|at|by|for|with|from|as|that|which|who|whose|when|while|is|are|was|were|be|been|has|have|had|"
    r"between|under|over|this|these|those|see)\s*|[,;&(–—-]\.?\s*|"
    r"\b(?:Nos?|Mr|Mrs|Ms|Dr|St|vs|cf|e\.g|i\.e|approx|Art|Sec|Fig|pp?|[ap]\.m)\.[\"”’']*\s*)$"
)
"""What goes on in the next line, or in what was taken for the next sentence."""
_FIGURE = re.compile(r"\b\d[\d.,]*\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w&’'-]+")
_POINTER = re.compile(
    r"\W*(?:see|refer to|as (?:shown|described|discussed) (?:in|above|below)|for (?:additional|further|more) "
    r"(?:information|details|discussions?))\b",
    re.IGNORECASE,
)


def stands_alone(sentence: str) -> bool:
    """Whether a sentence says something by itself, to whoever reads nothing else, and to no model."""
    return reads_alone(sentence) and not speaks_to_a_model(sentence)


@lru_cache(maxsize=20_000)
def reads_alone(sentence: str) -> bool:
    """The same, whoever it speaks to: that is the dear part of the question."""
    words = len(sentence.split())
    if words < _SHORTEST and not sentence.isascii():
        words = sum(char.isalpha() and not char.isascii() for char in sentence) // _LETTERS_A_WORD
    if not _SHORTEST <= words <= _LONGEST or sentence.rstrip().endswith(":"):
        return False
    letters = sum(char.isalpha() or char.isspace() for char in sentence)
    if letters < _LETTERS * len(sentence) or " | " in sentence or sentence.isupper():
        return False
    if _LAYOUT.match(sentence) or _POINTER.match(sentence) or _ROW.search(sentence) or cells(sentence):
        return False
    if is_scrap(sentence):
        return False
    first = next((char for char in sentence if char.isalnum()), " ")
    return not first.islower() and not leans_back(sentence)


def is_sentence(sentence: str) -> bool:
    """Whether a text says something in words and comes to an end, however short it is: no row, heading or contents."""
    ended = sentence.rstrip().rstrip("\"”’')]").endswith((".", "!", "?", "…", "。", "！", "？"))
    letters = sum(char.isalpha() or char.isspace() for char in sentence)
    plain = " | " not in sentence and not _LAYOUT.match(sentence) and len(cells(sentence)) < 2
    return ended and plain and letters > len(sentence) / 2 and not _LEADER.search(sentence)


def weight(sentence: str) -> int:
    """How much there is in a sentence that somebody could look up: its figures and its names."""
    return min(MOST_WEIGHT, len(_FIGURE.findall(sentence)) + len(_NAME.findall(sentence)))


def is_scrap(sentence: str) -> bool:
    """Whether a text is of a form, a cover page, a list of contents or a page's head, or breaks off."""
    text = sentence.strip()
    if _BRACKETED.fullmatch(text) or _ITEM.match(text) or _RUNNING_HEAD.fullmatch(text):
        return True
    if _FORM.search(text) or _LEADER.search(text) or _CUT_OFF.search(text):
        return True
    letters = [char for char in text if char.isalpha() and char.lower() != char.upper()]
    return len(letters) > 20 and sum(map(str.isupper, letters)) > _SHOUTED * len(letters)


def sayable(sentence: str) -> bool:
    """Whether a sentence, a row or a heading may be cited at all."""
    return any(char.isalnum() for char in sentence) and not speaks_to_a_model(sentence)
