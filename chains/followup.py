"""A follow-up as it stands alone: what it leaves out, taken from the turns before. No model is asked.

Three things can be left out. The rest of the question ("And in 2023?", "What about the Pro plan?") is the question
before, with another part in it. A thing that a word stands for ("it", "the permit", "the second one") is put in its
place. A thing that no word stands for ("Is there a discount?") is named behind the question, and such a question is
only perhaps a follow-up: what a search finds has to tell.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypedDict

from chains.mentions import Mention, mentions_in
from language.words import STOPWORDS, content_terms, fold, sounds_english, stem, terms

_GREETING = re.compile(
    r"\W*(?:(?:hi|hello|hey|thanks|thank you|thx|great|good|nice|ok|okay|cool|perfect|i see|got it|bye|goodbye|yes|no"
    r"|well done|so much|very much|a lot|for (?:your|the) help)\b\W*)+",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:(?:and|but|so|ok|okay|well|oh|then|also|hm+|good|great|right|thanks|thank you|i see|got it)\b[\s,.!:-]*)+",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:what about|how about|what of|and about|same (?:question )?for|the same for|what if it(?:'s| is| was| were)?"
    r"|how (?:is|are|was|were) (?:it|that|this|they) for)\s+",
    re.IGNORECASE,
)
_PREPOSITIONS = "in|on|at|for|from|to|with|without|by|of|during|since|until|before|after|under|over|per|within|via|as"
_ADJUNCT = re.compile(rf"(?:only )?({_PREPOSITIONS})\s+", re.IGNORECASE)
_QUESTION_WORD = (
    r"(?:who(?:m|se)?|what|when|where|why|which|how(?: (?:much|many|long|often|far|old|big|fast|soon|so|come))?)"
)
_WORD_AND_ADJUNCT = re.compile(rf"{_QUESTION_WORD}\s+(?={_PREPOSITIONS}\b(?!\s+(?:it|them|that|this|there)\b))", re.IGNORECASE)
_MORE = re.compile(
    rf"(?:(?:since|until|by|for|from|to|with|of|in) )?{_QUESTION_WORD}(?: (?:exactly|else|then|not|is that|is this|was that"
    r"|does that|do you think|though))*"
    r"|(?:please )?(?:tell me more|more(?: details?)?|(?:any|some|more) (?:other|further|more)?\s*(?:details?|info(?:rmation)?"
    r"|examples?|exceptions?)|(?:are there )?any exceptions|(?:can|could) you (?:explain|elaborate)(?: that| this| further)?"
    r"|go on|explain(?: that| this| further)?|elaborate|for example|an? example|give (?:me )?an example|really"
    r"|(?:are you )?sure|anything else|what else(?: is there)?|says who|such as|like what|meaning)",
    re.IGNORECASE,
)
_THINGS = re.compile(r"\b(?:it|its|they|them|their|theirs|itself|themselves)\b", re.IGNORECASE)
_PEOPLE = re.compile(r"\b(?:he|she|him|his|hers?)\b", re.IGNORECASE)
_PLACE = re.compile(r"\bthere\b", re.IGNORECASE)
_POINTING = re.compile(
    r"\b(?:this|these|those|that)\b(?=\s*(?:[?.!,;]|$)|\s+(?:is|was|are|were|does|did|do|mean|means|also|too|still|be|been"
    r"|have|has|apply|applies|work|works|happens?|cost|for|in|on|to|with|without|when|if|and|or|by|at|from|before|after"
    r"|then|\w+able|\w+ible|\w+ed)\b)"
    r"|(?:(?<=\bis )|(?<=\bwas )|(?<=\bdoes )|(?<=\bdid )|(?<=\babout )|(?<=\bof )|(?<=\bfor )|(?<=\bafter )"
    r"|(?<=\bbefore )|(?<=\bthan )|(?<=\bwith )|(?<=\bcan )|(?<=\bwill ))that\b(?!\s+[^\W\d_]+\s+(?:is|are|was|were|has|have)\b)",
    re.IGNORECASE,
)
_IDLE_IT = re.compile(
    r"\b(?:what time|how late|how far|how warm|how cold) (?:is|was) it\b"
    r"|\bis it (?:possible|allowed|permitted|necessary|ok|okay|safe|legal|true|worth|better|best|easy|hard|required)\b"
    r"(?=.*\b(?:to|that|for)\s+\w+\s+\w+)|\b(?:does|do|did|will|would) it (?:take|cost|matter|make sense|hurt)\b"
    r"(?=.*\b(?:to|if|when|whether)\s+\w+)|\bit (?:is|was) (?:possible|allowed|necessary|true|important|better) (?:to|that)\b",
    re.IGNORECASE,
)
_EXISTS = re.compile(r"\b(?:is|are|was|were|be|been|will|isn't|aren't|can) there\b|\bthere (?:is|are|was|were|be)\b", re.IGNORECASE)
_ONE = re.compile(
    r"\b(?:the |that |this |which |another |any |a |an )?(?P<which>first|second|third|fourth|fifth|last|latter|former"
    r"|other|next|previous|same)(?: (?:one|option|item|point|step|part|case|kind|type))\b"
    r"|\bthe (?P<bare>latter|former|first|second|third|last|others?|same)(?=\s*(?:[?.!,;]|$)|\s+(?:is|was|does|did|do"
    r"|has|have|cost|apply|mean)\b)|\b(?:that|this|which|each|the right|another|a \w+er) ones?\b",
    re.IGNORECASE,
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1, "latter": -1}
_DEFINITE = re.compile(
    r"\b(?:the|this|that|these|those|such|such an?|said)\s+((?:[^\W\d_][\w'’-]*)(?:\s+[^\W\d_][\w'’-]*){0,3})", re.IGNORECASE
)
_GENERIC = frozenset(
    stem(word)
    for word in "company firm organisation organization author writer person man woman city town village country place "
    "building product device machine tool plan policy rule law act document report file paper study article book film "
    "model version project programme program team group system feature option setting check process step thing one "
    "method option command page server event period year date day time amount number value limit fee price rate "
    "requirement condition answer result".split()
)
_CLAUSE = re.compile(r"[,;]|\b(?:and|or|but|if|when|where|who|which|because|while|before|after|that|so)\b", re.IGNORECASE)
_TOPICS = 4
"""Things of one question that are taken over, at most."""
_LONG_PART = 3
"""Content words from which on a part is put beside what it may replace."""
_YEAR = re.compile(r"(?<![\d.,])(?:1[5-9]|20)\d\d(?![\d.,]*\d)")
_TIMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays weekend weekends weekdays january february march april june july august september october november "
    "december summer winter spring autumn today tomorrow yesterday now night morning evening afternoon christmas".split()
)
_COMPARES = re.compile(r"\b(?:differences?|differ|compared?|comparison|versus|vs|unlike|instead|opposed)\b", re.IGNORECASE)
_SHORT = 2
"""Content words of a question that names nothing: with so few it can hardly stand alone."""


class Exchange(TypedDict):
    """A question that was asked before, and what became of it."""

    question: str  # as it was asked
    standalone: str  # as it was answered
    answer: str | None  # None where it was refused
    titles: list[str]  # of the sources it cites


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

    Names and numbers come from the question and the turns alone, and those of the question stay. English is what it
    knows: other questions stay as they are.
    """
    asked = " ".join(question.split())
    before = [turn for turn in turns if not _GREETING.fullmatch(turn["question"].strip())]
    if not before or not asked or _GREETING.fullmatch(asked) or not sounds_english(asked):
        return None
    past = _Past.of(before)
    core = _LEAD.sub("", asked, count=1) if _LEAD.match(asked) else asked
    led = core != asked
    if not core.strip(" ?!."):
        return Followup(_with(asked, past.text), sure=True)
    for resolve in (_rest_left_out, _word_for_it, _definite, _unnamed):
        found = resolve(core, past, led)
        if found is not None:
            return found if found.text != asked else None
    return None


