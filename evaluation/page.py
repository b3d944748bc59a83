"""The report as one HTML file that needs nothing else."""

import os
from collections.abc import Iterator
from html import escape
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from evaluation import plots, probabilities
from evaluation.resampling import Figure
from evaluation.results import NOTES, ClaimsResult, GateResult, Report, Result, Section, SetResult, every_section
from evaluation.targets import TOO_FEW, Target
from evaluation.verification import USABLE

_DRAWN = frozenset(
    {
        "seeded edits caught",
        "seeded edits of evidence sentences caught",
        "false alarms",
        "planted errors repaired",
    }
)
STYLE = Path(__file__).with_name("report.css")


def write(report: Report, path: Path) -> None:
    """Write the page aside, then put it in place: a reader never meets half of it. Raises `OSError`."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(render(report), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def render(report: Report) -> str:
    """The page."""
    models = "".join(f"<dt>{escape(use)}</dt><dd>{escape(name)}</dd>" for use, name in report.models.items())
    sections = "".join("".join(_set(number, result)) for number, result in enumerate(report.sets))
    notes = "".join(f"<li>{escape(note)}</li>" for note in NOTES)
    contents = "".join(f'<a href="#set{at}">{escape(one.name)}</a> ' for at, one in enumerate(report.sets))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Groundswell evaluation</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body><h1>Groundswell evaluation</h1>"
        f"<dl><dt>date</dt><dd>{escape(report.date)}</dd><dt>version</dt><dd>{escape(report.version)}</dd>{models}"
        f"<dt>seed</dt><dd>{report.seed}</dd></dl><nav>{contents}</nav>{_targets(report)}{sections}"
        f"<h2>How to read this</h2><ul>{notes}</ul></body></html>\n"
    )


def _targets(report: Report) -> str:
    """Every figure with a target, met or not, set by set."""
    bodies = "".join(_targets_of(name, list(found)) for name, found in groupby(report.targets(), itemgetter(0)))
    head = "<tr><th>figure</th><th>value</th><th>target</th><th></th></tr>"
    table = f'<table class="targets"><thead>{head}</thead>{bodies}</table>'
    return f"<h2>Targets</h2>{table}" if bodies else ""


def _targets_of(name: str, found: list[tuple[str, str, str, Figure, Target]]) -> str:
    judged = [bound.judged(figure) for *_, figure, bound in found]
    few = judged.count("few")
    parts = [f"{judged.count('met')} of {len(judged) - few} met"] if few < len(judged) else []
    met = ", ".join([*parts, *([f"{few} {TOO_FEW} to tell"] if few else [])])
    rows = "".join(
        f"<tr><th>{escape(f'{section}: {of}')}</th>"
        f"<td>{escape(figure.shown)}</td><td>{escape(str(bound))}</td>{_verdict(figure, bound)}</tr>"
        for _, section, of, figure, bound in found
    )
    return f'<tbody><tr><th colspan="4" class="of">{escape(name)}: {met}</th></tr>{rows}</tbody>'


def _verdict(figure: Figure, bound: Target | None) -> str:
    if bound is None:
        return "<td></td>"
    return f'<td><span class="{bound.judged(figure)}">{escape(bound.verdict(figure))}</span></td>'


def _set(number: int, result: Result) -> Iterator[str]:
    drawn = _plots(result) if isinstance(result, SetResult) else _other_plots(result)
    yield f'<section id="set{number}"><h2>{escape(result.name)}</h2><p>{escape(result.about)}</p>'
    yield f'<div class="plots">{"".join(drawn)}</div><div class="tables">'
    yield from map(_table, every_section(result))
    if isinstance(result, ClaimsResult):
        yield _confusion(result)
    yield "</div></section>"


def _plots(result: SetResult) -> Iterator[str]:
    hits = {name: figure for name, figure in result.retrieval.items() if name.startswith("hit@") and figure.known}
    if hits:
        yield plots.bars("Retrieval: relevant passage among the first k", hits, "share of questions")
    gates: dict[str, GateResult] = {gate.difficulty: gate for gate in result.gate if _both_classes(gate)}
    if not gates:
        return
    curves = {name: probabilities.roc(gate.labels, gate.probabilities) for name, gate in gates.items()}
    yield plots.lines("ROC of the gate", curves, "share wrongly opened", "share rightly opened", diagonal=True)
    bins = {name: probabilities.reliability(gate.labels, gate.probabilities) for name, gate in gates.items()}
    yield plots.reliability("Reliability of the gate's probability", bins)
    risks = {name: probabilities.risk_coverage(gate.labels, gate.probabilities) for name, gate in gates.items()}
    marks = {name: probabilities.at_threshold(g.labels, g.probabilities, g.threshold) for name, g in gates.items()}
    title = f"Risk over coverage; rings: the policy's {next(iter(gates.values())).threshold:.2f}"
    across, up = "coverage: share answered", "risk: share to be refused"
    yield plots.lines(title, risks, across, up, diagonal=False, marks=marks)


def _other_plots(result: Result) -> Iterator[str]:
    scores = result.scores if isinstance(result, ClaimsResult) else {}
    curves = {f"against {name}": probabilities.roc(*both) for name, both in scores.items()}
    if curves:
        across, up = "share of the others above", "share of supported above"
        yield plots.lines("ROC of the score: supported claims", curves, across, up, diagonal=True)
    for section in every_section(result):
        if section.title in _DRAWN:
            figures = {name: figure for name, figure, _ in section.known() if name != USABLE}
            if figures:
                yield plots.rows(section.title.capitalize(), figures, {name: b for name, _, b in section.known() if b})


def _both_classes(gate: GateResult) -> bool:
    return 0.0 < float(gate.labels.mean()) < 1.0


def _table(section: Section) -> str:
    bounded = any(bound is not None for *_, bound in section.known())
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(figure.shown)}</td>"
        f"<td>{escape(figure.interval)}</td><td>{figure.n}</td>{_target(figure, bound) if bounded else ''}</tr>"
        for name, figure, bound in section.known()
    )
    title = section.title[:1].upper() + section.title[1:]
    head = f"<tr><th>{escape(title)}</th><th>value</th><th>95 % interval</th><th>n</th>"
    head += "<th>target</th></tr>" if bounded else "</tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""


def _target(figure: Figure, bound: Target | None) -> str:
    return "<td></td>" if bound is None else _verdict(figure, bound).replace("<td>", f"<td>{escape(str(bound))} ")


def _confusion(result: ClaimsResult) -> str:
    supports = list(next(iter(result.confusion.values())))
    head = "".join(f"<th>{escape(support)}</th>" for support in (*supports, "n"))
    rows = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(f'<td>{escape(figure.shown)}</td>' for figure in figures.values())}"
        f"<td>{next(iter(figures.values())).n}</td></tr>"
        for label, figures in result.confusion.items()
    )
    title = "<th>Label, and what it is called</th>"
    return f'<table class="confusion"><thead><tr>{title}{head}</tr></thead><tbody>{rows}</tbody></table>'
