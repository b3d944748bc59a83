"""Questions that leave out the rest of themselves: `In 2023?`, `What about the Pro plan?`, `Why?`."""

import re

from chains.mentions import Mention, is_time, mentions_in
from chains.past import Past, listed
from language.words import content_terms

_PREPOSITIONS = "in|on|at|for|from|to|with|without|by|of|during|since|until|before|after|under|over|per|within|via|as"
_QUESTION_WORD = (
    r"(?:who(?:m|se)?|what|when|where|why|which|how(?: (?:much|many|long|often|far|old|big|fast|soon|so|come))?)"
)
_ABOUT = re.compile(
    r"(?:what about|how about|what of|same (?:question )?for|the same for|what if it(?:'s| is| was| were)?"
    r"|how (?:is|are|was|were) (?:it|that|this|they) for)\s+",
    re.IGNORECASE,
)
_ADJUNCT = re.compile(rf"(?:only )?({_PREPOSITIONS})\s+", re.IGNORECASE)
_WORD_AND_ADJUNCT = re.compile(rf"{_QUESTION_WORD}\s+(?={_PREPOSITIONS}\b)", re.IGNORECASE)
_MORE = re.compile(
    rf"(?:(?:since|until|by|for|from|to|with|of|in) )?{_QUESTION_WORD}"
    r"(?: (?:exactly|else|then|not|is that|is this|was that|does that|do you think|though))*"
    r"|(?:please )?(?:tell me more|more(?: details?)?|go on|elaborate|for example|an? example|give (?:me )?an example"
    r"|(?:any|some|more) (?:(?:other|further|more) )?(?:details?|info(?:rmation)?|examples?|exceptions?)"
    r"|(?:are there )?any exceptions|(?:(?:can|could) you )?(?:explain|elaborate)(?: that| this| it)?(?: further)?"
    r"|really"
    r"|(?:are you )?sure|anything else|what else(?: is there)?|says who|such as|like what|meaning)",
    re.IGNORECASE,
)
_WHY = re.compile(r"(?:why|how come)\b", re.IGNORECASE)
_OWNED = re.compile(r"(?:its|their|his|her)\s+", re.IGNORECASE)
_VERBAL = re.compile(
    r"\b(?:is|are|was|were|am|be|been|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|isn't"
    r"|aren't|don't|doesn't|didn't|can't|won't|who|whom|whose|what|when|where|why|which|how|i|we|you|tell|explain"
    r"|describe|list|show|give|compare|summari[sz]e|define|name|find|write|translate|please|ask|say|make|help|let"
    r"|(?:what|who|where|how|when)['’]?s)\b",
    re.IGNORECASE,
)
_REFERRING = re.compile(
    r"\b(?:it|its|they|them|their|he|she|him|his|hers?|this|these|those|ones?|there|former|latter|others)\b"
    r"|\bthat\b(?!\s+\w)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\d.,])(?:1[5-9]|20)\d\d(?![\d.,]*\d)")
_ARTICLE = r"(?:the|an?|my|your|our)\s"
_ARTICLE_BEFORE = re.compile(rf"\b{_ARTICLE}+$", re.IGNORECASE)
_JOINTS = re.compile(rf"(?:['’]s|\s+(?:of|in|at|for|on|from))\s+(?:{_ARTICLE}+)?")
_LONGEST_PART = 6
"""Content words of what is taken for a part of a question without a word that says so."""
_LONG_PART = 3
"""Content words from which on a part is put beside what it may replace."""


def with_topic(question: str, what: str) -> str:
    """A question with what it is about behind it."""
    body = question.rstrip("?!. ")
    mark = question[len(body) :].strip()[:1]
    return f"{capitalised(body)} ({what.rstrip('?!. ')}){mark}"


def capitalised(text: str) -> str:
    """A text that begins as a sentence does."""
    return text[:1].upper() + text[1:]