class _Past(NamedTuple):
    """What was said last, and what it was about."""

    text: str
    """The last question as it was answered."""
    topics: Sequence[Mention]
    """What that question speaks of, what it is about first."""
    told: Sequence[Mention]
    """What the first sentence of its answer speaks of."""
    answer: str
    earlier: Sequence[Mention]
    """What the questions before speak of, the last one first."""
    titles: Sequence[str]

    @classmethod
    def of(cls, turns: Sequence[Exchange]) -> "_Past":
        last = turns[-1]
        text = last["standalone"].strip()
        found = mentions_in(text)
        answer = _MARKER.sub("", last["answer"] or "")
        return cls(
            text=text,
            topics=[*(m for m in found if not m.asked), *(m for m in found if m.asked)],
            told=[m for m in mentions_in(_first_sentence(answer)) if not _is_time(m.text)],
            answer=answer,
            earlier=[m for turn in reversed(turns[:-1]) for m in mentions_in(turn["standalone"])],
            titles=last["titles"],
        )

    def about(self) -> list[Mention]:
        """What the conversation is about: what the last question spoke of, and where that names nothing, the answer."""
        chosen = list(self.topics[:_TOPICS])
        if not any(m.named for m in chosen):
            chosen += [m for m in self.told[:1] if not m.stems <= _all(chosen)]
        return chosen or [m for m in self.earlier if m.named][:1]


