"""What a text counts: numbers with their scale and unit, percentages, money, dates and years, ordinals, fractions."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from language.tokens import Token

Kind = Literal["number", "percent", "money", "year", "month", "day", "date", "ordinal", "fraction", "scale", "code"]

_UNITS_OF_COUNT = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
)
_TEENS_ON = "sixteen seventeen eighteen nineteen".split()
_SMALL = {word: value for value, word in enumerate(_UNITS_OF_COUNT + _TEENS_ON)}
_TENS = {
    word: 10 * tens for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_SCALES = {
    **dict.fromkeys(("hundred", "hundreds"), 1e2),
    **dict.fromkeys(("thousand", "thousands", "k"), 1e3),
    **dict.fromkeys(("million", "millions", "mn", "mln", "mio"), 1e6),
    **dict.fromkeys(("billion", "billions", "bn", "bln"), 1e9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 1e12),
    **dict.fromkeys(("dozen", "dozens"), 12.0),
}
_ORDINALS = {
    word: float(value)
    for value, word in enumerate("first second third fourth fifth sixth seventh eighth ninth tenth eleventh".split(), 1)
} | {"twelfth": 12.0, "thirteenth": 13.0, "fifteenth": 15.0, "twentieth": 20.0}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "eighth": 8,
    "tenth": 10,
}
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH_OF = {name: value for value, name in enumerate(_MONTHS, 1)} | {
    name[:3]: value for value, name in enumerate(_MONTHS, 1)
}
_MONTH_OF["sept"] = 9
_UNIT_SPELLINGS = """
km kilometre kilometres kilometer kilometers | m metre metres meter meters | cm centimetre centimetres centimeter
centimeters | mm millimetre millimetres millimeter millimeters | mile miles mi | ft foot feet | inch inches | yard yards
| kg kilogram kilograms kilogramme kilogrammes kilo kilos | g gram grams gramme grammes | mg milligram milligrams |
lb lbs | tonne tonnes ton tons | l litre litres liter liters | ml millilitre millilitres milliliter milliliters |
gallon gallons | second seconds sec secs | minute minutes min mins | hour hours hr hrs | day days | week weeks |
month months | year years yr yrs | decade decades | century centuries | dollar dollars usd | euro euros eur |
yen jpy | pound pounds gbp | cent cents | kw kilowatt kilowatts | mw megawatt megawatts | gw gigawatt gigawatts |
kb kilobyte kilobytes | mb megabyte megabytes | gb gigabyte gigabytes | tb terabyte terabytes | hectare hectares ha |
acre acres | degree degrees | mph | kmh | hz | khz | mhz | ghz | volt volts | watt watts | knot knots | ms
"""
_UNITS = {word: group.split()[0] for group in _UNIT_SPELLINGS.split("|") for word in group.split()}
_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_CURRENCIES = frozenset(_MONEY.values()) | {"cent"}
_PLAIN = re.compile(r"\d{1,3}(?:,\d{2,3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_PERCENT = re.compile(r"\s?%|[\s-]?per\s?cent(?:age)?\b", re.IGNORECASE)
_MINUS = re.compile(r"(?:^|(?:^|[^\d)\s])\s*[\s(|])[-−][$€£¥]?$")
_HEDGES = frozenset(
    "about around approximately approx roughly nearly almost over some than least most estimated circa ca c "
    "exceeding exceeded exceeds under below above up".split()
)
_ALIKE = {
    frozenset(pair)
    for pair in (("number", "money"), ("number", "year"), ("ordinal", "day"), ("date", "day"), ("date", "month"))
}
"""Kinds that may say the same; a slash date does not tell which is the month."""


class Quantity(NamedTuple):
    """`value` is in whole units (a percentage of 12 is 12); `first` and `last` are the tokens that say it."""

    value: float | str
    kind: Kind
    unit: str
    first: int
    last: int
    hedged: bool = False


def quantities(text: str, tokens: Sequence[Token]) -> list[Quantity]:
    """The quantities of `text`, in order."""
    found: list[Quantity] = []
    at = 0
    while at < len(tokens):
        quantity = _quantity(text, tokens, at)
        if quantity is None:
            at += 1
        else:
            found.append(quantity)
            at = quantity.last + 1
    return _dated(text, tokens, found) if len(found) > 1 else found


def agree(said: Quantity, known: Quantity) -> bool:
    """Whether `known` bears out `said`: the same value, or one `said` rounds, in the same unit if both have one."""
    if isinstance(said.value, str) or isinstance(known.value, str):
        return said.value == known.value
    if said.kind == "scale" or known.kind == "scale":
        return _magnitude_agrees(said, known)
    if said.unit and known.unit and said.unit != known.unit:
        return False
    if {said.kind, known.kind} == {"fraction", "percent"}:
        scale = 100.0 if said.kind == "fraction" else 0.01
        return abs(said.value * scale - known.value) <= 0.02 * abs(known.value)
    if said.kind != known.kind and frozenset({said.kind, known.kind}) not in _ALIKE:
        return False
    return said.value == known.value or _rounds(said, known.value)


def comparable(one: Quantity, other: Quantity) -> bool:
    """Whether the two say the same sort of thing, so that saying both is a conflict."""
    if one.kind == other.kind:
        return True
    return {one.kind, other.kind} <= {"number", "money", "percent", "scale", "fraction"} and not (
        one.unit and other.unit
    )


def _quantity(text: str, tokens: Sequence[Token], at: int) -> Quantity | None:
    token = tokens[at]
    if token.text[0].isdigit():
        return _of_digits(text, tokens, at)
    word = token.folded
    if word in _MONTH_OF:
        return _of_month(text, tokens, at)
    if word in _SMALL or word in _TENS:
        return _of_words(text, tokens, at)
    if word in _ORDINALS:
        if word == "second" and at and tokens[at - 1].folded in {"per", "a", "every", "split"}:
            return None
        return Quantity(_ORDINALS[word], "ordinal", "", at, at)
    if word in _SCALES and len(word) > 2:
        if at and tokens[at - 1].folded in {"a", "an", "per"} and not word.endswith("s"):
            return _measured(text, tokens, _SCALES[word], at, at)
        return Quantity(_SCALES[word], "scale", "", at, at)
    if word == "half":
        return Quantity(0.5, "fraction", "", at, at)
    return None


def _of_digits(text: str, tokens: Sequence[Token], at: int) -> Quantity:
    token = tokens[at]
    if not _PLAIN.fullmatch(token.text):
        return Quantity(token.stem, "code", "", at, at)
    value = float(token.text.replace(",", ""))
    follower = tokens[at + 1] if at + 1 < len(tokens) else None
    if follower is not None and follower.start == token.end and follower.folded in {"st", "nd", "rd", "th"}:
        return Quantity(value, "ordinal", "", at, at + 1)
    if follower is not None and follower.start == token.end and follower.folded == "s":
        return Quantity(value + (1900 if value < 100 else 0), "year", "decade", at, at + 1)
    if 1000 <= value < 2100 and len(token.text) == 4 and not _has_measure(text, tokens, at):
        return Quantity(value, "year", "", at, at)
    if _MINUS.search(text, max(0, token.start - 3), token.start):
        value = -value
    return _measured(text, tokens, value, at, at)


def _of_words(text: str, tokens: Sequence[Token], at: int) -> Quantity | None:
    """`two`, `twenty-five`, `three hundred`, `two thirds`; a lone `one` is no quantity but a pronoun."""
    word, last = tokens[at].folded, at
    value = float(_SMALL.get(word, 0) or _TENS.get(word, 0))
    if word in _TENS and at + 1 < len(tokens) and 0 < _SMALL.get(tokens[at + 1].folded, 0) < 10:
        last, value = at + 1, value + _SMALL[tokens[at + 1].folded]
    if last + 1 < len(tokens):
        follower = tokens[last + 1].folded
        part = follower.removesuffix("s") if follower != "halves" else follower
        if part in _PARTS and (value > 1) == (follower != part or part == "halves") and value < _PARTS[part]:
            return Quantity(value / _PARTS[part], "fraction", "", at, last + 1)
    quantity = _measured(text, tokens, value, at, last)
    return None if word == "one" and quantity.last == at and not quantity.unit else quantity


def _of_month(text: str, tokens: Sequence[Token], at: int) -> Quantity | None:
    """A month by name; `may`, `march` and the short forms only beside a number."""
    token = tokens[at]
    if not token.text[0].isupper():
        return None
    beside = [tokens[near] for near in (at - 1, at + 1) if 0 <= near < len(tokens)]
    if (len(token.folded) < 4 or token.folded in {"may", "march", "sept"}) and not any(
        near.text[0].isdigit() for near in beside
    ):
        follows = at > 0 and tokens[at - 1].folded in {
            "in",
            "since",
            "until",
            "of",
            "by",
            "last",
            "early",
            "late",
            "mid",
        }
        if (len(token.folded) < 4 and token.folded != "may") or not follows:
            return None
    return Quantity(float(_MONTH_OF[token.folded]), "month", "", at, at)


def _measured(text: str, tokens: Sequence[Token], value: float, first: int, last: int) -> Quantity:
    """With the scale words, the unit and the currency that stand beside it."""
    scaled = False
    while last + 1 < len(tokens) and tokens[last + 1].folded in _SCALES:
        between = text[tokens[last].end : tokens[last + 1].start]
        if between.strip(" -\u00a0\n"):
            break
        value, last, scaled = value * _SCALES[tokens[last + 1].folded], last + 1, True
    before = text[max(0, tokens[first].start - 2) : tokens[first].start].rstrip()
    unit, last = _unit_after(text, tokens, last)
    hedged = scaled or (first > 0 and tokens[first - 1].folded in _HEDGES)
    if _PERCENT.match(text, tokens[last].end):
        named = last + 1 < len(tokens) and tokens[last + 1].folded.startswith("per")
        split = named and tokens[last + 1].folded == "per"
        return Quantity(value, "percent", "", first, last + (2 if split else 1 if named else 0), hedged)
    money = _MONEY.get(before[-1:], "")
    if money or unit in _CURRENCIES:
        return Quantity(value, "money", money or unit, first, last, hedged)
    return Quantity(value, "number", unit, first, last, hedged)


def _has_measure(text: str, tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    return (
        text[max(0, token.start - 1) : token.start] in _MONEY
        or bool(_unit_after(text, tokens, at)[0])
        or _PERCENT.match(text, token.end) is not None
        or (at + 1 < len(tokens) and tokens[at + 1].folded in _SCALES)
    )


def _unit_after(text: str, tokens: Sequence[Token], last: int) -> tuple[str, int]:
    if last + 1 >= len(tokens):
        return "", last
    between = text[tokens[last].end : tokens[last + 1].start]
    unit = _UNITS.get(tokens[last + 1].folded, "")
    return (unit, last + 1) if unit and not between.strip(" -\u00a0") else ("", last)


def _dated(text: str, tokens: Sequence[Token], found: list[Quantity]) -> list[Quantity]:
    """Numbers that are parts of dates: `2019-03-12`, `12 March 2019`, `2004-05`."""
    dated = list(found)
    for at, (one, other) in enumerate(pairwise(found)):
        between = text[tokens[one.last].end : tokens[other.first].start]
        if (
            one.kind == "year"
            and other.kind == "number"
            and between in {"-", "–", "/"}
            and isinstance(other.value, float)
        ):
            if at + 2 < len(found) and _between(text, tokens, other, found[at + 2]) == between:
                dated[at + 1] = other._replace(kind="month", unit="")
                dated[at + 2] = found[at + 2]._replace(kind="day", unit="")
            elif (other.value > 12 or between == "–") and other.value < 100 and isinstance(one.value, float):
                dated[at + 1] = other._replace(value=one.value // 100 * 100 + other.value, kind="year")
        elif (
            between == "/" and _is_day(one) and _is_day(other) and at + 2 < len(found) and found[at + 2].kind == "year"
        ):
            dated[at], dated[at + 1] = one._replace(kind="date"), other._replace(kind="date")
        elif other.kind == "month" and _is_day(one) and between.strip() in {"", "of"}:
            dated[at] = one._replace(kind="day")
        elif one.kind == "month" and _is_day(other) and not between.strip(" ."):
            dated[at + 1] = other._replace(kind="day")
    return dated


def _is_day(quantity: Quantity) -> bool:
    value = quantity.value
    return quantity.kind in {"number", "ordinal"} and not quantity.unit and isinstance(value, float) and 0 < value < 32


def _between(text: str, tokens: Sequence[Token], one: Quantity, other: Quantity) -> str:
    return text[tokens[one.last].end : tokens[other.first].start]


def _magnitude_agrees(said: Quantity, known: Quantity) -> bool:
    """`millions` is borne out by anything from one million to a billion."""
    assert isinstance(said.value, float)
    assert isinstance(known.value, float)
    if said.kind == known.kind:
        return said.value == known.value
    vague, exact = (said.value, known.value) if said.kind == "scale" else (known.value, said.value)
    return vague <= abs(exact) < 1000 * vague


def _rounds(said: Quantity, exact: float) -> bool:
    """Whether `said` is `exact` in fewer digits, where it says or shows that it rounds."""
    if not said.hedged or not isinstance(said.value, float) or not said.value or not exact:
        return False
    digits = len(f"{abs(said.value):.10g}".replace(".", "").strip("0"))
    return float(f"{exact:.{max(digits, 1)}g}") == said.value
