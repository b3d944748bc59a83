"""Which characters of a PDF page a reader sees: not those that are tiny, off the page, transparent or as pale as paper.

PDFium is asked for the colour of one character of each word: half a microsecond a call, and a page has thousands.
"""

import ctypes
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from numpy.typing import NDArray

from retrieval.loaders.colors import WHITE, Color, told_apart

_SMALLEST = 2.0
"""Points, of the size of a letter: what is smaller is not meant to be read."""
_SMALL, _MUCH_SMALLER = 3.6, 0.36
"""What is smaller than the first is left out where it has not that share of the usual height of the page's letters."""
_SEEN_THROUGH = 13
"""Of 255: what is painted with less opacity."""
_PALE = 200
"""Of 255, each of red, green and blue: only such text can be lost on paper."""
_INVISIBLE = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)
_OUTLINED = (raw.FPDF_TEXTRENDERMODE_STROKE, raw.FPDF_TEXTRENDERMODE_STROKE_CLIP)
_SCANNED = 0.5
"""Of the page: where pictures cover as much, text without ink is what a program read from them."""
_DEEPEST = 8
_MOST_PAINTED = 20_000

Boxes = NDArray[np.float32]
"""Left, bottom, right, top, shape (count, 4)."""
Matrix = tuple[float, float, float, float, float, float]
Ink = Literal["ink", "none", "invisible"]
Channels = tuple[ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint]
"""Red, green, blue and opacity, where PDFium writes them."""


class _Painted(NamedTuple):
    """Something with an area; its colour is None where it has many, or is not known."""

    box: tuple[float, float, float, float]
    color: Color | None


_PAPER = _Painted((0.0, 0.0, 0.0, 0.0), WHITE)


def seen(
    page: pdfium.PdfPage, textpage: pdfium.PdfTextPage, boxes: Boxes, printed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Of the printed characters of a page, those that are seen; `boxes` are the file's, before the page is turned."""
    shown = printed & _is_inside(boxes, page.get_cropbox())
    sides = np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0])  # text may run in any direction
    usual = float(np.median(sides[shown])) if shown.any() else 0.0
    inks = _Inks(textpage)
    pale: list[tuple[int, int, Color]] = []
    inkless: list[tuple[int, int]] = []
    for first, last, side in _words(shown, boxes, sides):
        kind, color = inks.of(first)
        if kind == "none" or (side < _SMALL and _is_tiny(textpage, first, usual)):
            shown[first:last] = False
        elif kind == "invisible":
            inkless.append((first, last))
        elif color is not None:
            pale.append((first, last, color))
    if pale or inkless:
        painted = list(islice(_painted(page), _MOST_PAINTED))
        if inkless and not _is_scan(painted, page.get_cropbox()):
            for first, last in inkless:
                shown[first:last] = False
        for first, last, color in pale:
            if not _stands_out(boxes[first], color, painted):
                shown[first:last] = False
    return shown


