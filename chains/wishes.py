"""What a text asks for, wish by wish: its questions, the parts of a question, and lists, each able to stand alone."""

import re
from collections.abc import Sequence

from language.entities import names_in
from language.sentences import sentence_spans
from language.tokens import tokens
from language.words import STOPWORDS, content_terms

LONGEST = 300
"""Characters of a sub-question."""
_ENOUGH = 24
"""Sentences that are looked at; whoever writes more has no list of questions."""

QUOTED = re.compile(r"\"[^\"]{1,200}\"|“[^”]{1,200}”|\([^()]{1,200}\)|`[^`]{1,200}`")
_ITEM = re.compile(r"\n\s*(?:[-*•]|\(?\d{1,2}[.)]|[a-h]\))\s+|\s(?=\(?[1-9][.)]\s[A-Za-z])")
_ITEM_MARK = re.compile(r"^(?:[-*•]|\(?\d{1,2}[.)]|[a-h]\))\s+")
_SUBJECT = r"(?:it|they|he|she|there|i|we|you|any|this|these|those|my|our|your|its|their|the|an?)\b"
_AUXILIARY = r"(?:is|are|was|were|do|does|did|can|could|should|must|will|would|has|have|had|may)"
_TOLD = r"(?:tell me|explain|describe|list|give me|show me|summari[sz]e|compare)\b"
_AND_ASKS = re.compile(
    r"(?:\s*[;,]?\s+(?:and|but|or|as well as|plus)(?: also| then)?|\s*;(?: and| also)*|\s*,(?: also| then)?)\s+"
    rf"(?=(?:(?:in|at|for|by|to|on|of|from) )?(?:what|which|when|where|why|how|who(?:m|se)?)\b(?! not\b)|{_TOLD}"
    rf"|{_AUXILIARY} {_SUBJECT})|\s*;\s+",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"(?:who(?:m|se)?|which|where|when|what)\b", re.IGNORECASE)
_ASKS_WHO = re.compile(r"^(?:who|which|what)\b", re.IGNORECASE)
_ASKS = re.compile(
    rf"^(?:{_AUXILIARY}|what|whats|which|when|where|why|how|who(?:m|se|s)?|(?:in|at|for|by|to|on|of|from) (?:what|which|who)"
    rf"|{_TOLD}|name|give|show|find|please|outline|i (?:want|need|would like)|i'd like|can|could)\b|\?\s*$",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:in|for|under|at|on|during|since|before|after|as of|within|according to|regarding|concerning)\s[^,?]{1,80},\s",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^(?P<lead>(?:please\s)?(?:what|which)\s(?:are|were|is|was)\s|(?:please\s|can you\s|could you\s)?(?:list|name|give(?: me)?"
    r"|show(?: me)?|tell me(?: about)?|describe|explain|summari[sz]e|outline|find(?: me)?)\s|i (?:want|need) (?:to know )?)"
    r"(?P<items>[^?;:]{3,250}?)(?P<end>[?.!]*)$",
    re.IGNORECASE,
)
_COMMAS = re.compile(r"\s*,\s*(?:and\s+|as well as\s+|plus\s+)?|\s+(?:and|as well as|plus)\s+", re.IGNORECASE)
_PREPOSITION = re.compile(r"\s(?:of|for|in|at|on|from|during|since|with|per|under|between|about)\s", re.IGNORECASE)
_DETERMINER = re.compile(r"^(?:the|its|their|our|my|his|her|an?)\s", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|one)\b", re.IGNORECASE)
_OWNERS = frozenset({"its", "their", "his"})
_IDLE = re.compile(r"\bit (?:possible|allowed|legal|safe|necessary|true|better|best|worth|ok|okay|take|matter)\b", re.I)
_THING = re.compile(r"\b(?:the|an?|our|my|your|this|these)\s+((?:[\w’'-]+ ?){1,4})", re.IGNORECASE)
_INFINITIVE = re.compile(r"\b(?:do|does|did)\b", re.IGNORECASE)