_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_FIRST = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)


def _first_sentence(text: str) -> str:
    match = _FIRST.match(text)
    return match.group(1) if match else text


def _with(question: str, what: str) -> str:
    """A question with what it is about behind it."""
    end = len(question) - len(question.rstrip("?!. "))
    body, mark = (question[:-end], question[-end:].strip()) if end else (question, "")
    return f"{_capitalised(body)} ({what.rstrip('?!. ')}){mark}"


def _rest_left_out(core: str, past: _Past, led: bool) -> Followup | None:
    """`In 2023?`, `What about the Pro plan?`, `Why?`: the question before, with this in it."""
    bare = core.strip(" ?!.")
    if _WHY.match(core) and len(content_terms(core)) <= 1:
        return Followup(_with(core, past.text), sure=True)
    owned = _OWNED.match(core)
    if owned and _verbless(core[owned.end() :]):
        core = core[owned.end() :]
    if _MORE.fullmatch(bare):
        return Followup(_with(core, past.text), sure=True)
    about = _ABOUT.match(core)
    rest = core[about.end() :] if about else core
    wh = _WORD_AND_ADJUNCT.match(rest)
    part = rest[wh.end() :] if wh else rest
    if _stands_for_something(part) or (not about and not wh and not _verbless(part)):
        return None
    if not about and not wh and not led and len(content_terms(part)) > 1 and not _fits(part, past):
        return None
    put = _put_in(part.strip(" ?!."), past)
    if put is None:
        return Followup(_with(core, _listed(past.about())), sure=True) if past.about() else None
    return Followup(f"{wh.group().strip()} - {put}" if wh and not put.lower().startswith(wh.group().split()[0].lower()) else put, sure=True)


_OWNED = re.compile(r"(?:its|their|his|her)\s+", re.IGNORECASE)


def _fits(part: str, past: _Past) -> bool:
    """Whether what might be a whole question of few words has a counterpart in the one before."""
    if _YEAR.search(part) or _is_time(part) or _ADJUNCT.match(part):
        return len(content_terms(part)) <= _LONGEST_PART
    new = mentions_in(f"about {part}")
    old = _counterpart(new[0], past, None) if len(new) == 1 else None
    return old is not None and new[0].head == old.head


_LONGEST_PART = 6
_WHY = re.compile(r"(?:why|how come)\b", re.IGNORECASE)
_VERBAL = re.compile(
    r"\b(?:is|are|was|were|am|be|been|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must|isn't|aren't"
    r"|don't|doesn't|didn't|can't|won't|who|whom|whose|what|when|where|why|which|how|i|we|you|tell|explain|describe|list"
    r"|show|give|compare|summari[sz]e|define|name|find|write|translate|please|ask|say|make|help|let"
    r"|(?:what|who|where|how|when)['’]?s)\b",
    re.IGNORECASE,
)


def _verbless(part: str) -> bool:
    """Whether a text is no clause, as far as can be told by its small words."""
    return bool(content_terms(part) or _YEAR.search(part)) and not _VERBAL.search(part)


def _stands_for_something(text: str) -> bool:
    return any(word.search(text) for word in (_THINGS, _PEOPLE, _POINTING, _ONE))


def _put_in(part: str, past: _Past) -> str | None:
    """The question before with `part` in the place of what is of its kind; None if there is no such place."""
    base = past.text
    adjunct = _ADJUNCT.match(part)
    core = part[adjunct.end() :] if adjunct else part
    year, old_year = _YEAR.search(core), list(_YEAR.finditer(base))
    if year and old_year:
        changed = base[: old_year[-1].start()] + year.group() + base[old_year[-1].end() :]
        others = (core[: year.start()] + core[year.end() :]).strip()
        return changed if not content_terms(others) else _put_in(others, past._replace(text=changed))
    if year or _is_time(core):
        old = next((m for m in past.topics if _is_time(m.text)), None)
        if old is not None and not year:
            return base[: old.start] + core.removeprefix("the ") + base[old.end :]
        return _before_mark(base, part)
    new = mentions_in(f"about {core}")
    if not new:
        return _before_mark(base, part)
    old = _counterpart(new[0], past, adjunct.group(1).lower() if adjunct else None)
    if old is None:
        return _before_mark(base, part) if adjunct else None
    if old.head != new[0].head and len(content_terms(core)) >= _LONG_PART:
        return _with(base, part)
    start = old.start
    article = re.search(r"\b(?:the|a|an|my|your|our)\s+$", base[:start], re.IGNORECASE)
    if article and re.match(r"(?:the|a|an|my|your|our)\s", core, re.IGNORECASE):
        start = article.start()
    elif article and new[0].named and not re.match(r"(?:the|a|an)\s", core, re.IGNORECASE):
        start = article.start()
    return f"{base[:start]}{core}{base[old.end :]}"


