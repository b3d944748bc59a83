"""Runs to lines in reading order, columns one after the other."""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from retrieval.loaders.pdf.layout import VALUE_ENDS, VALUE_STARTS, Line, Run

_NARROWEST_GUTTER = 6.0
_NARROWEST_COLUMN = 90.0
_FEWEST_LINES = 5
_MAX_CROSSING = 0.3
"""Of the lines of a region, how many may cross a gutter: titles, wide figures, tables."""
_MAX_SPLITS = 3
_TOUCHING = 0.15
_NEIGHBOURS = 0.8


def regions(runs: Sequence[Run], page: int, splits: int = 0) -> list[list[Line]]:
    """The lines of a page, in the order they are read, cut where the layout changes."""
    lines = _lines(runs, page)
    gutter = _gutter(lines) if splits < _MAX_SPLITS else None
    if gutter is None:
        return [[_merged(line) for line in lines]] if lines else []
    found: list[list[Line]] = []
    for crosses, band in _bands(lines, gutter):
        if crosses:
            found.append([_merged(line) for line in band])
        else:
            pieces = [run for line in band for run in line.runs]
            for side in ([r for r in pieces if r.x1 <= gutter], [r for r in pieces if r.x1 > gutter]):
                found += regions(side, page, splits + 1)
    return found


def _lines(runs: Sequence[Run], page: int) -> list[Line]:
    """Runs that share at least half their height, from top to bottom."""
    groups: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: -(run.top + run.bottom)):
        if groups:
            first = groups[-1][0]
            shared = min(first.top, run.top) - max(first.bottom, run.bottom)
            if shared > min(first.size, run.size) / 2:
                groups[-1].append(run)
                continue
        groups.append([run])
    return [Line(tuple(sorted(group, key=lambda run: run.x0)), page) for group in groups]


def _merged(line: Line) -> Line:
    """The line with neighbouring runs joined: the file need not hold them in order."""
    runs = [line.runs[0]]
    for run in line.runs[1:]:
        gap, height = run.x0 - runs[-1].x1, min(run.size, runs[-1].size)
        values_meet = gap > height * _TOUCHING and runs[-1].text[-1] in VALUE_ENDS and run.text[0] in VALUE_STARTS
        if gap < height * _NEIGHBOURS and not values_meet:
            runs[-1] = runs[-1].joined(run, "" if gap < height * _TOUCHING else " ")
        else:
            runs.append(run)
    return Line(tuple(runs), line.page)


def _gutter(lines: Sequence[Line]) -> float | None:
    """The middle of an empty strip with prose on both sides, or None."""
    if len(lines) < _FEWEST_LINES:
        return None
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    width = int(right - left)
    if not 2 * _NARROWEST_COLUMN < width < 20_000:
        return None
    crossed = np.zeros(width + 2, np.int32)
    for line in lines:
        for run in line.runs:
            crossed[int(run.x0 - left) : int(run.x1 - left) + 1] += 1
    inner = crossed[int(_NARROWEST_COLUMN) : width - int(_NARROWEST_COLUMN)]
    for strip in _strips(inner, int(len(lines) * _MAX_CROSSING)):
        gutter = left + _NARROWEST_COLUMN + strip
        if _is_prose([run for line in lines for run in line.runs if run.x1 <= gutter], gutter - left) and _is_prose(
            [run for line in lines for run in line.runs if run.x0 >= gutter], right - gutter
        ):
            return gutter
    return None


def _strips(crossed: np.ndarray[tuple[int], np.dtype[np.int32]], most: int) -> Iterator[float]:
    """The middles of wide strips that few runs cross, the emptiest level of crossing first."""
    for level in sorted({0, *(int(n) for n in np.unique(crossed) if n <= most)})[:4]:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], crossed <= level, [False]]).astype(np.int8)))
        widths = edges[1::2] - edges[::2]
        for at in np.argsort(-widths)[:3]:
            if widths[at] >= _NARROWEST_GUTTER:
                yield float(edges[2 * at] + edges[2 * at + 1]) / 2


def _is_prose(runs: Sequence[Run], width: float) -> bool:
    """Whether most runs fill their column with words, as cells of a table do not."""
    if len(runs) < _FEWEST_LINES:
        return False
    full = median(run.x1 - run.x0 for run in runs) > 0.6 * width
    return full and median(run.text.count(" ") for run in runs) >= 3


def _bands(lines: Sequence[Line], gutter: float) -> Iterator[tuple[bool, list[Line]]]:
    """Lines that cross the gutter and lines that do not, in turn."""
    band: list[Line] = []
    last = False
    for line in lines:
        crosses = any(run.x0 < gutter < run.x1 for run in line.runs)
        if band and crosses != last:
            yield last, band
            band = []
        band.append(line)
        last = crosses
    if band:
        yield last, band
