"""What a text counts: numbers with their scale and unit, percentages, money, dates and years, ordinals, fractions."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from language.tokens import Token

Kind = Literal[
    "number", "percent", "money", "year", "month", "day", "date", "ordinal", "fraction", "scale", "time", "code"
]
Bound = Literal["", "most", "least"]

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
acre acres | degree degrees | mph | kmh | hz | khz | mhz | ghz | volt volts | watt watts | knot knots | ms | m2 | km2 |
franc francs chf | crown crowns krona kronor krone kroner | rupee rupees inr | peso pesos | yuan rmb |
zloty zlotys pln | rand zar | rouble roubles ruble rubles rub
"""
_UNITS = {word: group.split()[0] for group in _UNIT_SPELLINGS.split("|") for word in group.split()}
_DIMENSIONS = {
    "time": {"ms": 1e-3, "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0},
    "calendar": {"month": 1.0, "year": 12.0, "decade": 120.0, "century": 1200.0},
    "length": {
        "mm": 1e-3,
        "cm": 1e-2,
        "m": 1.0,
        "km": 1e3,
        "inch": 0.0254,
        "ft": 0.3048,
        "yard": 0.9144,
        "mile": 1609.344,
    },
    "mass": {"mg": 1e-3, "g": 1.0, "kg": 1e3, "tonne": 1e6, "lb": 453.59237},
    "volume": {"ml": 1e-3, "l": 1.0},
}
_MEASURES = {unit: (name, factor) for name, units in _DIMENSIONS.items() for unit, factor in units.items()}
"""What a unit measures, and how many of the smallest common unit it is; months are no fixed number of days."""
_TIMES = "times"
_MONEY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_CURRENCIES = frozenset(_MONEY.values()) | set("cent franc crown rupee peso yuan zloty rand rouble".split())
_PLAIN = re.compile(r"\d{1,3}(?:,\d{2,3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_PERCENT = re.compile(r"\s?%|[\s-]?per\s?cent(?:age)?\b", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)")
_HALF_DAY = re.compile(r"\s?([ap])(?:\.\s?m\b\.?|m\b)", re.IGNORECASE)
_PART_OF_DAY = re.compile(r" (?:o['’]clock )?in the (morning|afternoon|evening)\b", re.IGNORECASE)
_AND_PART = re.compile(r"(?:a half|a quarter|three quarters)\b")
_AND_PARTS = {"a half": 0.5, "a quarter": 0.25, "three quarters": 0.75}
_DENIED = re.compile(r"\b(?:no|not|never|nobody|none|nothing|neither|cannot|nor)\b|n['’]t\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.;:!?]")
_MORE = frozenset("more longer later higher greater larger older further".split())
_LESS = frozenset("less fewer shorter earlier lower smaller younger sooner".split())
_BOUNDS: dict[str, Bound] = {
    **dict.fromkeys(("over", "above", "least", "minimum", "earliest"), "least"),
    **dict.fromkeys(("under", "below", "most", "maximum", "latest"), "most"),
}
_EXCEEDING = frozenset("exceed exceeds exceeded exceeding".split())
_BEFORE_BOUND = 60
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
    bound: Bound = ""
    """Whether it is a limit: `at most`, `no more than`, or `at least`, `over`."""


def quantities(text: str, tokens: Sequence[Token]) -> list[Quantity]:
    """The quantities of `text`, in order."""
    found: list[Quantity] = []
    at = 0
    while at < len(tokens):
        quantity = _quantity(text, tokens, at)
        if quantity is None:
            at += 1
        else:
            found.append(quantity._replace(bound=_bound(text, tokens, quantity.first)))
            at = quantity.last + 1
    return _dated(text, tokens, _sized(tokens, found)) if len(found) > 1 else found


def _sized(tokens: Sequence[Token], found: Sequence[Quantity]) -> list[Quantity]:
    """`1.2 by 0.6 metres`: the unit is that of both."""
    sized = list(found)
    for at, (one, other) in reversed(list(enumerate(pairwise(found)))):
        beside = other.first == one.last + 2 and tokens[one.last + 1].folded in {"by", "x"}
        if beside and one.kind == "number" and not one.unit:
            sized[at] = one._replace(unit=sized[at + 1].unit)
    return sized


def agree(said: Quantity, known: Quantity) -> bool:
    """Whether `known` bears out `said`: the same value, or one `said` rounds, in the same unit if both have one."""
    if isinstance(said.value, str) or isinstance(known.value, str):
        return said.value == known.value
    if opposed_bounds(said, known):
        return False
    if said.kind == "time" or known.kind == "time":
        return _same_clock(_on_the_clock(said), _on_the_clock(known))
    if said.unit != known.unit and said.unit in _MEASURES and known.unit in _MEASURES:
        return _same_measure(said, known)
    if {said.kind, known.kind} == {"number", "percent"} and _TIMES in {said.unit, known.unit}:
        times, percent = (said.value, known.value) if said.unit == _TIMES else (known.value, said.value)
        return abs(100 * times - percent) <= 1e-6 * percent
    if said.kind == "scale" or known.kind == "scale":
        return _magnitude_agrees(said, known)
    if said.unit and known.unit and said.unit != known.unit:
        return False
    if {said.kind, known.kind} == {"fraction", "percent"}:
        scale = 100.0 if said.kind == "fraction" else 0.01
        return abs(said.value * scale - known.value) <= 0.02 * abs(known.value)
    if said.kind != known.kind and frozenset({said.kind, known.kind}) not in _ALIKE:
        return False
    return said.value == known.value or (not (said.bound and known.bound) and _rounds(said, known.value))


def comparable(one: Quantity, other: Quantity) -> bool:
    """Whether the two say the same sort of thing, so that saying both is a conflict."""
    if one.kind == other.kind:
        return True
    return {one.kind, other.kind} <= {"number", "money", "percent", "scale", "fraction"} and not (
        one.unit and other.unit
    )


def opposed_bounds(one: Quantity, other: Quantity) -> bool:
    """Whether one is an upper limit and the other a lower one."""
    return {one.bound, other.bound} == {"most", "least"}


def same_unit(one: Quantity, other: Quantity) -> bool:
    """Whether both count the same sort of thing, and in units of one measure."""
    if one.kind != other.kind:
        return False
    return one.unit == other.unit or _measure(one) == _measure(other) != ""


def _measure(quantity: Quantity) -> str:
    return _MEASURES.get(quantity.unit, ("", 1.0))[0]


def _same_measure(said: Quantity, known: Quantity) -> bool:
    assert isinstance(said.value, float)
    assert isinstance(known.value, float)
    (measure, factor), (other, other_factor) = _MEASURES[said.unit], _MEASURES[known.unit]
    exact = known.value * other_factor / factor
    return measure == other and (abs(said.value - exact) <= 1e-9 * abs(exact) or _rounds(said, exact))


def base_value(quantity: Quantity) -> tuple[str, float] | None:
    """What a number measures, and how much of it in the smallest unit; None of what has no such unit."""
    if quantity.unit not in _MEASURES or not isinstance(quantity.value, float):
        return None
    measure, factor = _MEASURES[quantity.unit]
    return measure, quantity.value * factor


def _on_the_clock(quantity: Quantity) -> Quantity:
    """A number like `7.45` beside a time of the day is one."""
    if quantity.kind != "number" or quantity.unit or not isinstance(quantity.value, float):
        return quantity
    hours, minutes = divmod(round(quantity.value * 100), 100)
    if not (0 <= hours <= 24 and 0 < minutes < 60):
        return quantity
    return quantity._replace(kind="time", value=float(60 * hours + minutes), unit="day" if hours > 12 else "")


def _same_clock(said: Quantity, known: Quantity) -> bool:
    """`8 p.m.` is `20:00`; `8:00` without a half of the day may be either."""
    if said.kind != known.kind or not isinstance(said.value, float) or not isinstance(known.value, float):
        return False
    if said.value == known.value:
        return True
    open_, other = (said, known.value) if not said.unit else (known, said.value)
    return said.unit != known.unit and isinstance(open_.value, float) and open_.value + 720 == other


def _bound(text: str, tokens: Sequence[Token], first: int) -> Bound:
    """Whether the words before a number make it a limit."""
    if not first:
        return ""
    one = tokens[first - 1].folded
    other = tokens[first - 2].folded if first > 1 else ""
    if one == "of":
        one = other
    if one == "to" and other == "up":
        return "most"
    if one in _EXCEEDING or (one == "than" and other in _MORE):
        return "most" if _denied_before(text, tokens[first - 1].start) else "least"
    if one == "than" and other in _LESS:
        return "least" if _denied_before(text, tokens[first - 1].start) else "most"
    return _BOUNDS.get(one, "")


def _denied_before(text: str, end: int) -> bool:
    before = text[max(0, end - _BEFORE_BOUND) : end]
    return _DENIED.search(_CLAUSE.split(before)[-1]) is not None


def _quantity(text: str, tokens: Sequence[Token], at: int) -> Quantity | None:
    token = tokens[at]
    if token.text[0].isdigit():
        return _of_digits(text, tokens, at)
    word = token.folded
    if word in _MONTH_OF:
        return _of_month(text, tokens, at)
    if word in {"noon", "midnight"}:
        return Quantity(720.0 if word == "noon" else 0.0, "time", "day", at, at)
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
    if word in {"half", "quarter"} and (past := _past_the_hour(tokens, at)) is not None:
        return past
    if word == "half":
        return _half(text, tokens, at)
    return None


def _past_the_hour(tokens: Sequence[Token], at: int) -> Quantity | None:
    """`half past eleven`, `quarter to six`: either half of the day."""
    if at + 2 >= len(tokens) or tokens[at + 1].folded not in {"past", "to"}:
        return None
    hour = tokens[at + 2].folded
    hours = int(hour) if hour.isdigit() else _SMALL.get(hour, 0)
    if not 1 <= hours <= 12:
        return None
    minutes = 30 if tokens[at].folded == "half" else 15
    sign = 1 if tokens[at + 1].folded == "past" else -1
    return Quantity(float((60 * hours + sign * minutes) % 720), "time", "", at, at + 2)


def _half(text: str, tokens: Sequence[Token], at: int) -> Quantity:
    """`half`, and `half a kilogram`."""
    if at + 1 < len(tokens) and tokens[at + 1].folded in {"a", "an"}:
        unit, last = _unit_after(text, tokens, at + 1)
        if unit:
            return Quantity(0.5, "number", unit, at, last)
    return Quantity(0.5, "fraction", "", at, at)


def _of_digits(text: str, tokens: Sequence[Token], at: int) -> Quantity:
    token = tokens[at]
    clock = _clock(text, tokens, at)
    if clock is not None:
        return clock
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
    if value == 12 and at + 1 < len(tokens) and tokens[at + 1].folded in {"noon", "midnight"}:
        return Quantity(720.0 if tokens[at + 1].folded == "noon" else 0.0, "time", "day", at, at + 1)
    value, last = _mixed(text, tokens, value, at)
    return _measured(text, tokens, value, at, last)


def _clock(text: str, tokens: Sequence[Token], at: int) -> Quantity | None:
    """`20:00`, `8 p.m.`, `8.30 am`, in minutes of the day; the unit is empty if it may be either half of the day."""
    token = tokens[at]
    said = _CLOCK.fullmatch(token.text)
    half = _HALF_DAY.match(text, token.end)
    if half is None and (said is None or "." in token.text):
        return None
    if said is None and not (token.text.isdigit() and 0 < int(token.text) <= 12):
        return None
    hours, minutes = (int(said[1]), int(said[2])) if said else (int(token.text), 0)
    last = at
    if half is not None:
        hours = hours % 12 + (12 if half[1] in "pP" else 0) if hours <= 12 else hours
        while last + 1 < len(tokens) and tokens[last + 1].start < half.end():
            last += 1
    sure = half is not None or hours > 12 or token.text.startswith("0")
    return Quantity(float((60 * hours + minutes) % 1440), "time", "day" if sure else "", at, last)


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
    half = _PART_OF_DAY.match(text, tokens[last].end)
    if half is not None and value <= 12:
        hours = value % 12 + (0 if half[1] == "morning" else 12)
        return Quantity(60 * hours, "time", "day", at, last)
    value, last = _mixed(text, tokens, value, last)
    quantity = _measured(text, tokens, value, at, last)
    return None if word == "one" and quantity.last == at and not quantity.unit else quantity


def _mixed(text: str, tokens: Sequence[Token], value: float, last: int) -> tuple[float, int]:
    """`one and a half`: the value with its part, and the last token of it."""
    if not text.startswith(" and ", tokens[last].end):
        return value, last
    part = _AND_PART.match(text, tokens[last].end + 5)
    return (value + _AND_PARTS[part.group()], last + 3) if part is not None else (value, last)


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
            "from",
            "to",
            "till",
            "through",
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
    value, last = _and_rest(text, tokens, value, last)
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


def _and_rest(text: str, tokens: Sequence[Token], value: float, last: int) -> tuple[float, int]:
    """`hundred and sixty`: the value with what follows `and`."""
    if tokens[last].folded not in _SCALES or not text.startswith(" and ", tokens[last].end) or last + 2 >= len(tokens):
        return value, last
    words = [token.folded for token in tokens[last + 2 : last + 4]]
    rest, used = _TENS.get(words[0], 0), 2
    if not rest:
        rest = _SMALL.get(words[0], 0)
    elif len(words) > 1 and 0 < _SMALL.get(words[1], 0) < 10:
        rest, used = rest + _SMALL[words[1]], 3
    return (value + rest, last + used) if rest else (value, last)


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
    follower = tokens[last + 1]
    if follower.folded in {"square", "sq"} and last + 2 < len(tokens):
        side = _UNITS.get(tokens[last + 2].folded, "")
        return (f"{side}2", last + 2) if side and not between.strip(" -\u00a0") else ("", last)
    unit = _TIMES if follower.text == "times" else _UNITS.get(follower.folded, "")
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
