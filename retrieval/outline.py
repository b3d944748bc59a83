"""The sections of a document in reading order: few enough to be read, each with its true name."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from language.instructions import speaks_to_a_model
from retrieval.passages import Passage

_PATH = " > "
_TINY = 100
"""Words under which a section is read with its neighbour."""
_HUGE = 3500
"""Words over which a section is cut, as long as there is room for more of them."""
_TITLE = 160
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

    @property
    def words(self) -> int:
        """How many there are, about."""
        return sum(_words(passage) for passage in self.passages)


@dataclass(frozen=True, slots=True)
class _Unit:
    """What may not be torn apart: passages under one heading."""

    path: tuple[str, ...]
    passages: tuple[Passage, ...]
    words: int


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
    units = _at_depth(units, most)
    packed = _packed(units, most)
    shared = _shared([unit.path for unit in units if unit.path])
    sections = [part for pack in packed for part in _cut(pack, most - len(packed), len(shared))]
    return sections if len(sections) <= most else [_section(pack, len(shared)) for pack in packed]


def _units(passages: Sequence[Passage]) -> list[_Unit]:
    return [_unit(path, list(group)) for path, group in groupby(passages, key=_path)]


def _unit(path: tuple[str, ...], passages: Sequence[Passage]) -> _Unit:
    return _Unit(path, tuple(passages), sum(map(_words, passages)))


def _path(passage: Passage) -> tuple[str, ...]:
    return tuple(passage.section.split(_PATH)) if passage.section else ()


def _words(passage: Passage) -> int:
    return len(passage.text.split())


def _is_scrap(passage: Passage) -> bool:
    return any(_SCRAP.fullmatch(heading.strip()) for heading in _path(passage))


def _at_depth(units: Sequence[_Unit], most: int) -> list[_Unit]:
    """The units of the deepest level that has few enough, tiny ones not counted; of the highest level if none has."""
    deepest = max(len(unit.path) for unit in units)
    merged = list(units)
    for depth in range(deepest, 0, -1):
        groups = groupby(units, key=lambda unit: unit.path[:depth])
        merged = [_unit(path, [p for unit in group for p in unit.passages]) for path, group in groups]
        if sum(unit.words >= _TINY for unit in merged) <= most and len(merged) <= 3 * most:
            break
    return merged


def _packed(units: Sequence[_Unit], most: int) -> list[list[_Unit]]:
    """Neighbours packed together until there are few enough, and none is tiny."""
    least: float = _TINY
    while True:
        packs: list[list[_Unit]] = []
        for unit in units:
            if packs and (_size(packs[-1]) < least or (_size(packs[-1]) + unit.words < least)):
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


def _cut(pack: Sequence[_Unit], room: int, shared: int) -> list[Section]:
    """A pack as a section, or as several if it is huge and there is room for them."""
    whole = _section(pack, shared)
    parts = min(math.ceil(whole.words / _HUGE), room + 1)
    if parts < 2:
        return [whole]
    cuts = _even(whole.passages, parts)
    return [
        Section(f"{whole.title} ({number} of {len(cuts)})" if whole.title else None, cut)
        for number, cut in enumerate(cuts, start=1)
    ]


def _section(pack: Sequence[_Unit], shared: int) -> Section:
    passages = tuple(passage for unit in pack for passage in unit.passages)
    names = [name for name in dict.fromkeys(_name(unit.path, shared) for unit in pack) if name]
    title = names[0] if len(names) == 1 else f"{names[0]} – {names[-1]}" if names else None
    return Section(title, passages)


def _name(path: Sequence[str], shared: int) -> str | None:
    """What a section is called: its headings, without those that all sections stand under."""
    name = _PATH.join(path[shared:] or path[-1:])
    return None if not name or speaks_to_a_model(name) else name if len(name) <= _TITLE else f"{name[:_TITLE]}…"


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all sections stand under."""
    first, last = min(paths, default=()), max(paths, default=())
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:same]


def _windows(passages: Sequence[Passage], most: int) -> list[Section]:
    words = sum(map(_words, passages))
    count = max(1, min(most, math.ceil(words / _HUGE), len(passages)))
    if words > _TINY * 8:
        count = max(count, min(most, 4, len(passages)))
    cuts = _even(passages, count)
    return [Section(_window_name(cut, number, len(cuts)), cut) for number, cut in enumerate(cuts, start=1)]


def _window_name(passages: Sequence[Passage], number: int, total: int) -> str | None:
    heading = _name(_path(passages[0]), 0)
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
