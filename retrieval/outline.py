"""The sections of a document in reading order: few enough to be read, each with its true name."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from language.instructions import speaks_to_a_model
from language.prose import is_scrap, is_sentence, reads_alone
from retrieval.passages import Passage

_PATH = " > "
_LEAST = 4
"""Words to begin with where there are too many sections of a short document."""
_TINY = 100
"""Words under which a section is read with its neighbour."""
_HUGE = 3500
"""Words over which a section is cut, as long as there is room for more of them."""
_WINDOW = 1200
"""Words of a section of a document without headings: about four pages."""
_LONGEST = 100
"""Characters of a name."""
_SHORT = 2000
"""Words of a document so short that each of its headings can have a section."""
_NO_NAME = re.compile(
    r"\W*\[[^\]]*\]\W*|\W*\([^)]*\)\W*|[^\s]*(?:_[^\s]*|\.(?:md|txt|pdf|docx|html?|csv))|"
    r".*\b[A-Z]{2} \d{5}(?:-\d{4})?\W*|.*\b\d{5}(?:-\d{4})?|.*\S+@\S+\.\S+.*|(?:https?://|www\.)\S+|"
    r"\d{1,5}[A-Za-z]? (?:\S+ ){1,6}?(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|lane|suite|floor)\b.*",
    re.IGNORECASE,
)
"""Notes in brackets, names of files, addresses: what is set like a heading and names nothing."""
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
    tells: bool
    """Whether it has a sentence at all, however short."""


def outline(passages: Sequence[Passage], most: int) -> list[Section]:
    """At most `most` sections of the passages of a document, which come in reading order.

    The deepest level of headings that gives no more sections than that; then tiny sections are read with their
    neighbours, but in a short document, and huge ones are cut. A document without headings is cut into windows of equal
    length. Tables of contents, references and the like are left out, as far as something else is left.
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
    return _Unit(path, tuple(passages), sum(map(_telling, passages)), any(map(_tells, passages)))


def _path(passage: Passage) -> tuple[str, ...]:
    return tuple(passage.section.split(_PATH)) if passage.section else ()


def _words(passage: Passage) -> int:
    return len(passage.text.split())


def _sentences(passage: Passage) -> Iterator[str]:
    return (passage.text[start:end] for start, end in passage.sentences)


def _telling(passage: Passage) -> int:
    return sum(len(sentence.split()) for sentence in _sentences(passage) if reads_alone(sentence))


def _tells(passage: Passage) -> bool:
    return any(is_sentence(sentence) and not is_scrap(sentence) for sentence in _sentences(passage))


def _is_scrap(passage: Passage) -> bool:
    return any(_SCRAP.fullmatch(heading.strip()) for heading in _path(passage))


def _at_depth(units: Sequence[_Unit], most: int) -> list[_Unit]:
    """The units of the deepest level that has few enough, tiny ones not counted; of the highest level if none has."""
    deepest = max(len(unit.path) for unit in units)
    merged = list(units)
    for depth in range(deepest, 0, -1):
        groups = [(path, list(group)) for path, group in groupby(units, key=lambda unit: unit.path[:depth])]
        merged = [_Unit(path, _all(group), _size(group), any(unit.tells for unit in group)) for path, group in groups]
        if sum(unit.words >= _TINY for unit in merged) <= most and len(merged) <= 3 * most:
            break
    return merged


def _packed(units: Sequence[_Unit], most: int) -> list[list[_Unit]]:
    """Neighbours packed together until there are few enough, and none says nothing or, in a long document, is tiny."""
    least: float = 0 if _size(units) <= _SHORT else _TINY
    while True:
        packs: list[list[_Unit]] = []
        for unit in units:
            tiny = _size(packs[-1]) < least or unit.words < least / 8 if packs else False
            if packs and (tiny or not unit.tells or not any(one.tells for one in packs[-1])):
                packs[-1].append(unit)
            else:
                packs.append([unit])
        if len(packs) > 1 and _size(packs[-1]) < least:
            last = packs.pop()
            packs[-1] += last
        if len(packs) <= most:
            return packs
        least = max(_LEAST, least * 1.25)


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
    told = [unit for unit in pack if unit.words or unit.tells] or list(pack)
    named = [unit for unit in told if _heading(unit)]
    if not named:
        return None
    first, last = named[0], named[-1]
    if all(unit.path[: len(first.path)] == first.path for unit in named if first.path) and first.path:
        return _heading(first)
    one, other = _heading(first), _heading(last)
    return one if one == other else f"{one} – {other}"


def _heading(unit: _Unit) -> str | None:
    """What a unit stands under: what comes before every other heading is under the document's first one, its title."""
    return _name(unit.path or (unit.passages[0].title,))


def heading_over(section: str | None, title: str) -> str | None:
    """What a passage stands under."""
    return _name(tuple(section.split(_PATH)) if section else (title,))


def headings_of(passages: Sequence[Passage]) -> list[str]:
    """The headings that something stands under, in reading order, each once."""
    return list(dict.fromkeys(path[-1] for passage in passages if (path := _path(passage))))


def _name(path: Sequence[str]) -> str | None:
    """What a section is called, if that does not speak to a model."""
    name = path[-1] if path else ""
    if not name or _NO_NAME.fullmatch(name) or speaks_to_a_model(name):
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