def _is_tiny(textpage: pdfium.PdfTextPage, at: int, usual: float) -> bool:
    """By the size of the font: the box of a bullet, or of a full stop in a font without measures, is small, too."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(textpage.raw, at, matrix)
    size: float = raw.FPDFText_GetFontSize(textpage.raw, at) * math.hypot(matrix.c, matrix.d)
    return size < _SMALLEST or (size < _SMALL and size < usual * _MUCH_SMALLER)


def _is_inside(boxes: Boxes, page: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    left, bottom, right, top = page
    inside: NDArray[np.bool_] = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    return inside


def _words(printed: NDArray[np.bool_], boxes: Boxes, sides: NDArray[np.float32]) -> Iterable[tuple[int, int, float]]:
    """First and last character, exclusive, of each stretch of printed characters on one line, and its longest side."""
    at = np.flatnonzero(printed)
    if not len(at):
        return ()
    bottom, top = boxes[at, 1], boxes[at, 3]
    breaks = (np.diff(at) > 1) | (np.abs(np.diff(bottom)) > (top - bottom)[1:] / 2)
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    ends = np.append(starts[1:], len(at)) - 1
    longest = np.maximum.reduceat(sides[at], starts)
    return zip(at[starts].tolist(), (at[ends] + 1).tolist(), longest.tolist(), strict=True)


def _channels() -> Channels:
    return ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()


class _Inks:
    """How characters are painted, asked once for each stretch of text that the file shows in one go."""

    def __init__(self, textpage: pdfium.PdfTextPage) -> None:
        self._handle = textpage.raw
        self._channels = _channels()
        self._last: tuple[int, tuple[Ink, Color | None]] = (0, ("ink", None))

    def of(self, at: int) -> tuple[Ink, Color | None]:
        """`ink`, with its colour if that is pale, `none` if it is transparent, or `invisible`."""
        shape = raw.FPDFText_GetTextObject(self._handle, at)
        if not shape:
            return "ink", None
        address = ctypes.addressof(shape.contents)
        if self._last[0] != address:
            self._last = address, self._ink(shape)
        return self._last[1]

    def _ink(self, shape: raw.FPDF_PAGEOBJECT) -> tuple[Ink, Color | None]:
        mode = raw.FPDFTextObj_GetTextRenderMode(shape)
        if mode in _INVISIBLE:
            return "invisible", None
        get_color = raw.FPDFPageObj_GetStrokeColor if mode in _OUTLINED else raw.FPDFPageObj_GetFillColor
        if not get_color(shape, *self._channels):
            return "ink", None
        red, green, blue, alpha = (channel.value for channel in self._channels)
        if alpha < _SEEN_THROUGH:
            return "none", None
        return "ink", (red / 255, green / 255, blue / 255) if min(red, green, blue) > _PALE else None


def _stands_out(box: Boxes, color: Color, painted: list[_Painted]) -> bool:
    """Whether a pale character can be told from what is painted where it stands, or else from the paper."""
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    around = (one for one in reversed(painted) if one.box[0] <= x <= one.box[2] and one.box[1] <= y <= one.box[3])
    ground = next(around, _PAPER).color
    return ground is None or told_apart(color, ground)


def _is_scan(painted: list[_Painted], page: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = page
    covered = sum(
        max(0.0, min(one.box[2], right) - max(one.box[0], left))
        * max(0.0, min(one.box[3], top) - max(one.box[1], bottom))
        for one in painted
        if one.color is None
    )
    return covered >= _SCANNED * (right - left) * (top - bottom)


def _painted(page: pdfium.PdfPage) -> Iterator[_Painted]:
    """Areas, pictures and shadings of a page, the lowest first; at most so many."""
    count = raw.FPDFPage_CountObjects(page.raw)
    objects = (raw.FPDFPage_GetObject(page.raw, at) for at in range(min(count, _MOST_PAINTED)))
    for shape in objects:
        yield from _areas(shape, (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), 0)


def _areas(shape: raw.FPDF_PAGEOBJECT, matrix: Matrix, depth: int) -> Iterator[_Painted]:
    kind = raw.FPDFPageObj_GetType(shape)
    if kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
        inner = _joined(_matrix(shape), matrix)
        for at in range(min(raw.FPDFFormObj_CountObjects(shape), _MOST_PAINTED)):
            yield from _areas(raw.FPDFFormObj_GetObject(shape, at), inner, depth + 1)
    elif kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING):
        yield _Painted(_box(shape, matrix), None)
    elif kind == raw.FPDF_PAGEOBJ_PATH:
        mode, stroke, channels = ctypes.c_int(), ctypes.c_int(), _channels()
        if not raw.FPDFPath_GetDrawMode(shape, mode, stroke) or not mode.value:
            return
        known = raw.FPDFPageObj_GetFillColor(shape, *channels)
        red, green, blue, alpha = (channel.value for channel in channels)
        if not known or alpha >= _SEEN_THROUGH:
            color = (red / 255, green / 255, blue / 255) if known and alpha == 255 else None
            yield _Painted(_box(shape, matrix), color)


def _box(shape: raw.FPDF_PAGEOBJECT, matrix: Matrix) -> tuple[float, float, float, float]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(shape, left, bottom, right, top)
    a, b, c, d, e, f = matrix
    corners = [(x.value, y.value) for x in (left, right) for y in (bottom, top)]
    across, up = [a * x + c * y + e for x, y in corners], [b * x + d * y + f for x, y in corners]
    return min(across), min(up), max(across), max(up)


def _matrix(shape: raw.FPDF_PAGEOBJECT) -> Matrix:
    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(shape, found)
    return found.a, found.b, found.c, found.d, found.e, found.f


def _joined(inner: Matrix, outer: Matrix) -> Matrix:
    """First the one, then the other."""
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