def wishes_of(text: str) -> list[str]:
    """The wishes of a text, in order and in its own words; what is said before a question goes with it.

    A pronoun is replaced by what it stands for where that is plain; else the wish before it is put in front.
    """
    wishes: list[str] = []
    said = ""
    for sentence in _sentences(text):
        if not _ASKS.search(sentence):
            said, lost = (f"{said} {sentence}".strip(), "") if len(said) + len(sentence) < LONGEST else (sentence, said)
            wishes += [lost] if lost else []
            continue
        parts = _parts(sentence)
        if said and len(said) + len(parts[0]) < LONGEST:
            parts[0], said = f"{said} {parts[0]}", ""
        wishes += [said] if said else []
        said = ""
        for part in parts:
            wishes.append(_alone(part, wishes))
    if said and wishes and len(wishes[-1]) + len(said) < LONGEST:
        wishes[-1] = f"{wishes[-1]} {said}"
    elif said:
        wishes.append(said)
    return wishes


def masked(text: str) -> str:
    """`text` with its quotations and parentheses blackened, so that nothing is cut inside them; as long as it was."""
    return QUOTED.sub(lambda quote: "\x00" * len(quote.group()), text)


def _sentences(text: str) -> list[str]:
    """Sentences and items of a list; what leads a list in stands before each of its items."""
    items = [item.strip() for item in _ITEM.split(text) if item.strip()]
    lead = items.pop(0) if len(items) > 2 and items[0].endswith(":") else ""
    found: list[str] = []
    for item in items:
        line = " ".join(_ITEM_MARK.sub("", item).split())
        whole = f"{lead} {line}".strip()
        spans = [(0, len(whole))] if lead else sentence_spans(whole)
        found += [whole[start:end] for start, end in spans]
        if len(found) > _ENOUGH:
            return [" ".join(text.split())]
    return found


def _parts(sentence: str) -> list[str]:
    """A sentence cut where it asks for something else; an adjunct in front or behind belongs to all of it."""
    if len(sentence) > 3 * LONGEST:
        return [sentence]
    pieces = _cut(sentence)
    lead = _LEAD.match(sentence)
    if len(pieces) > 1 and lead:
        pieces = [pieces[0], *(f"{lead.group()}{piece}" for piece in pieces[1:])]
    if len(pieces) > 1:
        pieces = _with_tail(pieces)
    listed = [wish for piece in pieces for wish in _listed(piece)]
    return [_ended(piece, sentence) for piece in listed]


def _cut(sentence: str) -> list[str]:
    hidden = masked(sentence)
    pieces, start = [], 0
    for joint in _AND_ASKS.finditer(hidden):
        before, after = hidden[start : joint.start()], hidden[joint.end() :]
        if _is_joint(before, after, joint.group()):
            pieces.append(sentence[start : joint.start()].strip())
            start = joint.end()
    pieces.append(sentence[start:].strip())
    return [piece for piece in pieces if content_terms(piece)] or [sentence]


def _is_joint(before: str, after: str, joint: str) -> bool:
    """Whether both sides ask on their own, rather than continue a relative clause or a subject's second verb."""
    if not content_terms(before) or not content_terms(after.split(";")[0]):
        return False
    if ";" in joint:
        return True
    word = _RELATIVE.match(after)
    if word is None:
        return bool(re.match(_TOLD, after, re.I)) or not _ASKS_WHO.match(before) or bool(
            re.match(rf"{_AUXILIARY} (?:it|they|he|she|there|i|we|you)\b", after, re.I)
        )
    if "," in joint and not re.search(r"\w", joint):  # `the lake, which is deep`
        return _ASKS.match(before) is not None and word.group().lower() in {"what", "how", "why", "when", "where"}
    return re.search(rf"\w\s+{word.group()}\b", before, re.I) is None


def _with_tail(pieces: list[str]) -> list[str]:
    """`what was the revenue` and `what was the profit of Acme in 2023`: the first one is of Acme in 2023, too."""
    tail = _PREPOSITION.search(masked(pieces[-1]))
    if tail is None or not _particular(pieces[-1][tail.start() :]):
        return pieces
    end = pieces[-1][tail.start() :].rstrip("?.! ")
    return [
        f"{piece}{end}" if len(content_terms(piece)) <= 2 and not _particular(piece) and not _PRONOUN.search(piece) else piece
        for piece in pieces[:-1]
    ] + pieces[-1:]


