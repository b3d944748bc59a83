"""A follow-up as it stands alone: what it leaves out, taken from the turns before. No model is asked.

What is put in has to be right, for it is what gets answered: a name in the place of a word that can only stand for
it, or a year, a quarter, a name in the place of the only one before. Anything else keeps its words, and has what the
conversation is about in brackets behind it.
"""

import re
from collections import Counter
from collections.abc import Sequence, Set
from itertools import pairwise
from typing import NamedTuple

from chains.courtesies import greets, plain
from chains.ellipsis import at_the_time, completed
from chains.mentions import mentions_in
from chains.past import Exchange, Past, listed, parted, telling_words
from chains.persons import called_in, fits, names_of_persons, persons
from language.words import STOPWORDS, WORD, content_terms, fold, sounds_english, terms

__all__ = ["Exchange", "Followup", "follow_up", "in_context", "standalone", "with_history"]

_LEAD = re.compile(r"(?:(?:and|but|so|well|oh|then|also)\b[\s,.!:-]*)+", re.IGNORECASE)
_LATIN = re.compile(r"^[^A-Za-z\u0370-\U0010ffff]*[A-Za-z]|^[\W\d]+$")
_THINGS = re.compile(r"\b(?:it|its|they|them|their|theirs|itself|themselves)\b", re.IGNORECASE)
_PEOPLE = re.compile(r"\b(?:he|she|him|his|hers?)\b", re.IGNORECASE)
_PLACE = re.compile(r"\bthere\b", re.IGNORECASE)
_AFTER_POINTING = (
    "is|was|are|were|does|did|do|mean|means|also|too|still|be|been|have|has|apply|applies|work|works|happens?|cost|for|in"
    r"|on|to|with|without|when|if|and|or|by|at|from|before|after|then|\w+able|\w+ible|\w+ed"
)
_BEHIND = "|".join(rf"(?<=\b{word} )" for word in "does did can will".split())
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
_SEVERAL = re.compile(r"^which\b|\b(?:both|the two|(?:n?either) of (?:them|the two))\b", re.I)
"""Words for all that was asked about in turn."""
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "latter": -1}
_DEFINITE = re.compile(
    r"\b(?P<pointing>the|this|that|these|those|such|such an?|said)\s+"
    r"(?P<what>(?:[^\W\d_][\w'’-]*)(?:\s+[^\W\d_][\w'’-]*){0,3})",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:why|how|when|where|who|how come|how much|how many)(?: (?:exactly|else|then|not|so))*"
    r"|(?:please )?(?:tell me more|more(?: details?)?|go on|elaborate|for example|an? example|give (?:me )?an example"
    r"|(?:any|some|more) (?:(?:other|further|more) )?(?:details?|info(?:rmation)?|examples?|exceptions?)"
    r"|(?:(?:can|could) you )?(?:explain|elaborate)(?: that| this| it)?(?: further)?"
    r"|really|(?:are you )?sure|anything else|(?:and )?what else(?: is there)?|says who|such as|like what|meaning)",
    re.IGNORECASE,
)
_WHY = re.compile(r"why\b|how come\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[,;]|\b(?:and|or|but|if|when|where|who|which|because|while|before|after|that|so)\b", re.IGNORECASE
)
_OWN = re.compile(r"\b(?:an?|the|my|your|our)\s+$", re.IGNORECASE)
_HAS_VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|will|would|should|must|who|what|when"
    r"|where|why|which|how|i|we|you)\b",
    re.IGNORECASE,
)
_JOINING = frozenset(("in", "on"))
"""What may stand before what is put in."""
_FEW = 3
"""Content words of a question without a verb."""
_SHORTEST = 2
"""Letters of a word that says anything."""
_OWNED = re.compile(r"\b(?:its|their|his|her)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|its|he|she|him|his|her)\b", re.IGNORECASE)
"""Words that stand for one thing."""
_COMPARES = re.compile(
    r"\b(?:differences?|differ|compared?|comparison|versus|vs|unlike|instead|opposed)\b", re.IGNORECASE
)
_COMPARED = 2
"""Things that a comparison needs: where it names fewer, the other one was spoken of."""
_LONGEST = 400
"""Characters of what is put together, beyond those of the question."""
_ASKED_BEFORE = 3
"""Questions before, in whose context one is seen."""


class Followup(NamedTuple):
    """A question with what it left out."""

    text: str
    sure: bool
    """Whether it cannot be understood without that; else what is found has to tell."""


def standalone(question: str, turns: Sequence[Exchange]) -> str | None:
    """The question as it stands alone, if the turns before are needed for that."""
    found = follow_up(question, turns)
    return None if found is None else found.text


def with_history(question: str, turns: Sequence[Exchange]) -> str | None:
    """The question with telling words of the last turns behind it, to search with; None if there are none.

    It needs no rule to be right, and no language: what it finds is shown beside what the question finds.
    """
    words = [] if greets(question) else telling_words(plain(question), _before(turns))
    return " ".join([question, *words]) if words else None


