"""The report on a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.results import Figures, GateResult, Report, SetResult


def tables(report: Report) -> Group:
    """Everything but the plots."""
    models = ", ".join(f"{use} {name}" for use, name in report.models.items())
    head = Text(f"Groundswell {report.version}, {report.date}; {models}; seed {report.seed}", style="dim")
    return Group(head, *(part for result in report.sets for part in _set(result)))


def _set(result: SetResult) -> Iterator[RenderableType]:
    yield Text(f"\n{result.name}", style="bold")
    yield Text(result.about, style="dim")
    sections = {"retrieval": result.retrieval, "answers": result.answers, "latency, ms": result.latency}
    for title, figures in sections.items():
        if any(figure.known for figure in figures.values()):
            yield _figures(title, figures)
    if result.gate:
        yield _gate(result.gate)


def _figures(title: str, figures: Figures) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(title, min_width=30)
    table.add_column("with 95 % interval")
    table.add_column("n", justify="right")
    for name, figure in figures.items():
        table.add_row(name, str(figure), str(figure.n))
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