def _listed(piece: str) -> list[str]:
    """`What are the price and the weight of X?` as two wishes, both of X."""
    hidden = masked(piece)
    match = _LIST.match(hidden) if len(piece) <= LONGEST else None
    if match is None:
        return [piece]
    start, end = match.span("items")
    spans = _split_spans(hidden, start, end)
    items = [piece[a:b].strip() for a, b in spans]
    tail = _PREPOSITION.search(masked(items[-1]))
    heads = [*items[:-1], items[-1][: tail.start()] if tail else items[-1]]
    marked = all(_DETERMINER.match(head) for head in heads)
    several = re.search(r"\b(?:are|were)\b", match["lead"], re.I) is not None
    if len(items) < 2 or not all(_is_thing(head) for head in heads) or not (marked or several or len(items) > 2):
        return [piece]
    behind = items[-1][tail.start() :] if tail else ""
    owned = [item if _PREPOSITION.search(masked(item)) else f"{item}{behind}" for item in items[:-1]]
    determiner = _DETERMINER.match(items[0])
    named = [i if _DETERMINER.match(i) or not determiner else f"{determiner.group()}{i}" for i in [*owned, items[-1]]]
    return [f"{piece[: match.end('lead')]}{item}{match['end']}" for item in named]


def _split_spans(hidden: str, start: int, end: int) -> list[tuple[int, int]]:
    spans, at = [], start
    for joint in _COMMAS.finditer(hidden, start, end):
        spans.append((at, joint.start()))
        at = joint.end()
    return [(a, b) for a, b in [*spans, (at, end)] if b > a]


def _is_thing(head: str) -> bool:
    """Whether it is the name of an attribute: a few small words, not a name or a clause."""
    words = _DETERMINER.sub("", head).split()
    return 0 < len(words) <= 6 and bool(content_terms(head)) and not _RELATIVE.search(head) and words[-1][:1].islower()


def _alone(part: str, before: Sequence[str]) -> str:
    """A part that speaks of what was asked before, with that in its place."""
    if not before or len(part) > LONGEST:
        return part
    pronoun = next((found for found in _PRONOUN.finditer(masked(part)) if found.start()), None)
    leans = pronoun is not None and not _IDLE.search(part) and not _particular(part[: pronoun.start()])
    bare = len(content_terms(part)) <= 2 and not _particular(part) and _DETERMINER.search(part[part.find(" ") + 1 :])
    if not leans and not bare:
        return part
    topic = next(filter(None, (_topic(earlier) for earlier in before)), "")
    if not topic:
        return f"{before[-1]} {part}" if leans and len(before[-1]) + len(part) < LONGEST else part
    if not leans or pronoun is None or len(part) + len(topic) >= LONGEST:
        return part if leans or topic.lower() in part.lower() else _behind(part, topic)
    owner = pronoun.group().lower() in _OWNERS or _owns(part, pronoun)
    return f"{part[: pronoun.start()]}{topic}{chr(39) + 's' if owner else ''}{part[pronoun.end() :]}"


def _owns(part: str, pronoun: re.Match[str]) -> bool:
    """Whether `her` stands before what is hers."""
    follower = re.match(r"\s(\w+)", part[pronoun.end() :])
    return pronoun.group().lower() == "her" and follower is not None and follower[1].lower() not in STOPWORDS


def _behind(part: str, topic: str) -> str:
    bare = part.rstrip("?.! ")
    return f"{bare} ({topic}){part[len(bare):]}"


def _topic(wish: str) -> str:
    """What a wish is about: its only name or quotation, else the thing it speaks of first; empty if that is unclear."""
    named = particulars(wish)
    if len(named) == 1:
        return named[0]
    if named:
        return ""
    thing = _THING.search(wish)
    if thing is None:
        return ""
    words = []
    for word in thing[1].split():
        if word.lower() in STOPWORDS:
            break
        words.append(word)
    ends = thing.start(1) + len(thing[1]) >= len(wish.rstrip("?.! "))
    if len(words) > 1 and ends and _INFINITIVE.search(wish[: thing.start()]):
        words.pop()
    return f"{thing.group().split()[0].lower()} {' '.join(words)}" if words else ""


def particulars(text: str) -> list[str]:
    """The names and quotations of a text, in order."""
    quotes = [match.group() for match in QUOTED.finditer(text) if match.group()[0] != "("]
    words = tokens(masked(text))
    found = [text[words[name.first].start : words[name.last].end] for name in names_in(text, words) if name.sure or name.first]
    return list(dict.fromkeys([*quotes, *found]))


def _particular(text: str) -> bool:
    return any(char.isdigit() for char in text) or bool(particulars(text))


def _ended(piece: str, sentence: str) -> str:
    """With the mark that ended the whole."""
    bare = piece.strip(" ,;")
    if bare[-1:] in "?.!":
        return bare
    return f"{bare}?" if sentence.rstrip().endswith("?") or _RELATIVE.match(bare) else bare
