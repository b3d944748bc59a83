"""Plots as inline SVG, coloured by the page's style sheet: classes `s0`, `s1`, ... are the series."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from evaluation.probabilities import Bin
from evaluation.results import Figures
from evaluation.targets import Target

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT = 320, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 308, 10, 214
_MOST = 150
_EDGE = 4


def lines(
    name: str,
    series: Mapping[str, Points],
    x: str,
    y: str,
    *,
    diagonal: bool,
    dots: bool = False,
    marks: Mapping[str, tuple[float, float] | None] | None = None,
) -> str:
    """Curves over the unit square; `x` and `y` name the axes, `diagonal` draws where both are equal.

    `marks` rings one point of a curve.
    """
    parts = [_axes(x, y)]
    if diagonal:
        parts.append(f'<path class="guide" d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}"/>')
    for number, points in enumerate(series.values()):
        path = "L".join(f"{_x(across):.1f} {_y(up):.1f}" for across, up in _thinned(points))
        parts.append(f'<path class="line s{number}" d="M{path}"/>' if path else "")
        if dots:
            parts += [_dot(number, across, up) for across, up in points]
    for number, label in enumerate(series):
        point = (marks or {}).get(label)
        parts.append(_ring(number, *point) if point else "")
    return _figure(name, "".join(parts), list(series))


def reliability(name: str, series: Mapping[str, Sequence[Bin]]) -> str:
    """Share of answerable questions over what the gate was told; perfect calibration is the diagonal."""
    points = {label: [(one.probability, one.share) for one in bins] for label, bins in series.items()}
    return lines(name, points, "probability told", "share answerable", diagonal=True, dots=True)


def rows(name: str, figures: Figures, targets: Mapping[str, Target]) -> str:
    """Shares as horizontal bars under their names, each with its interval, its value, and a tick at its target."""
    parts, line, width = [], 34, WIDTH - 2 * _EDGE
    for number, (label, figure) in enumerate(figures.items()):
        top = number * line + 2
        left, low, high = _EDGE, _EDGE + width * figure.low, _EDGE + width * figure.high
        parts.append(
            f'<text x="{left}" y="{top + 11}">{escape(label)}</text>'
            f'<text x="{WIDTH - _EDGE}" y="{top + 11}" text-anchor="end">{escape(figure.shown)}</text>'
            f'<path class="track" d="M{left} {top + 23}H{left + width}"/>'
            f'<path class="share" d="M{left} {top + 23}H{left + width * figure.value:.1f}">'
            f"<title>{escape(f'{label} {figure}')}</title></path>"
            f'<path class="whisker" d="M{low:.1f} {top + 23}H{high:.1f}"/>'
        )
        if label in targets:
            at = left + width * targets[label].bound
            parts.append(f'<path class="goal" d="M{at:.1f} {top + 16}v14"><title>{targets[label]}</title></path>')
    legend = "<ul><li>bar: value, thin line: interval, tick: target</li></ul>"
    return (
        f'<figure><figcaption>{escape(name)}</figcaption><svg viewBox="0 0 {WIDTH} {len(figures) * line + 4}" '
        f'role="img" aria-label="{escape(name)}">{"".join(parts)}</svg>{legend}</figure>'
    )


def bars(name: str, figures: Figures, y: str) -> str:
    """Shares as bars, each with its interval and its value; `y` says of what."""
    parts = [_axes("", y)]
    step = (RIGHT - LEFT) / max(1, len(figures))
    for number, (label, figure) in enumerate(figures.items()):
        middle = LEFT + (number + 0.5) * step
        left, width, top = middle - step * 0.3, step * 0.6, _y(figure.value)
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BOTTOM - top:.1f}">'
            f"<title>{escape(f'{label} {figure}')}</title></rect>"
            f'<path class="whisker" d="M{middle:.1f} {_y(figure.low):.1f}V{_y(figure.high):.1f}"/>'
            f'<text class="value" x="{middle:.1f}" y="{BOTTOM - 6}" text-anchor="middle">{escape(figure.shown)}</text>'
            f'<text x="{middle:.1f}" y="{BOTTOM + 16}" text-anchor="middle">{escape(label)}</text>'
        )
    return _figure(name, "".join(parts), [])


def _figure(name: str, drawn: str, legend: Sequence[str]) -> str:
    keys = "".join(f'<li><i class="s{number}"></i>{escape(label)}</li>' for number, label in enumerate(legend))
    return (
        f'<figure><figcaption>{escape(name)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(name)}">{drawn}</svg>{f"<ul>{keys}</ul>" if keys else ""}</figure>'
    )


def _axes(x: str, y: str) -> str:
    return "".join(_grid(numbered=bool(x))) + (
        f'<text x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(11 {(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
    )


def _grid(*, numbered: bool) -> Iterator[str]:
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f'<path class="grid" d="M{LEFT} {_y(tick)}H{RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{_y(tick) + 4}" text-anchor="end">{tick:g}</text>'
        if numbered:
            yield f'<text x="{_x(tick)}" y="{BOTTOM + 16}" text-anchor="middle">{tick:g}</text>'


def _dot(number: int, across: float, up: float) -> str:
    told = f"<title>{across:.2f}, {up:.2f}</title>"
    return f'<circle class="dot s{number}" cx="{_x(across):.1f}" cy="{_y(up):.1f}" r="3">{told}</circle>'


def _ring(number: int, across: float, up: float) -> str:
    told = f"<title>{across:.2f}, {up:.2f}</title>"
    return f'<circle class="ring s{number}" cx="{_x(across):.1f}" cy="{_y(up):.1f}" r="5">{told}</circle>'


def _thinned(points: Points) -> Points:
    """Few enough points for a page, evenly chosen, with the first and the last."""
    if len(points) <= _MOST:
        return points
    return [points[round(number * (len(points) - 1) / (_MOST - 1))] for number in range(_MOST)]


def _x(share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)
