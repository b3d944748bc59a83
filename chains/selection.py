"""Which rows of the evidence answer a question: the best one, what it leaves open, and what comes close to it."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from chains.kinds import holds_kind
from chains.steps import asks_how_to, steps_from
from language.layout import is_title
from language.sentences import leans_back, points_back
from language.words import content_terms

_OF_A_PERSON = re.compile(r"(?:[-*+•>]\s+)?(?:He|She|His|Her)\b")
_PARTICULAR = re.compile(r"\b(?:[^\W\d_]+[-/]?)?\d\w*(?:[.,:]\d+)*")
_YEAR = re.compile(r"(?:1\d|20)\d\d")

_PERSON = re.compile(r"\b(?:(?P<he>[Hh]e|[Hh]is)|(?P<she>[Ss]he|[Hh]er))\b")
_CAPITAL = re.compile(r"(?<=\s)[A-Z]\w+")

_LAYOUT_SHARE = 0.8
"""Of the score of a table row, a heading, a line of code, and of what somebody else did: a plain sentence is better."""
_KIND_LOSS = 0.08
"""Without a number, a time or a name where one is asked for."""
_RANK_LOSS = 0.1
"""Of the last of many passages, half as much of the second."""
_PLACE_SHARE = 0.3
"""Of the question's weight that a row's heading has and the row has not."""
_RIVAL_SHARE = 0.6
"""Of the score of a row with another year, number or id than the question's, where some row has the question's."""
_RIVAL_BEFORE_SHARE = 0.9
"""The same, if the row has none of its own and the last one before it in its passage is another one."""
_LIKELY = 0.6
"""Of the best score, for a row whose years, numbers and ids count."""
_TELLING = 0.15
"""Share of the question's weight from which on what is left of it is worth a row of its own."""
_LEAST = 0.4
"""Of the best row's worth, for a row that is said for what is left."""
_NEAR = 0.76
"""Of the best row's worth, for a row that is said because it may be the answer as well."""
_NEARER = 0.06
"""How much nearer a row must come that has nothing of the kind that is asked for, or comes from yet another passage and
brings no word of the question that no other brought."""
_ALIKE = 0.7


@dataclass(frozen=True, slots=True)
class Row:
    passage: int
    """Its rank, from 1."""
    sentence: int
    text: str
    score: float
    """How well it matches the question, 0..1."""
    words: frozenset[str]
    place: frozenset[str] = frozenset()
    """The words of the heading that it stands under."""


def select(question: str, rows: Sequence[Row], most: int) -> list[Row]:
    """The best row, rows of its passage with telling words it left out, then rows that come close and say more.

    Close but not alike is maximal marginal relevance (Carbonell & Goldstein, 1998), with word overlap as the
    similarity. A row that leans back ("It costs ...") brings the row it leans on, for alone it would speak of
    something else. Passages come in the order of their best row.
    """
    if not rows:
        return []
    asked = _Asked.of(question, rows)
    worth = _worth(asked, rows)
    groups = with_context(rows)
    rows = _without_titles(rows, worth)
    best = max(rows, key=lambda row: worth[row])
    chosen = list(groups[best])
    if asks_how_to(question):
        _extend(chosen, _steps(rows, best))

    def fits(row: Row) -> bool:
        return row not in chosen and len({*chosen, *groups[row]}) <= most

    beside = [row for row in rows if row.passage == best.passage and worth[row] >= _LEAST * worth[best]]
    while (found := _for_what_is_left(asked, chosen, filter(fits, beside), worth)) is not None:
        _extend(chosen, groups[found])
    alike = [worth[row] for row in rows if asked.has_kind(row) and asked.names <= row.words | row.place]
    reached = bool(alike) and max(alike) >= _LEAST * worth[best] and not asked.has_kind(best)
    top = max(alike) if reached else worth[best]
    for row in sorted(rows, key=lambda row: -worth[row]):
        if fits(row) and worth[row] >= _near(asked, row, chosen) * top and _adds(asked, row, chosen):
            _extend(chosen, groups[row])
    order = {passage: number for number, passage in enumerate(dict.fromkeys(row.passage for row in chosen))}
    return sorted(chosen, key=lambda row: (order[row.passage], row.sentence))