def _is_time(text: str) -> bool:
    return any(word in _TIMES for word in re.findall(r"[a-z]+", fold(text)))


def _before_mark(base: str, part: str) -> str:
    body = base.rstrip("?!. ")
    return f"{body} {part}?"


def _counterpart(new: Mention, past: _Past, preposition: str | None) -> Mention | None:
    """What of the question before is of the kind of `new`."""
    parts = [piece for mention in mentions_in(past.text) for piece in _pieces(past.text, mention)]
    for piece in parts:
        if piece.head == new.head or (len(new.stems) == 1 and piece.stems & new.stems):
            return piece
    if preposition is not None:
        for piece in reversed(parts):
            if re.search(rf"\b{preposition}\s+(?:the\s+|an?\s+|my\s+|your\s+)?$", past.text[: piece.start], re.IGNORECASE):
                return piece
        return None
    open_to = [piece for piece in parts if not piece.asked and not _is_time(piece.text)]
    alike = [piece for piece in open_to if piece.named == new.named]
    if not alike and len(new.stems) == 1:  # a name may be written small
        alike = [piece for piece in open_to if piece.named]
    return alike[-1] if alike else None


def _pieces(text: str, mention: Mention) -> list[Mention]:
    """The noun phrases that one is joined of."""
    joints = re.compile(r"(?:['’]s|\s+(?:of|in|at|for|on|from))\s+(?:(?:the|an?|my|your|our)\s+)?")
    pieces: list[Mention] = []
    at = mention.start
    for joint in [*joints.finditer(text, mention.start, mention.end), None]:
        end = mention.end if joint is None else joint.start()
        for found in mentions_in(text[at:end]):
            named = found.named or text[at + found.start].isupper()
            pieces.append(found._replace(start=at + found.start, end=at + found.end, asked=mention.asked, named=named))
        at = mention.end if joint is None else joint.end()
    return pieces


def _listed(mentions: Sequence[Mention]) -> str:
    return ", ".join(dict.fromkeys(mention.text for mention in mentions))


def _word_for_it(core: str, past: _Past, led: bool) -> Followup | None:
    """`How long is it?`, `Who was she?`, `Is the second one open?`: what the word stands for in its place."""
    one = _ONE.search(core)
    if one is not None:
        return _one_of_several(core, one, past)
    idle = [match.span() for match in (*_IDLE_IT.finditer(core), *_EXISTS.finditer(core))]
    for pattern, what in (
        (_PEOPLE, past_person),
        (_THINGS, past_thing),
        (_PLACE, past_thing),
        (_POINTING, past_thing),
    ):
        for match in pattern.finditer(core):
            if any(start <= match.start() < end for start, end in idle):
                continue
            if _has_its_own(core, match.start(), match.group()):
                return None
            things = what(past)
            if things:
                return Followup(_replaced(core, match, things, past), sure=True)
    return None


def _has_its_own(core: str, at: int, word: str) -> bool:
    """Whether the word stands for something that the question itself has named before."""
    before = core[:at]
    if not mentions_in(before):
        return False
    named = [m for m in mentions_in(before) if m.named or re.search(r"\b(?:an?|the|my|your|our)\s+$", before[: m.start])]
    return bool(named) and bool(_CLAUSE.search(before[named[0].end :]) or word.lower() in ("its", "their", "his", "her"))


def past_thing(past: _Past) -> list[Mention]:
    """What `it` and `they` may stand for."""
    return past.about()


def past_person(past: _Past) -> list[Mention]:
    """What `he` and `she` may stand for: who the answer names, if the question asked for somebody; else who that named."""
    asked = re.match(r"\W*(?:who|whom|whose|which)\b", past.text, re.IGNORECASE)
    told = [m for m in past.told if m.named and not m.stems <= _all(past.topics)]
    for found in ((told, past.topics, past.earlier) if asked else (past.topics, told, past.earlier)):
        for mention in found:
            name = _PERSON.search(mention.text)
            if name is not None:
                return [mention._replace(text=name.group(), stems=_stems(name.group()))]
    return told[:1] or past.about()[:1]


def _all(mentions: Sequence[Mention]) -> frozenset[str]:
    return frozenset(word for mention in mentions for word in mention.stems)