def in_context(question: str, turns: Sequence[Exchange]) -> list[tuple[str, str]]:
    """What a question may be taken for: its words with the topic, and behind each of the last questions.

    Each with the question before that is in it; with the topic, none is.
    """
    before = _before(turns)
    topic = Past.of(before).topic if before else None
    asked = [turn["standalone"] for turn in before[: -_ASKED_BEFORE - 1 : -1]]
    return [*([(f"{question} {topic}", "")] if topic else []), *((f"{one} {question}", one) for one in asked)]


def _before(turns: Sequence[Exchange]) -> list[Exchange]:
    """The turns in which something was asked, without courtesies."""
    return [
        {**turn, "question": plain(turn["question"]), "standalone": plain(turn["standalone"])}
        for turn in turns
        if not greets(turn["question"])
    ]


def follow_up(question: str, turns: Sequence[Exchange]) -> Followup | None:
    """The question with what it leaves out; None if it leaves nothing out, or nothing is known that it could be.

    No word is lost but the one that is replaced, and names and numbers come from the question and the turns alone.
    English is what it knows: other questions stay as they are.
    """
    written = " ".join(question.split())
    if greets(written) or not (_LATIN.search(written) and sounds_english(written)):
        return None
    polite, before = plain(written), _before(turns)
    past = _possible(Past.of(before), written) if before else None
    asked = at_the_time(polite, past) if past else polite
    found = _sensibly(asked, past) if past else None
    if found is None or (asked != polite and not found.sure):
        return None if asked == written else Followup(asked, sure=True)
    return found


def _possible(past: Past, asked: str) -> Past:
    """The conversation without the persons whom `he` or `she` of the question cannot mean."""
    pronoun = _PEOPLE.search(asked)
    if pronoun is None:
        return past
    called = called_in(past.turns)
    return past._replace(things=[one for one in past.things if fits(pronoun.group(), one.text, called)])


def _sensibly(asked: str, past: Past) -> Followup | None:
    core = _LEAD.sub("", asked, count=1) if _LEAD.match(asked) else asked
    found = _resolved(asked, core, past)
    if found is None or _sensible(found.text, asked, core, past.turns):
        return found
    bracketed = _with_topic(asked, past.topic)
    return Followup(bracketed, found.sure) if bracketed and _sensible(bracketed, asked, core, past.turns) else None


def _resolved(asked: str, core: str, past: Past) -> Followup | None:
    led = core != asked
    bare = core.strip(" ?!.")
    if not bare or _MORE.fullmatch(bare):
        return _sure(_with_topic(asked, past.predicate if _WHY.match(bare) else past.topic))
    whole = completed(core, past, led=led)
    if whole is not None:
        return Followup(_capitalised(whole[0]), sure=True)
    return (
        _one_of_them(asked, core, past)
        or _word_for_it(asked, core, past)
        or (_sure(_with_topic(asked, past.topic)) if led and not content_terms(core) else None)
        or _definite(asked, core, past)
        or _unnamed(asked, core, past, led=led)
    )


def _sensible(text: str, asked: str, core: str, before: Sequence[Exchange]) -> bool:
    """Whether what was put together keeps the words of the question, adds none that was not said, and none twice."""
    said = _words(" ".join([asked, *(f"{turn['standalone']} {turn['answer'] or ''}" for turn in before)]))
    now = _words(text)
    kept = {word for word in _words(core) if word not in STOPWORDS}
    doubled = Counter(_pairs_alike(text)) - Counter(_pairs_alike(core))
    one_bracket = text.count("(") <= core.count("(") + 1 and re.search(r"\([^()]*\([^()]*\)", text) is None
    return kept <= now <= said | _JOINING and not doubled and one_bracket and len(text) <= len(core) + _LONGEST


def _words(text: str) -> set[str]:
    return {word.removesuffix("'s").removesuffix("’s") for word in re.findall(r"[^\W_]+(?:['’]\w+)?", fold(text))}


def _pairs_alike(text: str) -> list[str]:
    return [a for a, b in pairwise(WORD.findall(fold(text))) if a == b]


def _with_topic(question: str, topic: str | None) -> str | None:
    """A question with what it is about behind it."""
    if topic is None or "(" in question:
        return None
    body = question.rstrip("?!. ")
    return f"{body} ({topic}){question[len(body) :].strip()[:1]}"


