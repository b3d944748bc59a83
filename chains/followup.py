"""A follow-up as it stands alone: what it leaves out, taken from the turns before. No model is asked.

Three things can be left out. The rest of the question ("And in 2023?", "What about the Pro plan?") is the question
before, with another part in it. A thing that a word stands for ("it", "the permit", "the second one") is put in its
place. A thing that no word stands for ("Is there a discount?") is named behind the question, and such a question is
only perhaps a follow-up: what a search finds has to tell.
"""

import re
from collections.abc import Sequence, Set
from typing import NamedTuple

from chains.ellipsis import capitalised, completed, with_topic
from chains.mentions import mentions_in
from chains.past import Exchange, Past, listed
from language.words import content_terms, sounds_english, stem, terms

__all__ = ["Exchange", "Followup", "follow_up", "standalone"]

_GREETING = re.compile(
    r"\W*(?:(?:hi|hello|hey|thanks|thank you|thx|great|good|nice|ok|okay|cool|perfect|i see|got it|bye|goodbye|yes|no"
    r"|well done|so much|very much|a lot|for (?:your|the) help)\b\W*)+",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:and|but|so|ok|okay|well|oh|then|also|hm+|good|great|right|thanks|thank you|i see|got it)\b[\s,.!:-]*)+",
    re.IGNORECASE,
)
_LATIN = re.compile(r"^[^A-Za-z\u0370-\U0010ffff]*[A-Za-z]|^[\W\d]+$")
_THINGS = re.compile(r"\b(?:it|its|they|them|their|theirs|itself|themselves)\b", re.IGNORECASE)
_PEOPLE = re.compile(r"\b(?:he|she|him|his|hers?)\b", re.IGNORECASE)
_PLACE = re.compile(r"\bthere\b", re.IGNORECASE)
_AFTER_POINTING = (
    "is|was|are|were|does|did|do|mean|means|also|too|still|be|been|have|has|apply|applies|work|works|happens?|cost|for|in"
    r"|on|to|with|without|when|if|and|or|by|at|from|before|after|then|\w+able|\w+ible|\w+ed"
)
_BEHIND = "|".join(
    rf"(?<=\b{word} )" for word in "is was does did about of for after before than with can will".split()
)
_POINTING = re.compile(
    rf"\b(?:this|these|those|that)\b(?=\s*(?:[?.!,;]|$)|\s+(?:{_AFTER_POINTING})\b)"
    rf"|(?:{_BEHIND})that\b(?!\s+[^\W\d_]+\s+(?:is|are|was|were|has|have)\b)",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"\b(?:what time|how late|how far|how warm|how cold) (?:is|was) it\b"
    r"|\bis it (?:possible|allowed|permitted|necessary|ok|okay|safe|legal|true|worth|better|best|easy|hard|required)\b"
    r"(?=.*\b(?:to|that|for)\s+\w+\s+\w+)|\b(?:does|do|did|will|would) it (?:take|cost|matter|make sense|hurt)\b"
    r"(?=.*\b(?:to|if|when|whether)\s+\w+)"
    r"|\bit (?:is|was) (?:possible|allowed|necessary|true|important|better) (?:to|that)\b"
    r"|\b(?:is|are|was|were|be|been|will|isn't|aren't|can) there\b|\bthere (?:is|are|was|were|be)\b",
    re.IGNORECASE,
)
"""Words that stand for nothing: `is it possible to ...`, `are there ...`."""
_ONE = re.compile(
    r"\b(?:the |that |this |which |another |any |a |an )?(?P<which>first|second|third|fourth|fifth|last|latter|former"
    r"|other|next|previous|same)(?: (?:one|option|item|point|step|part|case|kind|type))\b"
    r"|\bthe (?P<bare>latter|former|first|second|third|last|others?|same)(?=\s*(?:[?.!,;]|$)|\s+(?:is|was|does|did|do"
    r"|has|have|cost|apply|mean)\b)|\b(?:that|this|which|each|the right|another|a \w+er) ones?\b",
    re.IGNORECASE,
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "latter": -1}
_DEFINITE = re.compile(
    r"\b(?P<pointing>the|this|that|these|those|such|such an?|said)\s+"
    r"(?P<what>(?:[^\W\d_][\w'’-]*)(?:\s+[^\W\d_][\w'’-]*){0,3})",
    re.IGNORECASE,
)
_GENERIC = frozenset(
    stem(word)
    for word in "company firm organisation organization author writer person man woman city town village country place "
    "building product device machine tool plan policy rule law act document report file paper study article book film "
    "model version project programme program team group system feature option setting check process step thing one "
    "method command page server event period year date day time amount number value limit fee price rate requirement "
    "condition answer result".split()
)
_CLAUSE = re.compile(
    r"[,;]|\b(?:and|or|but|if|when|where|who|which|because|while|before|after|that|so)\b", re.IGNORECASE
)
_COMPARES = re.compile(
    r"\b(?:differences?|differ|compared?|comparison|versus|vs|unlike|instead|opposed)\b", re.IGNORECASE
)
_OWNER = re.compile(r"(?:the )?(.+?)['’]s\s")
_OWN = re.compile(r"\b(?:an?|the|my|your|our)\s+$", re.IGNORECASE)
_COMPARED = 2
"""Things that a comparison needs: where it names fewer, the other one was spoken of."""


class Followup(NamedTuple):
    """A question with what it left out."""

    text: str
    sure: bool
    """Whether it cannot be understood without that; else what is found has to tell."""


def standalone(question: str, turns: Sequence[Exchange]) -> str | None:
    """The question as it stands alone, if the turns before are needed for that."""
    found = follow_up(question, turns)
    return None if found is None else found.text