_PERSON = re.compile(r"\b[A-Z][\w'’.-]*(?:\s+(?:(?:de|van|von|der|la|bin|al)\s+)*[A-Z][\w'’-]*)+\b(?!\s+[a-z])")


def _replaced(core: str, match: "re.Match[str]", things: Sequence[Mention], past: _Past) -> str:
    word = match.group().lower()
    thing = things[0].text
    owner = re.match(r"(?:the )?(.+?)['’]s\s", thing)
    if owner and word in ("its", "their", "his", "her", "they"):
        thing = owner.group(1)
    more = [m for m in things[1:] if not m.stems <= things[0].stems]
    if word in ("its", "their", "his", "theirs") or (word in ("her", "hers") and re.match(r"\s+\w", core[match.end() :])):
        put = f"{thing}'s"
    elif word == "there":
        put = f"at {thing}"
    elif word in ("this", "that", "these", "those") and re.match(r"\s+(?!is|are|was|were|do|does|did|mean)[^\W\d_]", core[match.end() :]):
        put = f"{match.group()}"
        more = list(things)
    else:
        put = thing
    text = _capitalised(f"{core[: match.start()]}{put}{core[match.end() :]}")
    return _with(text, _listed(more)) if more else text


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _one_of_several(core: str, match: "re.Match[str]", past: _Past) -> Followup | None:
    which = (match.group("which") or match.group("bare") or "").lower()
    items = _items(past)
    if which in _ORDINALS and items:
        at = _ORDINALS[which]
        if -len(items) <= at < len(items):
            text = f"{core[: match.start()]}{items[at]}{core[match.end() :]}"
            return Followup(_capitalised(text), sure=True)
    things = [*past.about(), *past.earlier[:1]]
    return Followup(_with(core, _listed(things)), sure=True) if things else None


def _items(past: _Past) -> list[str]:
    """What the answer lists, or else the question."""
    lines = re.findall(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", past.answer, re.MULTILINE)
    if len(lines) > 1:
        return [_short(line) for line in lines]
    for text in (_first_sentence(past.answer), past.text):
        series = _SERIES.search(text)
        if series:
            return [_short(item) for item in re.split(r",\s*(?:and|or)\s+|,\s*|\s+(?:and|or)\s+", series.group()) if item.strip()]
    return []


_ITEM = r"(?:[^\W_][\w'’-]*)(?:\s+(?!and\b|or\b|is\b|are\b)[\w'’-]+){0,3}"
_SERIES = re.compile(rf"{_ITEM}(?:,\s+{_ITEM})*,?\s+(?:and|or)\s+{_ITEM}")


def _short(item: str) -> str:
    return " ".join(item.strip(" .;:").split()[:8])


def _definite(core: str, past: _Past, led: bool) -> Followup | None:
    """`Who issues the permit?`: the permit that was spoken of; `the company`: whatever was named."""
    own = mentions_in(core)
    if any(m.named for m in own):
        return None
    known = [*past.topics, *past.told, *past.earlier]
    for match in _DEFINITE.finditer(core):
        phrase = mentions_in(f"the {match.group(1)}")
        if not phrase:
            continue
        head, stems = phrase[0].head, phrase[0].stems
        fuller = next((m for m in known if head in m.stems and not m.stems <= stems and stems - {head} <= m.stems), None)
        if fuller is not None:
            start, end = match.start(1) + phrase[0].start - 4, match.start(1) + phrase[0].end - 4
            text = f"{core[:start]}{fuller.text.removeprefix('the ')}{core[end:]}"
            rest = [m for m in past.about() if m.named and not m.stems <= fuller.stems | _stems(text)]
            return Followup(_with(text, _listed(rest)) if rest else text, sure=True)
        if head in _GENERIC and len(stems) == 1 and past.about():
            return Followup(_with(core, _listed(past.about())), sure=match.group().lower().startswith(("this", "that", "these", "those", "such")))
    return None


def _stems(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _unnamed(core: str, past: _Past, led: bool) -> Followup | None:
    """`Is there a discount?`: perhaps on what was spoken of."""
    own = mentions_in(core)
    if any(m.named for m in own):
        return None
    things = [m for m in past.about() if not m.stems <= _stems(core)]
    if not things:
        return None
    words = dict.fromkeys(content_terms(core))
    shares = any(word in m.stems for m in past.topics for word in words)
    pointed = any(re.search(r"\bthe\s+$", core[: m.start], re.IGNORECASE) for m in own)
    if led or shares or pointed or len(words) <= _SHORT:
        return Followup(_with(core, _listed(things)), sure=_COMPARES.search(core) is not None)
    return None