def _sure(text: str | None) -> Followup | None:
    return None if text is None else Followup(text, sure=True)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _one_of_them(asked: str, core: str, past: Past) -> Followup | None:
    """`Is the second one open?`, `And the other one?`, `Which is cheaper?`: with what was listed or asked in turn."""
    one, several = _ONE.search(core), _SEVERAL.search(core)
    if one is None and several is None:
        return None
    earlier, last = past.alternatives()
    if several is not None and len(earlier + last) > 1 and not any(m.named or m.asked for m in mentions_in(core)):
        return _sure(_with_topic(asked, ", ".join(earlier + last)))
    if one is None:
        return None
    which = (one.group("which") or one.group("bare") or "").lower()
    at = _ORDINALS.get(which)
    if which.startswith("other"):
        known = earlier[-1:] if len(last) == 1 else []
    else:
        known = [] if at is None else past.items()[at:][:1]
    alone = one.group() == core.strip(" ?!.")
    again = completed(past.as_said(known[0]), past, led=True) if known and alone else None
    return _sure(again[0] if again and again[1] else _with_topic(asked, known[0] if known else past.topic))


def _word_for_it(asked: str, core: str, past: Past) -> Followup | None:
    """`How long is it?`, `Who was she?`: with what the word stands for."""
    idle = [match.span() for match in _IDLE.finditer(core)]
    for pattern in (_PEOPLE, _THINGS, _PLACE, _POINTING):
        for match in pattern.finditer(core):
            if any(start <= match.start() < end for start, end in idle):
                continue
            if _has_its_own(core[: match.start()], match.group()):
                return None
            text = _replaced(core, match, past) or _with_topic(asked, _meant(match, past))
            if text is not None:
                return Followup(text, sure=True)
    return None


def _has_its_own(before: str, word: str) -> bool:
    """Whether a word stands for something that the question itself has named before."""
    named = [m for m in mentions_in(before) if m.named or _OWN.search(before[: m.start])]
    return bool(named) and (_CLAUSE.search(before[named[0].end :]) is not None or _OWNED.fullmatch(word) is not None)


def _meant(match: "re.Match[str]", past: Past) -> str | None:
    """What a word may stand for, where that is not one thing alone."""
    if match.re is _PEOPLE:
        return ", ".join(persons(match.group(), past.turns)) or past.topic
    if _OWNED.fullmatch(match.group()) and past.topic:
        return re.sub(r"['’]s\s[^,]*", "", past.topic)
    return past.topic


def _replaced(core: str, match: "re.Match[str]", past: Past) -> str | None:
    """The question with the one name in place that a word stands for; None if there are more, or none."""
    word = match.group().lower()
    if len(_PRONOUN.findall(core)) > 1 or _PRONOUN.fullmatch(word) is None:
        return None
    if match.re is _PEOPLE:
        meant = persons(word, past.turns)
        if len(meant) != 1:
            return None
        thing = meant[0]
    else:
        if len(past.things) != 1 or past.others or not past.things[0].single:
            return None
        thing = past.as_said(past.things[0].text)
        if names_of_persons(thing):
            return None
    owns = word in ("its", "their", "his") or (word == "her" and re.match(r"\s+\w", core[match.end() :]) is not None)
    verbless = owns and match.start() == 0 and len(content_terms(core)) <= _FEW and not _HAS_VERB.search(core)
    if verbless:
        return None
    return _capitalised(f"{core[: match.start()]}{thing}{chr(39) + 's' if owns else ''}{core[match.end() :]}")


def _spoken(words: Set[str], past: Past) -> Past:
    """The conversation up to the last turn in which one of these words occurs, or all of it."""
    for end in range(len(past.turns), 0, -1):
        turn = past.turns[end - 1]
        if not words.isdisjoint(terms(f"{turn['standalone']} {turn['answer'] or ''}")):
            return past if end == len(past.turns) else Past.of(past.turns[:end])
    return past


def _definite(asked: str, core: str, past: Past) -> Followup | None:
    """`Who issues the permit?`: with the permit that was spoken of; `this plan`: with whatever was named."""
    if any(m.named for m in mentions_in(core)):
        return None
    known = [*past.things, *(m for turn in reversed(past.turns) for m in mentions_in(parted(turn)[0]))]
    for match in _DEFINITE.finditer(core):
        phrase = mentions_in(f"the {match['what']}")[:1]
        if not phrase:
            continue
        fuller = next((m for m in known if phrase[0].stems < m.stems), None)
        if fuller is not None:
            return _sure(_with_topic(asked, listed([fuller])))
        if match["pointing"].lower() not in ("the", "that"):
            return _sure(_with_topic(asked, past.topic))
    return None


def _unnamed(asked: str, core: str, past: Past, *, led: bool) -> Followup | None:
    """`Is there a discount?`: perhaps on what was spoken of."""
    own, words = mentions_in(core), content_terms(core)
    past = _spoken(set(words), past)
    things = [m for m in past.things if not m.stems <= set(terms(core))]
    if any(m.named for m in own) or not things or max(map(len, words), default=0) < _SHORTEST:
        return None
    compares = _COMPARES.search(core) is not None and (led or len(own) < _COMPARED)
    text = _with_topic(asked, listed(things))
    return None if text is None else Followup(text, sure=compares or (led and not _HAS_VERB.search(core)))