@dataclass(frozen=True, slots=True)
class _Asked:
    text: str
    words: frozenset[str]
    weights: Mapping[str, float]
    """Of its words that stand in some row, by their rarity among the rows; together 1."""
    particulars: Mapping[str, Set[str]]
    """Years, numbers and ids by kind, of the kinds that some likely row has the question's of."""

    @classmethod
    def of(cls, question: str, rows: Sequence[Row]) -> "_Asked":
        words = frozenset(content_terms(question))
        counts = Counter(word for row in rows for word in (row.words | row.place) & words)
        rarity = {word: math.log((len(rows) + 1) / (count + 0.5)) for word, count in counts.items()}
        total = sum(rarity.values())
        best = max(row.score for row in rows)
        likely = [row for row in rows if row.score >= _LIKELY * best]
        return cls(
            question,
            words,
            {word: weight / total for word, weight in rarity.items()},
            {
                kind: alike
                for kind, alike in _particulars(question).items()
                if any(alike & _particulars(row.text).get(kind, set()) for row in likely)
            },
        )

    def weight(self, words: Set[str]) -> float:
        """The share of the question that these words are."""
        return sum(weight for word, weight in self.weights.items() if word in words)

    def left_by(self, said: Sequence[Row]) -> set[str]:
        """Its words that none of these rows has; years and numbers aside, for they tell nothing alone."""
        told = (row.words | row.place for row in said)
        return {word for word in self.words.difference(*told) if not word[0].isdigit()}

    @property
    def names(self) -> frozenset[str]:
        """The words of its names."""
        return frozenset(word for name in _CAPITAL.findall(self.text) for word in content_terms(name))

    def held(self, row: Row) -> frozenset[str]:
        """Its words that the row or its heading has."""
        return self.words & (row.words | _unsaid(row))

    def of_another(self, row: Row) -> bool:
        """Whether a row about him or her has all names of the question: `He met Ada` is not about Ada."""
        return bool(self.names) and _OF_A_PERSON.match(row.text) is not None and self.names <= row.words

    def lacks_kind(self, row: Row) -> bool:
        """Whether an amount, a time, a name or a reason is asked for, and the row has none."""
        return holds_kind(self.text, row.text) is False

    def has_kind(self, row: Row) -> bool:
        """Whether the row has what is asked for of these."""
        return holds_kind(self.text, row.text) is True


def _particulars(text: str) -> dict[str, set[str]]:
    """Tokens with a digit by kind: years, and others by their shape, so that `LB-205` and `LB-311` are alike."""
    found: dict[str, set[str]] = {}
    for token in _PARTICULAR.findall(text.lower()):
        plain = token.replace(",", "").removesuffix("s")
        shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", plain))
        found.setdefault("year" if _YEAR.fullmatch(token.removesuffix("s")) else shape, set()).add(plain)
    return found


def _worth(asked: _Asked, rows: Sequence[Row]) -> dict[Row, float]:
    """The score, corrected for what it cannot know: kind, layout, rank, and years or ids of something else."""
    worth = {}
    before: tuple[int, dict[str, set[str]]] = (0, {})
    for row in sorted(rows, key=lambda row: (row.passage, row.sentence)):
        own = _particulars(row.text) if asked.particulars else {}
        earlier = before[1] if before[0] == row.passage else {}
        loss = _RANK_LOSS * (1 - 1 / max(1, row.passage)) + (_KIND_LOSS if asked.lacks_kind(row) else 0.0)
        of_its_place = asked.has_kind(row) or not _is_sentence(row)  # a figure, a row of a table
        known = row.score + _PLACE_SHARE * asked.weight(_unsaid(row) if of_its_place else frozenset())
        score = max(known - loss, known / 4)  # never below 0, and a weak row stays above a weaker one
        for kind, wanted in asked.particulars.items():
            if not wanted & own.get(kind, wanted):
                score *= _RIVAL_SHARE
            elif kind not in own and not wanted & earlier.get(kind, wanted):
                score *= _RIVAL_BEFORE_SHARE
        worth[row] = score if _is_sentence(row) and not asked.of_another(row) else score * _LAYOUT_SHARE
        before = row.passage, {**earlier, **own}
    return worth


def _is_sentence(row: Row) -> bool:
    """Rather than a heading, a table row or a line of code: enough words, mostly letters, not all capitals."""
    letters = sum(char.isalpha() or char.isspace() for char in row.text)
    laid_out = " | " in row.text or row.text.isupper()
    return len(row.words) >= 4 and letters >= 0.75 * len(row.text) and not laid_out


