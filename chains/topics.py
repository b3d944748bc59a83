"""What a part of a question speaks of, put into a part that only points at it."""

import re
from collections.abc import Sequence

from chains.parts import LONGEST
from language.entities import names_in
from language.tokens import tokens
from language.words import STOPWORDS, content_terms

_QUOTED = re.compile(r"\"[^\"]{1,200}\"|“[^”]{1,200}”|`[^`]{1,200}`")
_HIDDEN = re.compile(rf"{_QUOTED.pattern}|\([^()]{{1,200}}\)")
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|one)\b", re.IGNORECASE)
_OWNERS = frozenset({"its", "their", "his"})
_SEVERAL = frozenset({"they", "them", "their"})
_PERSONS = frozenset("he him his she her they them their".split())
_WHO_DID = re.compile(
    r"who (?!(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|may|must|should)\b)"
    r"(\w[^,;?]{2,80}?)[\s?.!]*$",
    re.IGNORECASE,
)
_IDLE = re.compile(
    r"\bit (?:possible|allowed|legal|safe|necessary|true|better|best|worth|ok|okay|take|matter)\b", re.IGNORECASE
)
_THING = re.compile(r"\b(?:the|an?|our|my|your|this|these)\s", re.IGNORECASE)
_WORD = re.compile(r"[\w’'.-]*[\w’']")
_OF_A_NAME = re.compile(r"\s(?:to|for|from|in|with)\s(?=[A-Z0-9])")
_VERSION = re.compile(r"\s\d[\w.]*\b")
_INFINITIVE = re.compile(r"\b(?:do|does|did|can|could|will|would|should|must|may)\s$", re.IGNORECASE)
_VERB_AHEAD = re.compile(
    r"\s(?:have|be|make|take|get|give|do|know|keep|let|tell|say|find|show|like|happen|also|only|still|just)\b"
    r"|(?:\s(?:to|for|from|in|with|at|on)(?:\s[A-Z0-9][\w’'-]*)+)\s[a-z]"
)
_IS_ASKED = re.compile(r"\b(?:is|are|was|were|has|have|had)\s$", re.IGNORECASE)
_PREDICATE = re.compile(
    r"open|possible|free|due|born|made|built|sold|held|found|known|legal|safe|valid|necessary|needed|full|empty|ready"
    r"|closed|broken|written|taken|given|lost|paid|put|set|kept|left|long|old|high|big|(?!garden|shed|speed|seed)\w{3,}ed"
    r"|(?!table|cable)\w{3,}[ai]ble"
)
_LONGEST_TOPIC = 5
"""Words."""
_BARE = 1
"""Words with a meaning, of a part that cannot be searched for alone."""


def masked(text: str) -> str:
    """`text` with its quotations and parentheses blackened, so that nothing is cut inside them; as long as it was."""
    return _HIDDEN.sub(lambda hidden: "\x00" * len(hidden.group()), text)


def particular(text: str) -> bool:
    """Whether a text has a number, a name or a quotation."""
    return any(char.isdigit() for char in text) or bool(_named(text))


def resolved(part: str, before: Sequence[str]) -> str:
    """A part with what its pronoun stands for in the parts before it, which are in order.

    Where that is unclear the part before it is put in front.
    """
    pronoun = next((found for found in _PRONOUN.finditer(masked(part)) if found.start()), None)
    if not before or pronoun is None or _IDLE.search(part) or particular(part[: pronoun.start()]):
        return part
    did = _WHO_DID.match(before[-1]) if pronoun.group().lower() in _PERSONS else None
    topic = f"the one who {did[1]}" if did else _topic(before)
    if not topic and not particular(before[-1]):  # which would not say what it stands for either
        return part
    several = not did and pronoun.group().lower() in _SEVERAL and _THING.match(topic) and not topic.endswith("s")
    if not topic or several or len(part) + len(topic) >= LONGEST:
        ahead = before[-1] if before[-1][-1:] in ".?!" else f"{before[-1]}."
        return f"{ahead} {part[:1].upper()}{part[1:]}" if len(ahead) + len(part) < LONGEST else part
    owner = pronoun.group().lower() in _OWNERS or _owns(part, pronoun)
    return f"{part[: pronoun.start()]}{topic}{chr(39) + 's' if owner else ''}{part[pronoun.end() :]}"


def about_something(part: str, before: Sequence[str]) -> str:
    """A part with the topic of the parts before it behind, if that is a name and the part is too bare to do without."""
    bare = len(content_terms(part)) <= _BARE and not particular(part) and _THING.search(part)
    topic = _topic(before) if bare and not _PRONOUN.search(part) else ""
    ending = part[len(part.rstrip("?.! ")) :]
    fits = particular(topic) and len(part) + len(topic) < LONGEST
    return f"{part.removesuffix(ending)} ({topic}){ending}" if fits else part


def _owns(part: str, pronoun: re.Match[str]) -> bool:
    """Whether `her` stands before what is hers."""
    follower = _WORD.match(part, pronoun.end() + 1)
    return pronoun.group().lower() == "her" and follower is not None and follower.group().lower() not in STOPWORDS


def _topic(parts: Sequence[str]) -> str:
    """What the first part that says it is about; empty if that is unclear."""
    return next(filter(None, (_topic_of(part) for part in parts)), "")


def _topic_of(part: str) -> str:
    """Its only name, with the thing it stands in; of a part without a name, the thing it speaks of first.

    `a return ticket to Lindholm`, `the Pro plan`, `the permit`; but `Acme` of `the revenue of Acme`.
    """
    named = _named(part)
    if len(named) > 1:
        return ""
    thing = _thing(part)
    owner = part.find(thing) + len(thing)
    if thing and part.startswith(" of ", owner):
        return _topic_of(part[owner + 4 :]) or thing
    if not named:
        return thing[0].lower() + thing[1:] if thing else ""
    name = named[0]
    if name in thing:
        return thing[0].lower() + thing[1:]
    further = _OF_A_NAME.match(part, owner) if thing else None
    if further is None or not part.startswith(name, further.end()):
        return name
    return f"{thing[0].lower()}{thing[1:]}{further.group()}{name}"


def _thing(part: str) -> str:
    """The first words behind an article, with it, as far as they carry meaning."""
    begins = _THING.search(part)
    if begins is None:
        return ""
    ends = last = begins.end()
    for at, word in enumerate(_WORD.finditer(part, ends)):
        if at == _LONGEST_TOPIC or word.group().lower() in STOPWORDS or part[ends : word.start()].strip():
            break
        last, ends = ends, word.end()
    if last > begins.end() and _is_predicate(part[last:ends].strip(), part[: begins.start()], part[ends:]):
        ends = last
    return part[begins.start() : ends] if ends > begins.end() else ""


def _is_predicate(word: str, before: str, after: str) -> bool:
    """Whether the last word behind an article belongs to what is said of the thing: `the office open`."""
    if not word[:1].islower() or after.startswith(" of "):
        return False
    if _INFINITIVE.search(before):  # `What does the permit cost`, but not `Does the harbour master have`
        return not _VERB_AHEAD.match(after)
    return _IS_ASKED.search(before) is not None and _PREDICATE.fullmatch(word) is not None


def _named(text: str) -> list[str]:
    """The names and quotations of a text, a name with the number behind it; a lone capital at its start is none."""
    words = tokens(masked(text))
    found = [match.group() for match in _QUOTED.finditer(text)]
    for name in names_in(text, words):
        if name.sure:
            end = words[name.last].end
            version = _VERSION.match(text, end)
            found.append(text[words[name.first].start : version.end() if version else end])
    return list(dict.fromkeys(found))
