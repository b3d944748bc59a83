"""What a text asks for, wish by wish: its questions, the parts of a question, and lists, each able to stand alone."""

import re
from collections.abc import Iterator
from itertools import islice

from chains.listed import listed
from chains.topics import about_something, masked, particular, resolved
from language.sentences import leans_back, sentence_spans
from language.words import content_terms

_MOST_SENTENCES = 24
"""Whoever writes more has no list of questions."""
_LONGEST_SENTENCE = 900
_ITEM = re.compile(r"\n\s*(?:[-*•]|\(?\d{1,2}[.)]|[a-h]\))\s+|\s(?=\(?[1-9][.)]\s[A-Za-z])")
_ITEM_MARK = re.compile(r"^(?:[-*•]|\(?\d{1,2}[.)]|[a-h]\))\s+")
_BEFORE_ASKING = r"(?:in|at|for|by|to|on|of|from)"
_QUESTION_WORD = r"(?:what|whats|which|when|where|why|how|who(?:m|se|s)?)"
_AUXILIARY = r"(?:is|are|was|were|do|does|did|can|could|should|must|will|would|has|have|had|may)"
_PRONOUN = r"(?:it|they|he|she|there|i|we|you)"
_SUBJECT = rf"(?:{_PRONOUN}|any|this|these|those|my|our|your|its|their|the|an?)"
_TELL = r"(?:tell me|explain|describe|list|give me|show me|summari[sz]e|compare)"
_ASKS = re.compile(
    rf"^(?:{_AUXILIARY}|(?:{_BEFORE_ASKING} )?{_QUESTION_WORD}|{_TELL}|name|give|show|find|please|outline|i want|i need"
    r"|i would like|i'd like)\b|\?\s*$",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"(?:\s*[;,]?\s+(?:and|but|or|as well as|plus)(?: also| then)?|\s*[;,](?: and| also| then)*)\s+"
    rf"(?=(?:{_BEFORE_ASKING} )?{_QUESTION_WORD}\b(?! not\b)|{_TELL}\b|{_AUXILIARY} {_SUBJECT}\b)|\s*;\s+",
    re.IGNORECASE,
)
_TELLS = re.compile(rf"{_TELL}\b", re.IGNORECASE)
_LINK = re.compile(r"(?:who(?:m|se)?|which|where|when|what)\b", re.IGNORECASE)
_FREE = re.compile(r"(?:what|how|why|when|where)\b", re.IGNORECASE)
_ASKS_FOR_A_SUBJECT = re.compile(r"(?:who|which|what)\b", re.IGNORECASE)
_STARTS_WITH_AUXILIARY = re.compile(rf"{_AUXILIARY}\b", re.IGNORECASE)
_WITH_PRONOUN = re.compile(rf"{_AUXILIARY} {_PRONOUN}\b", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:in|for|under|at|on|during|since|before|after|as of|within|according to|regarding|concerning)\s[^,?]{1,80},\s",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s(?:of|for|in|at|on|from|during|since|with|per|under|between|about)\s", re.IGNORECASE)
_BARE = 2
"""Words with a meaning, of a part that is about nothing of its own."""
_IF_SO = re.compile(r",?\s+(?:and\s+)?if (?:so|not|yes|no)$", re.IGNORECASE)
_AND = re.compile(r"(?:and|also|but|then|or)\b[\s,]*", re.IGNORECASE)


