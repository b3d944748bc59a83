"""What turns a statement into its opposite: negations with what they deny, and words of opposite direction."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from language.tokens import Token
from language.words import STOPWORDS, stem

_NEGATIONS = frozenset(
    "no not never none nor neither nobody nothing nowhere without cannot lack lacks lacked lacking hardly barely "
    "scarcely aint nicht kein keine keinen keiner keinem keines nie niemals niemand nichts weder ohne pas jamais "
    "aucun aucune nunca ninguno ninguna".split()
)
_UNDONE = frozenset(
    "fail fails failed failing refuse refuses refused refusing unable decline declined declines".split()
)
_NO_DENIAL = frozenset("only just merely least doubt matter".split())
_REACH = 3
_CLAUSE_END = re.compile(r"[,;:.!?()|—]|\s[-–]\s")
_TURNS = frozenset("but although though and or".split())
_LIMIT = re.compile(
    r"[^.,;:!?()|]{0,60}?\b(?:exceed(?:ing)?|(?:more|longer|later|higher|greater|larger|older|further|less|fewer|shorter|"
    r"earlier|lower|smaller|younger|sooner) than)\W{0,3}(?:\d|(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|half)\b)",
    re.IGNORECASE,
)
"""What makes a denial the limit of a number: `nobody ... more than 5`."""
_OPPOSITES = """
growth decline | growth contraction | rising falling | gain lose | gained lost | gain loss | win lose |
won lost | winner loser | victory defeat | profit loss | surplus deficit | more less | more fewer | most least |
most fewest | higher lower | highest lowest | high low | above below | over under | up down | before after |
early late | earlier later | earliest latest | first last | begin end | began ended | start stop | started stopped |
start finish | open close | opened closed | accept reject | allow forbid | allow prohibit | allow ban |
permit prohibit | legal illegal | include exclude | buy sell | bought sold | import export | north south |
east west | northern southern | eastern western | northeast southwest | northwest southeast | left right |
large small | larger smaller | largest smallest | big small | bigger smaller | biggest smallest | long short |
longer shorter | longest shortest | better worse | best worst | strong weak | stronger weaker | strengthen weaken |
improve worsen | major minor | maximum minimum | maximize minimize | positive negative | success failure |
succeed fail | succeeded failed | male female | man woman | men women | father mother | son daughter |
brother sister | husband wife | older younger | oldest youngest | old young | old new | oldest newest | hot cold |
warm cold | warmer colder | fast slow | faster slower | fastest slowest | heavy light | heavier lighter |
deep shallow | thick thin | wide narrow | rich poor | public private | internal external | inner outer |
upper lower | top bottom | true false | love hate | agree disagree | approve reject | support oppose |
supported opposed | join leave | joined left | arrive depart | arrived departed | expand contract | add remove |
added removed | create destroy | created destroyed | enable disable | encourage discourage | alive dead |
always never | all none | everybody nobody | everyone nobody | inside outside | ancient modern | common rare |
easy difficult | near far | presence absence | present absent | friend enemy | ally enemy | hired fired |
appointed dismissed | urban rural | domestic foreign | voluntary mandatory | optional required | optional mandatory |
temporary permanent | increasing decreasing | increasingly decreasingly | upward downward | ascending descending |
acquire sell | acquired sold | ahead behind | open shut | allow forbidden | permit forbidden | permit forbid |
permit ban | during after | during before | within outside | weekday weekend | raise cut | raise lower |
raised lowered | raised cut | approved rejected | lend borrow | full empty
"""
_UP = "increase rise rose risen grow grew grown climb jump surge soar"
_DOWN = "decrease fall fell fallen drop decline shrink shrank sink sank reduce plunge"
_MOVES = " | ".join(f"{up} {down}" for up in _UP.split() for down in _DOWN.split())
_COMPLEMENTS = """
allow forbid | allow forbidden | allow prohibit | allow ban | permit forbid | permit forbidden | permit prohibit |
permit ban | include exclude | open close | legal illegal | possible impossible | present absent | true false
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non")


class Negation(NamedTuple):
    """A denial: the token that says it, and the positions of the telling words it denies."""

    at: int
    scope: tuple[int, ...]
    about: tuple[int, ...] = ()
    """What a row of a table denies it of, if it is one."""


def _table(pairs: str) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in pairs.split("|"):
        one, other = (stem(word) for word in pair.split())
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in table.items()}


_OPPOSITE_OF = _table(f"{_OPPOSITES} | {_MOVES}")
_COMPLEMENT_OF = _table(_COMPLEMENTS)


def opposites(word: str) -> frozenset[str]:
    """The stems that say the opposite of a stem; empty for most."""
    return _OPPOSITE_OF.get(word, frozenset())


def complements(word: str) -> frozenset[str]:
    """The stems that say the same as a stem denied, as `forbidden` is `not allowed`; empty for most."""
    return _COMPLEMENT_OF.get(word, frozenset())


def denied_forms(word: str) -> list[str]:
    """The stems that would deny a stem by a prefix, or that it would deny: `likely` and `unlikely`."""
    if len(word) < 4:
        return []
    forms = [prefix + word for prefix in _PREFIXES]
    return forms + [
        word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix) and len(word) > len(prefix) + 3
    ]


def negations(text: str, tokens: Sequence[Token]) -> list[Negation]:
    """The denials of `text`, in order, each with up to three telling words it reaches, or else those before it."""
    return [Negation(at, _scope(text, tokens, at)) for at in range(len(tokens)) if _denies(text, tokens, at)]


def is_negation(word: str) -> bool:
    """Whether a folded word denies by itself, and says nothing else."""
    return word in _NEGATIONS or word.endswith(("n't", "n’t"))


def _denies(text: str, tokens: Sequence[Token], at: int) -> bool:
    word = tokens[at].folded
    follower = tokens[at + 1].folded if at + 1 < len(tokens) else ""
    if word in _UNDONE:
        return follower == "to"
    if not is_negation(word) or follower in _NO_DENIAL:
        return False
    return not (word == "no" and follower[:1].isdigit()) and not _LIMIT.match(text, tokens[at].end)


def _scope(text: str, tokens: Sequence[Token], at: int) -> tuple[int, ...]:
    reached: list[int] = []
    for near in range(at + 1, len(tokens)):
        if _CLAUSE_END.search(text, tokens[near - 1].end, tokens[near].start):
            break
        if reached and tokens[near].folded in _TURNS:
            break
        if _tells(tokens[near].folded):
            reached.append(near)
            if len(reached) == _REACH:
                break
    if reached:
        return tuple(reached)
    before = [near for near in range(max(0, at - 6), at) if _tells(tokens[near].folded)]
    return tuple(before[-2:])


def _tells(word: str) -> bool:
    return word not in STOPWORDS and not is_negation(word)
