"""A page's characters to runs.

PDFium's own rectangles are one per glyph in files that place each glyph, so that the boxes of the characters
are read instead: one call each, 2-3 ms for a page of 3,000.
"""

import ctypes
from itertools import pairwise

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
from numpy.typing import NDArray

from retrieval.loaders.pdf.layout import VALUE_ENDS, VALUE_STARTS, Run
from retrieval.loaders.pdf.seen import seen

_WIDE_GAP = 0.8
"""Of the font's height: wider than the space in justified text, narrower than the gap between columns."""
_BOLD_NAMES = ("bold", "black", "heavy", "demi")
_FORCE_BOLD = 1 << 18
_HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-", "\xa0": " "})
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})


def page_runs(page: pdfium.PdfPage, textpage: pdfium.PdfTextPage) -> list[Run]:
    """The runs of a page in the file's order, as they lie when the page is upright.

    What a reader does not see of them is left out; see `seen`.
    """
    count = textpage.count_chars()
    if not count:
        return []
    text = _characters(textpage, count)
    lying = _boxes(textpage, count)
    written = np.array([not c.isspace() and c != "\0" for c in text])
    printed = seen(page, textpage, lying, written)
    if (written != printed).any():
        text = "".join(c if shown or c.isspace() else "\0" for c, shown in zip(text, printed.tolist(), strict=True))
    boxes = _upright(lying, page.get_rotation())
    return [
        _run(textpage, text, boxes, first, last)
        for first, last in _spans(boxes, np.flatnonzero(printed), text)
        if first < last or _is_level(textpage, first, page.get_rotation())
    ]


def _characters(textpage: pdfium.PdfTextPage, count: int) -> str:
    text: str = textpage.get_text_range()
    if len(text) != count:
        text = "".join(_character(raw.FPDFText_GetUnicode(textpage.raw, at)) for at in range(count))
    return text.translate(_HYPHENS)


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def _boxes(textpage: pdfium.PdfTextPage, count: int) -> NDArray[np.float32]:
    """Left, bottom, right, top of the font's box around each character, shape (count, 4)."""
    boxes = (raw.FS_RECTF * count)()
    get_box, handle = raw.FPDFText_GetLooseCharBox, textpage.raw
    for at in range(count):
        get_box(handle, at, boxes[at])
    left, top, right, bottom = np.frombuffer(boxes, np.float32).reshape(count, 4).T
    return np.stack([left, bottom, right, top], axis=1)


def _upright(boxes: NDArray[np.float32], rotation: int) -> NDArray[np.float32]:
    """The boxes after the page is turned clockwise by `rotation` degrees, as a reader sees it."""
    left, bottom, right, top = boxes.T
    turned = {
        90: (bottom, -right, top, -left),
        180: (-right, -top, -left, -bottom),
        270: (-top, left, -bottom, right),
    }.get(rotation)
    return boxes if turned is None else np.stack(turned, axis=1)


def _spans(boxes: NDArray[np.float32], printed: NDArray[np.intp], text: str) -> list[tuple[int, int]]:
    """The first and last character of each run; two values that follow each other are two runs."""
    if not len(printed):
        return []
    left, bottom, right, top = boxes[printed].T
    height = np.minimum((top - bottom)[1:], (top - bottom)[:-1])
    overlap = np.minimum(top[1:], top[:-1]) - np.maximum(bottom[1:], bottom[:-1])
    gap = left[1:] - right[:-1]
    letters = [text[at] for at in printed]
    meet = (np.diff(printed) > 1) & np.array(
        [one in VALUE_ENDS and other in VALUE_STARTS for one, other in pairwise(letters)], bool
    )
    breaks = np.flatnonzero((overlap < height / 2) | (gap > height * _WIDE_GAP) | (gap < -height) | meet) + 1
    edges = [0, *breaks.tolist(), len(printed)]
    return [(int(printed[a]), int(printed[b - 1])) for a, b in pairwise(edges)]


def _run(textpage: pdfium.PdfTextPage, text: str, boxes: NDArray[np.float32], first: int, last: int) -> Run:
    written = " ".join(text[first : last + 1].replace("\0", "").translate(_LIGATURES).split())
    return Run(
        text=written,
        x0=float(boxes[first, 0]),
        x1=float(boxes[last, 2]),
        bottom=float(boxes[first, 1]),
        top=float(boxes[first, 3]),
        bold=_is_bold(textpage, first) and (first == last or _is_bold(textpage, last)),
    )


def _is_bold(textpage: pdfium.PdfTextPage, at: int) -> bool:
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    raw.FPDFText_GetFontInfo(textpage.raw, at, name, len(name), flags)
    spelled = name.value.decode("utf-8", "replace").lower()
    return any(word in spelled for word in _BOLD_NAMES) or bool(flags.value & _FORCE_BOLD)


def _is_level(textpage: pdfium.PdfTextPage, at: int, rotation: int) -> bool:
    """Whether a character stands upright: text along the margin comes as runs of one character each."""
    angle = float(np.degrees(raw.FPDFText_GetCharAngle(textpage.raw, at)))
    return abs((angle - rotation + 45) % 180 - 45) < 45