def follow_up(question: str, turns: Sequence[Exchange]) -> Followup | None:
    """The question with what it leaves out; None if it leaves nothing out, or nothing is known that it could be.

    Names and numbers come from the question and the turns alone. English is what it knows: other questions stay as
    they are.
    """
    asked = " ".join(question.split())
    before = [turn for turn in turns if not _GREETING.fullmatch(turn["question"].strip())]
    if not before or _GREETING.fullmatch(asked) or not (_LATIN.search(asked) and sounds_english(asked)):
        return None
    past = Past.of(before)
    core = _LEAD.sub("", asked, count=1) if _LEAD.match(asked) else asked
    led = core != asked
    if not core.strip(" ?!."):
        return Followup(with_topic(asked, past.text), sure=True)
    whole = completed(core, past, led=led)
    if whole is not None:
        return Followup(whole, sure=True)
    return _word_for_it(core, past) or _definite(core, past, before) or _unnamed(core, past, before, led=led)


def _word_for_it(core: str, past: Past) -> Followup | None:
    """`How long is it?`, `Who was she?`, `Is the second one open?`: what the word stands for in its place."""
    one = _ONE.search(core)
    if one is not None:
        return _one_of_several(core, one, past)
    idle = [match.span() for match in _IDLE.finditer(core)]
    for pattern in (_PEOPLE, _THINGS, _PLACE, _POINTING):
        for match in pattern.finditer(core):
            if any(start <= match.start() < end for start, end in idle):
                continue
            if _has_its_own(core[: match.start()], match.group()):
                return None
            found = _replaced(core, match, past)
            if found is not None:
                return Followup(found, sure=True)
    return None


def _has_its_own(before: str, word: str) -> bool:
    """Whether a word stands for something that the question itself has named before."""
    named = [m for m in mentions_in(before) if m.named or _OWN.search(before[: m.start])]
    return bool(named) and bool(
        _CLAUSE.search(before[named[0].end :]) or word.lower() in ("its", "their", "his", "her")
    )


def _replaced(core: str, match: "re.Match[str]", past: Past) -> str | None:
    """The question with what a word stands for in its place, and behind it what else the talk is about."""
    things = past.person() if match.re is _PEOPLE else past.about()
    if not things:
        return None
    word, thing = match.group().lower(), things[0].text
    owner = _OWNER.match(thing)
    if owner and word in ("its", "their", "his", "her", "they"):
        thing = owner.group(1)
    if word in ("its", "their", "his", "theirs") or (
        word in ("her", "hers") and re.match(r"\s+\w", core[match.end() :])
    ):
        thing += "'s"
    elif word == "there":
        thing = f"at {thing}"
    text = capitalised(f"{core[: match.start()]}{thing}{core[match.end() :]}")
    more = [m for m in things[1:] if not m.stems <= set(terms(text))]
    return with_topic(text, listed(more)) if more else text


def _one_of_several(core: str, match: "re.Match[str]", past: Past) -> Followup | None:
    """`the second one` of what was listed, or any one of what was spoken of."""
    which = (match.group("which") or match.group("bare") or "").lower()
    items, at = past.items(), _ORDINALS.get(which)
    if at is not None and -len(items) <= at < len(items):
        return Followup(capitalised(f"{core[: match.start()]}{items[at]}{core[match.end() :]}"), sure=True)
    things = [*past.about(), *past.earlier[:1]]
    return Followup(with_topic(core, listed(things)), sure=True) if things else None


def _spoken(words: Set[str], past: Past, before: Sequence[Exchange]) -> Past | None:
    """The conversation up to the last turn in which one of these words occurs."""
    for end in range(len(before), 0, -1):
        turn = before[end - 1]
        if not words.isdisjoint(terms(f"{turn['standalone']} {turn['answer'] or ''}")):
            return past if end == len(before) else Past.of(before[:end])
    return None


def _definite(core: str, past: Past, before: Sequence[Exchange]) -> Followup | None:
    """`Who issues the permit?`: the permit that was spoken of; `the company`: whatever was named."""
    if any(m.named for m in mentions_in(core)):
        return None
    known = [*past.topics, *past.told, *past.earlier]
    about = past.about()
    for match in _DEFINITE.finditer(core):
        phrase = mentions_in(f"the {match['what']}")[:1]
        if not phrase:
            continue
        head, stems = phrase[0].head, phrase[0].stems
        fuller = next((m for m in known if stems < m.stems), None)
        if fuller is not None:
            start, end = (match.start("what") + place - len("the ") for place in (phrase[0].start, phrase[0].end))
            text = capitalised(f"{core[:start]}{fuller.text.removeprefix('the ')}{core[end:]}")
            more = [m for m in about if m.named and not m.stems <= set(terms(text))]
            return Followup(with_topic(text, listed(more)) if more else text, sure=True)
        spoken = None if head in _GENERIC else _spoken({head}, past, before)
        if spoken is not None:
            things = [m for m in (*spoken.around(head), *spoken.about()) if not m.stems <= set(terms(core))]
            if things:
                return Followup(with_topic(core, listed(things)), sure=spoken is past)
        here = match["pointing"].lower() not in ("the", "that")
        if about and (here or (head in _GENERIC and len(stems) == 1)):
            return Followup(with_topic(core, listed(about)), sure=here)
    return None


def _unnamed(core: str, past: Past, before: Sequence[Exchange], *, led: bool) -> Followup | None:
    """`Is there a discount?`: perhaps on what was spoken of."""
    own = mentions_in(core)
    past = _spoken(set(content_terms(core)), past, before) or past
    things = [m for m in past.about() if not m.stems <= set(terms(core))]
    if any(m.named for m in own) or not things:
        return None
    compares = _COMPARES.search(core) is not None and (led or len(own) < _COMPARED)
    return Followup(with_topic(core, listed(things)), sure=compares)
