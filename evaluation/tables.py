"""The report on a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.results import ClaimsResult, GateResult, Report, Result, Section, SetResult

_STYLES = {"met": "green", "missed": "red", "few": "dim"}


def tables(report: Report) -> Group:
    """Everything but the plots."""
    models = ", ".join(f"{use} {name}" for use, name in report.models.items())
    head = Text(f"Groundswell {report.version}, {report.date}; {models}; seed {report.seed}", style="dim")
    return Group(head, *(part for result in report.sets for part in _set(result)), *_targets(report))


def _set(result: Result) -> Iterator[RenderableType]:
    yield Text(f"\n{result.name}", style="bold")
    yield Text(result.about, style="dim")
    for section in result.sections:
        if any(section.known()):
            yield _figures(section)
    if isinstance(result, ClaimsResult):
        yield _confusion(result)
    elif isinstance(result, SetResult) and result.gate:
        yield _gate(result.gate)


def _figures(section: Section) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(section.title, min_width=24)
    table.add_column("with 95 % interval", no_wrap=True)
    table.add_column("n", justify="right")
    bounds = [bound for *_, bound in section.known()]
    if any(bounds):
        table.add_column("target", no_wrap=True)
    for name, figure, bound in section.known():
        verdict = f"{bound} {bound.verdict(figure)}" if bound is not None else ""
        table.add_row(name, str(figure), str(figure.n), *([verdict] if any(bounds) else []))
    return table


def _gate(results: tuple[GateResult, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))  # three difficulties in 80 columns
    table.add_column("gate, against", no_wrap=True)
    for result in results:
        table.add_column(result.difficulty, no_wrap=True)
    for name in results[0].figures:
        table.add_row(name, *(str(result.figures[name]) for result in results))
    table.add_row("n", *(f"{r.labels.sum():.0f} + {(1 - r.labels).sum():.0f}" for r in results))
    return table


def _confusion(result: ClaimsResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))  # four verdicts in 80 columns
    table.add_column("label, called", no_wrap=True)
    for support in next(iter(result.confusion.values())):
        table.add_column(support, justify="right")
    table.add_column("n", justify="right")
    for label, figures in result.confusion.items():
        n = next(iter(figures.values())).n
        table.add_row(label, *(figure.shown for figure in figures.values()), str(n))
    return table


def _targets(report: Report) -> Iterator[RenderableType]:
    """Every figure with a target, met or not."""
    rows = list(report.targets())
    if not rows:
        return
    yield Text("\ntargets", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("set", "figure", "value", "target", ""):
        table.add_column(column)
    for name, section, of, figure, bound in rows:
        verdict = Text(bound.verdict(figure), style=_STYLES[bound.judged(figure)])
        table.add_row(name, f"{section}: {of}", figure.shown, str(bound), verdict)
    yield table
