"""The sections of a document in reading order: few enough to be read, each with its true name."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from language.instructions import speaks_to_a_model
from language.prose import reads_alone
from retrieval.passages import Passage

_PATH = " > "
_TINY = 100
"""Words under which a section is read with its neighbour."""
_HUGE = 3500
"""Words over which a section is cut, as long as there is room for more of them."""
_WINDOW = 1200
"""Words of a section of a document without headings: about four pages."""
_LONGEST = 100
"""Characters of a name."""
_SCRAP = re.compile(
    r"(?:[\divx]+[.)]?\s+)?(?:(?:table of )?contents|(?:list of )?(?:figures|tables|abbreviations)|references|"
    r"bibliography|works cited|index|acknowledge?ments?|copyright(?: notice)?|signatures?)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Section:
    """Passages that follow each other, and what they stand under; None where the document does not say."""

    title: str | None
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """Passages under one heading."""

    path: tuple[str, ...]
    passages: tuple[Passage, ...]
    words: int
    """Of sentences that can stand alone: a section of tables has nothing to tell."""


def outline(passages: Sequence[Passage], most: int) -> list[Section]:
    """At most `most` sections of the passages of a document, which come in reading order.

    The deepest level of headings that gives no more sections than that; then tiny sections are read with their
    neighbours and huge ones are cut. A document without headings is cut into windows of equal length. Tables of
    contents, references and the like are left out, as far as something else is left.
    """
    told = [passage for passage in passages if not _is_scrap(passage)] or list(passages)
    units = _units(told)
    if len({unit.path for unit in units}) < 2:
        return _windows(told, most)
    packs = _packed(_at_depth(units, most), most)
    sections = [part for pack in packs for part in _cut(pack, most - len(packs))]
    return sections if len(sections) <= most else [Section(_title(pack), _all(pack)) for pack in packs]


def _units(passages: Sequence[Passage]) -> list[_Unit]:
    return [_unit(path, list(group)) for path, group in groupby(passages, key=_path)]


def _unit(path: tuple[str, ...], passages: Sequence[Passage]) -> _Unit:
    return _Unit(path, tuple(passages), sum(map(_telling, passages)))


def _path(passage: Passage) -> tuple[str, ...]:
    return tuple(passage.section.split(_PATH)) if passage.section else ()


def _words(passage: Passage) -> int:
    return len(passage.text.split())


def _telling(passage: Passage) -> int:
    sentences = (passage.text[start:end] for start, end in passage.sentences)
    return sum(len(sentence.split()) for sentence in sentences if reads_alone(sentence))


def _is_scrap(passage: Passage) -> bool:
    return any(_SCRAP.fullmatch(heading.strip()) for heading in _path(passage))


def _at_depth(units: Sequence[_Unit], most: int) -> list[_Unit]:
    """The units of the deepest level that has few enough, tiny ones not counted; of the highest level if none has."""
    deepest = max(len(unit.path) for unit in units)
    merged = list(units)
    for depth in range(deepest, 0, -1):
        groups = [(path, list(group)) for path, group in groupby(units, key=lambda unit: unit.path[:depth])]
        merged = [_Unit(path, _all(group), _size(group)) for path, group in groups]
        if sum(unit.words >= _TINY for unit in merged) <= most and len(merged) <= 3 * most:
            break
    return merged


def _packed(units: Sequence[_Unit], most: int) -> list[list[_Unit]]:
    """Neighbours packed together until there are few enough, and none is tiny."""
    least: float = _TINY
    while True:
        packs: list[list[_Unit]] = []
        for unit in units:
            if packs and (_size(packs[-1]) < least or unit.words < least / 8):
                packs[-1].append(unit)
            else:
                packs.append([unit])
        if len(packs) > 1 and _size(packs[-1]) < least:
            last = packs.pop()
            packs[-1] += last
        if len(packs) <= most:
            return packs
        least *= 1.25


def _size(pack: Sequence[_Unit]) -> int:
    return sum(unit.words for unit in pack)


def _all(pack: Sequence[_Unit]) -> tuple[Passage, ...]:
    return tuple(passage for unit in pack for passage in unit.passages)


def _cut(pack: Sequence[_Unit], room: int) -> list[Section]:
    """A pack as a section, or as several if it is huge and there is room for them."""
    title, passages = _title(pack), _all(pack)
    parts = min(math.ceil(_size(pack) / _HUGE), room + 1)
    if parts < 2:
        return [Section(title, passages)]
    cuts = _even(passages, parts)
    numbered = enumerate(cuts, start=1)
    return [Section(f"{title} ({at} of {len(cuts)})" if title else None, cut) for at, cut in numbered]


def _title(pack: Sequence[_Unit]) -> str | None:
    """The heading of a pack; of several the one they all stand under, if it is among them, else the first and last."""
    told = [unit for unit in pack if unit.words and unit.path] or [unit for unit in pack if unit.path]
    if not told:
        return None
    first, last = told[0].path, told[-1].path
    if all(unit.path[: len(first)] == first for unit in told):
        return _name(first)
    one, other = _name(first), _name(last)
    return f"{one} – {other}" if one and other else one or other


def _name(path: Sequence[str]) -> str | None:
    """What a section is called, if that does not speak to a model."""
    name = path[-1] if path else ""
    if not name or speaks_to_a_model(name):
        return None
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST].rsplit(maxsplit=1)[0]}…"


def _windows(passages: Sequence[Passage], most: int) -> list[Section]:
    words = sum(map(_words, passages))
    cuts = _even(passages, max(1, min(most, math.ceil(words / _WINDOW))))
    return [Section(_window_name(cut, number, len(cuts)), cut) for number, cut in enumerate(cuts, start=1)]


def _window_name(passages: Sequence[Passage], number: int, total: int) -> str | None:
    heading = _name(_path(passages[0]))
    pages = [passage.page for passage in passages if passage.page is not None]
    if total == 1:
        return heading
    if pages:
        return f"Page {pages[0]}" if pages[0] == pages[-1] else f"Pages {pages[0]}–{pages[-1]}"
    return f"Part {number}"


def _even(passages: Sequence[Passage], parts: int) -> list[tuple[Passage, ...]]:
    """At most so many parts, of about the same number of words."""
    total = sum(map(_words, passages))
    cuts: list[list[Passage]] = [[] for _ in range(parts)]
    before = 0
    for passage in passages:
        middle = before + _words(passage) / 2
        cuts[min(parts - 1, int(parts * middle / total))].append(passage)
        before += _words(passage)
    return [tuple(cut) for cut in cuts if cut]
