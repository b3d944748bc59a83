"""Questions within questions: what has to be known first, as a question of its own."""

import re

from chains.parts import LONGEST
from chains.topics import masked
from language.words import content_terms

_SMALL = r"(?:do|does|did|is|are|was|were|has|have|had|the|an?|that|who|which|whose|and|or)\b"
_HEAD = rf"(?P<head>(?:(?!{_SMALL})[\w’'-]+\s){{0,5}}?(?!{_SMALL})[\w’'-]+)"
_LATER_VERB = r"(?:is|are|was|were|has|have|had|do|does|did|will|can)"
_JOINED = (
    "named|nicknamed|called|known|given|directed|written|founded|led|played|signed|covered|featured|owned|used|built|"
    "located|based|headquartered|released|published|produced|created|designed|voiced|held|made|born|sung|composed|"
    "invented|developed|discovered|hosted|awarded|married|acquired|managed|run|formed"
)
_RELATIVE = re.compile(
    rf"\b(?:the|an?|this|that|what|which|whose)\s{_HEAD},?\s(?P<link>who|that|which|whose|where)\s(?P<clause>[^?;]{{3,200}})",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    rf"\b(?:the|an?)\s{_HEAD}\s(?P<clause>(?-i:[A-Z\x00])[^,?;]{{2,150}})\s(?P<rest>{_LATER_VERB}\b[^?;]+)",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(
    rf"\b(?:the|an?)\s{_HEAD}\s(?P<clause>(?:{_JOINED})\s(?:by|to|in|for|as|at|on|from|with|after|\x00)[^?;]{{2,150}}?)"
    rf"\s(?P<rest>{_LATER_VERB}\b[^?;]+)",
    re.IGNORECASE,
)
_IN_PLACE = re.compile(
    rf"^(?P<told>[^?;]{{4,200}}\s(?:the|an?)\s(?:(?!{_SMALL})[\w’'-]+\s){{0,3}}(?!{_SMALL})[\w’'-]+),?\s"
    rf"(?:(?:who|that|which|whose|where)\s|(?:{_JOINED})\s|with\s)[^?;]{{0,120}}?\b(?:what|which|whom|how many)\b",
    re.IGNORECASE,
)
_OF_THE = re.compile(
    r"\bthe\s(?:[\w’'-]+\s){1,3}of\s(?P<inner>the\s(?:[\w-]+\s){1,3}of\s[^?;,]{2,120}?)[\s?.!]*$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"(?P<inner>(?-i:[A-Z\x00])[^?;,]{1,80}?['’]s\s[a-z-]+)['’]s\s[a-z]", re.IGNORECASE)
_ASKED_FIRST = re.compile(r"(?:(?:in|at|on|of|for|from|to)\s)?(?:what|which|who(?:m|se)?|when|where|how|why)\b", re.I)
_ASKED_WITHIN = re.compile(r"\b(?:what|which|how many)\b", re.IGNORECASE)
_ENDS_IN_PREPOSITION = re.compile(r"\s(?:in|of|on|to|for|from|at|with|by)$", re.IGNORECASE)
_DOES = re.compile(r"\b(?:do|does|did)\s(?:the|an?|this|that)\s*$", re.IGNORECASE)
_IS = re.compile(r"\b(?:is|are|was|were)\s(?:the|an?|this|that)\s*$", re.IGNORECASE)
_VERB = re.compile(
    r"\s(?:play|live|work|die|have|own|make|use|cost|offer|begin|start|end|win|lead|run|sell|serve|come|go|stand|belong|"
    r"receive|attend|study|operate|represent|hold|appear|take|give|get|need|marry|move|grow|join|teach|write|direct|"
    r"happen|close|open|earn|pay)\b.*$",
    re.IGNORECASE,
)
_PARTICIPLE_END = re.compile(
    r"(?<!\bis)(?<!\bare)(?<!\bwas)(?<!\bwere)(?<!\bbeen)\s(?:born|made|known|held|sold|built|found|won|set|named|\w{3,}ed)"
    r"(?:\s(?:in|at|on|to|by|for|from|as))?$",
    re.IGNORECASE,
)
_STATE = re.compile(rf"\s(?:{_JOINED}|opened|closed|killed|buried|raised|educated)$", re.IGNORECASE)
_SECOND_VERB = re.compile(rf"\s{_LATER_VERB}\s.*$", re.IGNORECASE)
_ASKS_WHO = re.compile(r"^(?:who|what|where|when|how old) (?:is|are|was|were) ", re.IGNORECASE)
_LEAST = 2
"""Words with a meaning, of what is asked first."""


def nested(question: str) -> list[str]:
    """What has to be known first, then the question itself; nothing if it does not hold a question within.

    `What stadium does the team that X coaches play in?` -> `The team that X coaches`, and itself: what it is about is
    named in its own words, for it would take a grammar to ask for it.
    """
    if len(question) > LONGEST:
        return []
    hidden = masked(question)
    for find in (_in_place, _relative, _of_the, _possessive, _participle, _contact):
        inner = find(question, hidden)
        if inner and len(set(content_terms(inner))) >= _LEAST and content_terms(inner) != content_terms(question):
            return [inner, question]
    return []


def _in_place(question: str, hidden: str) -> str:
    """`X married the singer of a band that split in what year?`: `X married the singer of a band`."""
    match = None if _ASKED_FIRST.match(hidden) else _IN_PLACE.match(hidden)
    return question[: match.end("told")].strip() if match else ""


def _relative(question: str, hidden: str) -> str:
    match = _RELATIVE.search(hidden)
    if match is None or (not _ASKED_FIRST.match(hidden) and _ASKED_WITHIN.search(match["clause"])):
        return ""
    start, end = match.span("clause")
    clause = question[start : start + len(_own_clause(hidden[: match.start("head")], hidden[start:end]))].strip(" ,.!")
    head, link = question[slice(*match.span("head"))], question[slice(*match.span("link"))]
    if _ENDS_IN_PREPOSITION.search(head) and not _ASKED_FIRST.match(hidden):  # `X lived in which town`
        return ""
    if _ASKED_FIRST.match(hidden):  # `was the engineer born who built it`
        head = _STATE.sub("", head)
    titled = head.split()[-1][:1].isupper() and clause[:1].isupper()
    return "" if titled else f"The {head} {link} {clause}"


def _own_clause(before: str, clause: str) -> str:
    """A clause without the words of the question around it that follow."""
    clause = clause.rstrip(" ?.!")
    comma = clause.find(", ")
    if comma > 0:
        return clause[:comma]
    if _DOES.search(before):
        return _VERB.sub("", clause) if _VERB.search(clause, 4) else clause
    if _IS.search(before):
        return _PARTICIPLE_END.sub("", clause)
    if not _ASKED_FIRST.match(before) or before.lower().lstrip().startswith("the"):
        later = list(_SECOND_VERB.finditer(clause))
        return clause[: later[-1].start()] if later and later[-1].start() > 3 else clause
    return clause


def _of_the(question: str, hidden: str) -> str:
    match = _OF_THE.search(hidden)
    return _named(question[slice(*match.span("inner"))]) if match else ""


def _possessive(question: str, hidden: str) -> str:
    match = _POSSESSIVE.search(hidden)
    return _ASKS_WHO.sub("", question[slice(*match.span("inner"))]) if match else ""


def _participle(question: str, hidden: str) -> str:
    match = _PARTICIPLE.search(hidden)
    return _first(question, match) if match else ""


def _contact(question: str, hidden: str) -> str:
    """`The company Ada Berg founded is based where?`: a relative clause without its pronoun."""
    match = _CONTACT.search(hidden)
    if match is None or not re.search(r"\s(?-i:[a-z])\w+(?:ed|t|d|n|s)$", match["clause"]):
        return ""
    return _first(question, match)


def _first(question: str, match: re.Match[str]) -> str:
    head, clause = (question[slice(*match.span(name))] for name in ("head", "clause"))
    return f"The {head} {clause}"


def _named(thing: str) -> str:
    return thing[:1].upper() + thing[1:]