def completed(question: str, past: Past, *, led: bool) -> str | None:
    """The question before, with what this one says in it; None if this one is whole.

    `led` says that it began with `and`, `but` or the like.
    """
    if _MORE.fullmatch(question.strip(" ?!.")) or (_WHY.match(question) and len(content_terms(question)) <= 1):
        return with_topic(question, past.text)
    owned = _OWNED.match(question)
    if owned and _verbless(question[owned.end() :]):
        question = question[owned.end() :]
    about = _ABOUT.match(question)
    rest = question[about.end() :] if about else question
    asking = _WORD_AND_ADJUNCT.match(rest)
    part = (rest[asking.end() :] if asking else rest).strip(" ?!.")
    if _REFERRING.search(part) or not (about or asking or _verbless(part)):
        return None
    if not (about or asking or led or len(content_terms(part)) <= 1 or _fits(part, past)):
        return None
    put = _put_in(part, past)
    if put is None:
        return with_topic(question, listed(past.about())) if past.about() else None
    same = asking is None or put.lower().startswith(asking.group().split()[0].lower())
    return put if same or asking is None else f"{capitalised(asking.group().strip())}: {put}"


def _verbless(part: str) -> bool:
    """Whether a text is no clause, as far as can be told by its small words."""
    return bool(content_terms(part) or _YEAR.search(part)) and not _VERBAL.search(part)


def _fits(part: str, past: Past) -> bool:
    """Whether what might be a whole question of few words has a counterpart in the one before."""
    if _YEAR.search(part) or is_time(part) or _ADJUNCT.match(part):
        return len(content_terms(part)) <= _LONGEST_PART
    new = mentions_in(f"about {part}")
    old = _counterpart(new[0], past, None) if len(new) == 1 else None
    return old is not None and new[0].head == old.head


def _put_in(part: str, past: Past) -> str | None:
    """The question before with `part` in the place of what is of its kind; None if there is no such place."""
    base = past.text
    adjunct = _ADJUNCT.match(part)
    core = part[adjunct.end() :] if adjunct else part
    year, years = _YEAR.search(core), list(_YEAR.finditer(base))
    if year and years:
        changed = base[: years[-1].start()] + year.group() + base[years[-1].end() :]
        others = (core[: year.start()] + core[year.end() :]).strip()
        return _put_in(others, past._replace(text=changed)) if content_terms(others) else changed
    if year or is_time(core):
        old = next((m for m in past.topics if is_time(m.text)), None)
        return _behind(base, part) if old is None or year else f"{base[: old.start]}{core}{base[old.end :]}"
    new = mentions_in(f"about {core}")
    old = _counterpart(new[0], past, adjunct.group(1).lower() if adjunct else None) if new else None
    if old is None:
        return _behind(base, part) if adjunct or not new else None
    if old.head != new[0].head and len(content_terms(core)) >= _LONG_PART:
        return with_topic(base, part)
    article = _ARTICLE_BEFORE.search(base[: old.start])
    own = re.match(_ARTICLE, core, re.IGNORECASE) is not None
    start = article.start() if article and (own or new[0].named) else old.start
    return f"{base[:start]}{core}{base[old.end :]}"


def _behind(base: str, part: str) -> str:
    return f"{base.rstrip('?!. ')} {part}?"


def _counterpart(new: Mention, past: Past, preposition: str | None) -> Mention | None:
    """What of the question before is of the kind of `new`: what is called so, stands so, or is a name like it."""
    parts = [piece for mention in mentions_in(past.text) for piece in _pieces(past.text, mention)]
    for piece in parts:
        if piece.head == new.head or (len(new.stems) == 1 and piece.stems & new.stems):
            return piece
    if preposition is not None:
        before = re.compile(rf"\b{preposition}\s+(?:{_ARTICLE}+)?$", re.IGNORECASE)
        return next((piece for piece in reversed(parts) if before.search(past.text[: piece.start])), None)
    replaceable = [piece for piece in parts if not piece.asked and not is_time(piece.text)]
    alike = [piece for piece in replaceable if piece.named == new.named]
    if not alike and len(new.stems) == 1:  # a name may be written small
        alike = [piece for piece in replaceable if piece.named]
    return alike[-1] if alike else None


def _pieces(text: str, mention: Mention) -> list[Mention]:
    """The noun phrases that one is joined of."""
    pieces: list[Mention] = []
    at = mention.start
    for joint in [*_JOINTS.finditer(text, mention.start, mention.end), None]:
        end = mention.end if joint is None else joint.start()
        for found in mentions_in(f"the {text[at:end]}"):  # behind an article, what may be a verb is a noun
            start, stop = at + found.start - len("the "), at + found.end - len("the ")
            named = found.named or text[start].isupper()
            pieces.append(found._replace(start=start, end=stop, asked=mention.asked, named=named))
        at = mention.end if joint is None else joint.end()
    return pieces