def with_context(rows: Sequence[Row]) -> dict[Row, list[Row]]:
    """Each row behind the ones it leans on: the sentence before, beyond a telephone number or a heading; or, where it
    only speaks of somebody, the last one that names them.
    """
    groups: dict[Row, list[Row]] = {}
    earlier: list[Row] = []
    for row in sorted(rows, key=lambda row: (row.passage, row.sentence)):
        earlier = [other for other in earlier if other.passage == row.passage]
        leaned_on = next(filter(_is_sentence, reversed(earlier)), earlier[-1] if earlier else None)
        if leaned_on is None or not points_back(row.text):
            groups[row] = [row]
        elif leans_back(row.text):
            of_the_same = points_back(leaned_on.text) and _person(row.text) == _person(leaned_on.text) != ""
            groups[row] = [*(groups[leaned_on][:-1] if of_the_same else groups[leaned_on]), row]
        else:
            groups[row] = [groups[leaned_on][0], row]
        earlier.append(row)
    return groups


def _without_titles(rows: Sequence[Row], worth: Mapping[Row, float]) -> Sequence[Row]:
    """Without those that only name what stands below them, unless the others are far from an answer."""
    saying = [row for row in rows if not is_title(row.text)]
    best = max((worth[row] for row in saying), default=0.0)
    return saying if best >= _LEAST * max(worth.values()) else rows


def _steps(rows: Sequence[Row], best: Row) -> list[Row]:
    """The instructions that a row belongs to or introduces, whole."""
    passage = sorted((row for row in rows if row.passage == best.passage), key=lambda row: row.sentence)
    found = steps_from([row.text for row in passage], passage.index(best))
    return [passage[at] for at in found]


def _person(text: str) -> str:
    """Whether a sentence speaks of a man or a woman by a pronoun, the first one that it has."""
    match = _PERSON.search(text)
    return str(match.lastgroup) if match is not None else ""


def _extend(chosen: list[Row], group: Sequence[Row]) -> None:
    chosen.extend(row for row in group if row not in chosen)


def _for_what_is_left(
    asked: _Asked, chosen: Sequence[Row], candidates: Iterator[Row], worth: Mapping[Row, float]
) -> Row | None:
    """The row with the most of the question that no chosen row has, if that is telling."""
    left = asked.left_by(chosen)
    brought = {row: asked.weight(row.words & left) for row in candidates}
    telling = [row for row in brought if brought[row] >= _TELLING]
    return max(telling, key=lambda row: (brought[row], worth[row]), default=None)


def _near(asked: _Asked, row: Row, chosen: Sequence[Row]) -> float:
    """The share of the best row's worth from which on a row may be the answer as well."""
    elsewhere = all(row.passage != said.passage for said in chosen) and not row.words & asked.left_by(chosen)
    lacking = asked.held(row) < frozenset().union(*map(asked.held, chosen))
    return _NEAR + _NEARER * (asked.lacks_kind(row) + (elsewhere and (lacking or not asked.has_kind(row))))


def _adds(asked: _Asked, row: Row, chosen: Sequence[Row]) -> bool:
    """About the question, of the kind that is asked for if that was told, and not the same again as any chosen row."""
    of_kind = asked.has_kind(row)
    about = bool(asked.held(row) if of_kind else row.words & asked.words)
    told = any(map(asked.has_kind, chosen))
    adds = about and not asked.lacks_kind(row) if told else about or of_kind
    return adds and not any(_repeats(row, said, asked) for said in chosen)


def _unsaid(row: Row) -> frozenset[str]:
    """What only its heading says; nothing where it points to a row that names it, which its score knows of."""
    return frozenset() if points_back(row.text) else row.place - row.words


def _repeats(row: Row, said: Row, asked: _Asked) -> bool:
    """Whether most words are the same; of two rows of one table, which are, whether one has less of the question."""
    if _columns(row) == _columns(said) != ():
        return row.words & asked.words < said.words & asked.words
    return len(row.words & said.words) >= _ALIKE * min(len(row.words), len(said.words))


def _columns(row: Row) -> tuple[str, ...]:
    """Of `sku: LB-205; price: 2.80`, the names of the cells; of a sentence, none."""
    cells = [cell.partition(": ") for cell in row.text.split("; ")]
    return tuple(name for name, colon, _ in cells if colon) if len(cells) > 1 else ()
