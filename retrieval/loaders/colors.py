"""Colours of a page: whether text can be told from what it stands on."""

import colorsys
import re

Color = tuple[float, float, float]
"""Red, green and blue, 0..1."""

WHITE: Color = (1.0, 1.0, 1.0)
_LEAST_CONTRAST = 1.2
"""Of WCAG's contrast ratio: pale grey notes have 1.5, and text asks for 4.5."""
_NAMED: dict[str, Color] = {
    "white": WHITE,
    "snow": (1.0, 0.98, 0.98),
    "ivory": (1.0, 1.0, 0.94),
    "ghostwhite": (0.97, 0.97, 1.0),
    "floralwhite": (1.0, 0.98, 0.94),
    "whitesmoke": (0.96, 0.96, 0.96),
    "black": (0.0, 0.0, 0.0),
}
_HEX = re.compile(r"#(?:([0-9a-f]{6})([0-9a-f]{2})?|([0-9a-f]{3})([0-9a-f])?)(?![0-9a-f])")
_FUNCTION = re.compile(r"(rgb|hsl)a?\(\s*([^()]*)\)")
_SEEN_THROUGH = 0.05


def color_in(value: str) -> Color | None:
    """The first colour that a CSS value names, if it is one that can be told; `transparent` is none."""
    if found := _HEX.search(value):
        digits = found[1] or "".join(2 * digit for digit in found[3])
        return (int(digits[:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:], 16) / 255)
    if found := _FUNCTION.search(value):
        return _of_function(found[1], found[2])
    return next((_NAMED[word] for word in value.split() if word in _NAMED), None)


def see_through(value: str) -> bool:
    """Whether a CSS colour is (all but) transparent."""
    if value.strip() == "transparent":
        return True
    if found := _HEX.search(value):
        alpha = found[2] or 2 * (found[4] or "")
        return bool(alpha) and int(alpha, 16) / 255 < _SEEN_THROUGH
    parts = re.split(r"[\s,/]+", found[2].strip()) if (found := _FUNCTION.search(value)) else []
    alpha_written = _number(parts[3], 1.0) if len(parts) == 4 else None
    return alpha_written is not None and alpha_written < _SEEN_THROUGH


def told_apart(one: Color, other: Color) -> bool:
    """Whether text of one colour can be read on the other."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05) >= _LEAST_CONTRAST


def _luminance(color: Color) -> float:
    """Relative luminance, as WCAG 2 defines it (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _of_function(name: str, written: str) -> Color | None:
    parts = re.split(r"[\s,/]+", written.strip())
    if len(parts) < 3:
        return None
    scale = 255.0 if name == "rgb" else 360.0
    first = _number(parts[0], scale)
    second, third = (_number(part, scale if name == "rgb" else 100.0) for part in parts[1:3])
    if first is None or second is None or third is None:
        return None
    return (first, second, third) if name == "rgb" else colorsys.hls_to_rgb(first % 1.0, third, second)


def _number(written: str, scale: float) -> float | None:
    """A number as a share of `scale`, or a percentage as one of 100; 0..1."""
    found = re.fullmatch(r"(-?\d{0,6}\.?\d{0,6})(%|deg)?", written)
    if found is None or not any(map(str.isdigit, found[1])):
        return None
    return min(1.0, max(0.0, float(found[1]) / (100.0 if found[2] == "%" else scale)))
