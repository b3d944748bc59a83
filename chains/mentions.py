"""What a short text speaks of: its noun phrases, as far as they can be told without a parser."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from language.tokens import Token
from language.words import STOPWORDS, fold, stem, terms

_VERBS = frozenset(
    stem(word)
    for word in "accept add affect allow answer apply appear arrive ask become begin believe belong bring build buy "
    "call cancel change choose close come compare consider contain continue cost count cover create "
    "decide define delete depend describe design determine develop differ discover do download eat employ "
    "enable end exist expire explain export fail feed find finish fit fix follow found founded get give "
    "go grow handle happen hear help hide hit hold import include increase install invade invent join "
    "keep kill know last lead leave let lie like live locate look lose make manage matter mean measure "
    "meet move must need obtain occur offer open own pay pick play plug prevent produce provide publish "
    "put reach read receive recommend reduce refer remain remove replace represent request require reset "
    "return run say see seem sell send serve set show sign sing speak spend stand start stay stop store "
    "support survive take teach tell think travel treat try turn understand use visit wait want wear win "
    "wish work write written made gave given took taken held kept met paid sold sent spent stood taught "
    "told won wrote began built begun ran sang led left lost lived died born die fed grew grown knew "
    "known got rose drew drawn weigh postpone launch certify deliver ship hire cut break broke".split()
)
_SMALL = STOPWORDS | frozenset(
    "much many long often far old new soon fast really actually usually currently still already yet always ever maybe "
    "perhaps able possible allowed different similar exactly please okay one two three anything something everything "
    "nothing anyone someone everyone somebody anybody kind sort way ways lot lots bit etc e.g i.e vs also per via "
    "there's what's who's it's that's don't doesn't isn't aren't won't can't didn't i'm i've we've you've without "
    "instead today another around against among according several any using used besides".split()
)
_JOINTS = frozenset("of in at for on from".split())
_JOINT = re.compile(r"\s+(?:of|in|at|for|on|from)\s+(?:(?:the|an?|my|your|our)\s+)?", re.IGNORECASE)
_INVERTING = frozenset("do does did can could may might must will would shall should".split())
_GAP = re.compile(r"[\s]+|[\s]?[-–/’'.&][\s]?|(?:'s|’s)\s+|[\"'“”‘’`]{0,2}\s?[\"'“”‘’`]{0,2}")
_WORD = re.compile(r"\d+(?:[.,:]\d+)+(?![^\W_])|[^\W_]+(?:['’][^\W\d_]{1,2}(?![^\W_]))?")
"""A word as one writes it: `S300` is one."""
_TIMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays "
    "sundays weekend weekends weekdays january february march april june july august september october november "
    "december summer winter spring autumn today tomorrow yesterday now night morning evening afternoon".split()
)


def is_time(text: str) -> bool:
    """Whether a text names a day, a month or a season."""
    return any(word in _TIMES for word in re.findall(r"[a-z]+", fold(text)))


_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_ADJECTIVE = re.compile(r"(?:ed|ing|al|ic|ive|ous|ble|ary|ful|ent|ant|less|ern|est|er)$")


class Mention(NamedTuple):
    """A thing that is spoken of."""

    text: str
    """As it stands, with `the` where it was pointed out by an article."""
    stems: frozenset[str]
    head: str
    """The stem of its main word: of `mooring permit in Aldermoor`, `permit`."""
    named: bool
    """Whether a proper name or an identifier is in it."""
    single: bool
    """Whether it is a name and nothing else: no `of` or `in` joins it, and nobody owns it."""
    asked: bool
    """Whether it stands behind `which`, `what` or `how many`: it is looked for."""
    start: int
    end: int


def mentions_in(text: str) -> list[Mention]:
    """The things a text speaks of, in order: runs of words that carry meaning, joined by `of`, `in` and the like."""
    found = [_token(match) for match in _WORD.finditer(text)]
    runs = _without_verbs(found, _runs(text, found))
    joined: list[list[tuple[int, int]]] = []
    for run in runs:
        if joined and _hangs_on(found, joined[-1][-1][1], run[0]):
            joined[-1].append(run)
        else:
            joined.append([run])
    return [_mention(text, found, parts) for parts in joined]


def pieces_of(text: str, mention: Mention) -> list[Mention]:
    """The noun phrases that one is joined of: of `data of the Free plan`, both."""
    pieces, at, pointed = list[Mention](), mention.start, mention.text.startswith("the ")
    for joint in [*_JOINT.finditer(text, mention.start, mention.end), None]:
        end = mention.end if joint is None else joint.start()
        found = mentions_in(f"the {text[at:end]}")
        for piece in found:
            said = piece.text if pointed else piece.text.removeprefix("the ")
            pieces.append(piece._replace(text=said, start=at + piece.start - 4, end=at + piece.end - 4))
        at, pointed = (mention.end, False) if joint is None else (joint.end(), len(joint.group().split()) > 1)
    return pieces


def _token(match: "re.Match[str]") -> Token:
    folded = fold(match.group()) or match.group()
    return Token(match.group(), folded, stem(folded), match.start(), match.end())


def _runs(text: str, found: Sequence[Token]) -> list[tuple[int, int]]:
    """First and last positions of neighbouring words that may be of one noun phrase."""
    runs: list[tuple[int, int]] = []
    for at, token in enumerate(found):
        if not _substantial(text, found, at):
            continue
        if runs and runs[-1][1] == at - 1 and _GAP.fullmatch(text[found[at - 1].end : token.start]):
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs


def _without_verbs(found: Sequence[Token], runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """`may employees claim for dinner`: where no other verb follows the inverted subject, its last word is one."""
    kept: list[tuple[int, int]] = []
    for first, last in runs:
        before = {token.folded for token in found[max(0, first - 2) : first]}
        inverted = not kept and bool(before & _INVERTING)
        followed = any(token.stem in _VERBS for token in found[last + 1 :])
        if inverted and last > first and not followed and not _capital(found[last]):
            last -= 1
        while last > first and _capital(found[first]) and _PARTICIPLE.search(found[last].text):
            last -= 1
        kept.append((first, last))
    return kept


def _substantial(text: str, found: Sequence[Token], at: int) -> bool:
    token = found[at]
    if token.text[0].isdigit() and not any(char.isalpha() for char in token.text):
        return _numbers_a_name(text, found, at)
    if token.text in ("New", "Old") and at + 1 < len(found) and _capital(found[at + 1]):
        return True
    if token.folded in _SMALL or len(token.text) < 2:
        return _is_code(text, token) or (len(token.text) == 1 and token.text.isupper() and token.folded not in "ai")
    if _capital(token) and at > 0:
        return True
    before = found[at - 1].folded if at else ""
    if token.folded in _NOUNS_TOO and at > 1 and found[at - 2].folded in _BEFORE_NOUNS:
        return True
    return token.stem not in _VERBS or before in _OWNING or _after_adjective(found, at)


def _numbers_a_name(text: str, found: Sequence[Token], at: int) -> bool:
    """Whether a number belongs to the name before it, as in `BrewMaster 300`; a year does not."""
    before, number = found[at - 1], found[at]
    joined = at > 1 and text[before.end : number.start] == " " and before.text[0].isupper()
    named = joined and before.folded not in _TIMES and before.folded not in _SMALL
    return named and number.text.isdecimal() and _YEAR.fullmatch(number.text) is None


def _after_adjective(found: Sequence[Token], at: int) -> bool:
    """Whether a word that may be a verb is the noun of `a finished run`: a verb follows it, or nothing."""
    pointed = at > 1 and found[at - 2].folded in _OWNING and _ADJECTIVE.search(found[at - 1].folded) is not None
    following = found[at + 1] if at + 1 < len(found) else None
    return pointed and (following is None or following.stem in _VERBS or following.folded in _SMALL)


_NOUNS_TOO = frozenset("leave cost pay work play stay visit answer offer request report change increase start".split())
_BEFORE_NOUNS = frozenset("is are was were about for of the much many which what any".split())
_PARTICIPLE = re.compile(r"^[a-z]{3,}ed$")
_OWNING = frozenset("a an the my your our their its his".split())
"""What stands before nouns alone."""
_ARTICLES = frozenset("a an the my your our their its his her this that these those no each every some".split())


def _capital(token: Token) -> bool:
    return token.text[0].isupper() or (any(c.isdigit() for c in token.text) and any(c.isalpha() for c in token.text))


def _is_code(text: str, token: Token) -> bool:
    return text[token.start - 1 : token.start] == "`" or text[token.end : token.end + 1] in ("`", "_")


def _hangs_on(found: Sequence[Token], last: int, first: int) -> bool:
    """Whether what begins at `first` follows what ends at `last` behind `of`, `in the`, and the like."""
    between = [token.folded for token in found[last + 1 : first]]
    return 1 <= len(between) <= 2 and between[0] in _JOINTS and (len(between) == 1 or between[1] in _ARTICLES)


def _mention(text: str, found: Sequence[Token], parts: Sequence[tuple[int, int]]) -> Mention:
    first, last = parts[0][0], parts[-1][1]
    start, end = found[first].start, found[last].end
    words = [token for a, b in parts for token in found[a : b + 1]]
    before = found[first - 1].folded if first else ""
    earlier = found[first - 2].folded if first > 1 else ""
    said = text[start:end]
    named = any(_capital(token) and (token.start > 0 or not token.text[1:].islower()) for token in words)
    return Mention(
        text=f"the {said}" if before in _ARTICLES else said,
        stems=frozenset(terms(" ".join(token.text for token in words))),
        head=found[parts[0][1]].stem,
        named=named,
        single=named and len(parts) == 1 and not re.search(r"['’]s?\s", said) and _capital(found[first]),
        asked=before in ("which", "what") or (before in ("many", "much") and earlier == "how"),
        start=start,
        end=end,
    )
