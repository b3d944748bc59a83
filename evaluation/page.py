"""The report as one HTML file that needs nothing else."""

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path

from evaluation import plots, probabilities
from evaluation.results import NOTES, Figures, GateResult, Report, SetResult

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
        f"<dt>seed</dt><dd>{report.seed}</dd></dl><nav>{contents}</nav>{sections}"
        f"<h2>How to read this</h2><ul>{notes}</ul></body></html>\n"
    )


def _set(number: int, result: SetResult) -> Iterator[str]:
    yield f'<section id="set{number}"><h2>{escape(result.name)}</h2><p>{escape(result.about)}</p>'
    yield f'<div class="plots">{"".join(_plots(result))}</div><div class="tables">'
    yield _table("Retrieval", result.retrieval)
    yield _table("Answers, end to end", result.answers)
    yield _table("Latency, ms", result.latency)
    for gate in result.gate:
        yield _table(f"Gate: answerable against {gate.difficulty}", gate.figures)
    yield "</div></section>"


def _plots(result: SetResult) -> Iterator[str]:
    hits = {name: figure for name, figure in result.retrieval.items() if name.startswith("hit@") and figure.known}
    if hits:
        yield plots.bars("Retrieval: relevant passage among the first k", hits)
    gates: dict[str, GateResult] = {gate.difficulty: gate for gate in result.gate if _both_classes(gate)}
    if not gates:
        return
    curves = {name: probabilities.roc(gate.labels, gate.probabilities) for name, gate in gates.items()}
    yield plots.lines("ROC of the gate", curves, "share wrongly opened", "share rightly opened", diagonal=True)
    bins = {name: probabilities.reliability(gate.labels, gate.probabilities) for name, gate in gates.items()}
    yield plots.reliability("Reliability of the gate's probability", bins)
    risks = {name: probabilities.risk_coverage(gate.labels, gate.probabilities) for name, gate in gates.items()}
    yield plots.lines("Risk over coverage", risks, "share answered", "error rate among answered", diagonal=False)


def _both_classes(gate: GateResult) -> bool:
    return 0.0 < float(gate.labels.mean()) < 1.0


def _table(title: str, figures: Figures) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(figure.shown)}</td>"
        f"<td>{escape(figure.interval)}</td><td>{figure.n}</td></tr>"
        for name, figure in figures.items()
        if figure.known
    )
    head = f"<tr><th>{escape(title)}</th><th>value</th><th>95 % interval</th><th>n</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