def wishes_of(text: str) -> list[str]:
    """The wishes of a text, in order and in its own words; what is said before a question stays in front of it.

    A text without a question is its own only wish.
    """
    wishes: list[str] = []
    said: list[str] = []
    for sentence, listed_one in _sentences(text):
        if not listed_one and not _asks(sentence):
            said.append(sentence)
            continue
        for piece in _pieces(sentence):
            for part in listed(piece if said else about_something(piece, wishes)):
                own = " ".join([*said, part if said else resolved(part, wishes)])
                wishes.append(_begun(own) if listed_one or _ASKS.search(own) else own)
                said = []
    if said and wishes and not leans_back(said[0]):
        return [*wishes, " ".join(said)]
    return [*wishes[:-1], " ".join([*wishes[-1:], *said])] if said else wishes


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    """Sentences, and whether each is an item of a list; what leads a list in stands before each of its items."""
    items = [item.strip() for item in islice(_ITEM.split(text), _MOST_SENTENCES) if item.strip()]
    lead = items.pop(0) if len(items) > 2 and items[0].endswith(":") else ""
    for item in items:
        line = " ".join(_ITEM_MARK.sub("", item).split())
        if lead:
            yield f"{lead} {line}".lstrip(": "), True
        else:
            spans = sentence_spans(line)
            yield from ((line[start:end], len(items) > 2) for start, end in spans[:_MOST_SENTENCES])


def _asks(sentence: str) -> bool:
    """Whether a sentence asks for something, at its start or behind a conjunction."""
    return _ASKS.search(sentence) is not None or any(
        joint.group().strip(" ,;") for joint in _JOINT.finditer(masked(sentence[:_LONGEST_SENTENCE]))
    )


def _pieces(sentence: str) -> list[str]:
    """A sentence cut where it asks for something else; an adjunct in front or behind belongs to all of it."""
    if len(sentence) > _LONGEST_SENTENCE:
        return [sentence]
    pieces = _cut(sentence)
    lead, tell = _LEAD.match(sentence), _TELLS.match(sentence)
    if lead:
        pieces = [pieces[0], *(f"{lead.group()}{piece}" for piece in pieces[1:])]
    elif tell and not sentence.endswith("?"):
        pieces = [pieces[0], *(p if _TELLS.match(p) else f"{tell.group()} {p}" for p in pieces[1:])]
    return [_ended(piece, sentence) for piece in _with_tail(pieces)]


def _cut(sentence: str) -> list[str]:
    hidden = masked(sentence)
    pieces, start = [], 0
    for joint in _JOINT.finditer(hidden):
        before, after = sentence[start : joint.start()], sentence[joint.end() :]
        if content_terms(before) and content_terms(after) and _asks_anew(before, joint.group(), after):
            pieces.append(before)
            start = joint.end()
    return [*pieces, sentence[start:]] if len(pieces) < _MOST_SENTENCES else [sentence]


def _asks_anew(before: str, joint: str, after: str) -> bool:
    """Whether a joint begins another wish, rather than a further clause or the second verb of one subject."""
    if ";" in joint or _TELLS.match(after):
        return True
    if not joint.strip(", "):  # `the lake, which is deep`
        return _FREE.match(after) is not None and _ASKS.match(before) is not None
    if _STARTS_WITH_AUXILIARY.match(after):  # `Who built it and was the first owner`
        return _WITH_PRONOUN.match(after) is not None or not _ASKS_FOR_A_SUBJECT.match(before)
    link = _LINK.match(after)
    return link is None or re.search(rf"\w\s+{link.group()}\b", before, re.IGNORECASE) is None


def _with_tail(pieces: list[str]) -> list[str]:
    """`what was the revenue` and `what was the profit of Acme in 2023`: the first one is of Acme in 2023, too."""
    tail = _TAIL.search(masked(pieces[-1]))
    end = pieces[-1][tail.start() :].rstrip("?.! ") if tail else ""
    if not particular(end):
        return pieces
    own = [len(content_terms(piece)) > _BARE or particular(piece) for piece in pieces]
    own[-1] = True
    return [piece if alone else f"{piece}{end}" for piece, alone in zip(pieces, own, strict=True)]


def _begun(wish: str) -> str:
    """With a capital, and without a conjunction that belongs to what stood before."""
    bare = _AND.sub("", wish, count=1) if _AND.match(wish) else wish
    return bare[:1].upper() + bare[1:]


def _ended(piece: str, sentence: str) -> str:
    """With the mark that ended the whole."""
    bare = _IF_SO.sub("", piece.strip(" ,;"))
    return f"{bare}?" if sentence.endswith("?") and bare[-1:] not in "?.!" else bare
