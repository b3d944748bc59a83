"""The rows of a table of numbers as lines of text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval.loaders.pdf.cells import is_value, plain_value
from retrieval.loaders.pdf.columns import SLACK, Column
from retrieval.loaders.pdf.layout import Line, Run
from retrieval.loaders.rows import row_text

_LEADERS = re.compile(r"[\s._]{2,}$")
"""The dots between an entry of a table of contents and its page."""


@dataclass(slots=True)
class Rows:
    """Rows as they are read: a label may wait for its values, a group for its members."""

    headers: list[str]
    columns: Sequence[Column]
    done: list[str] = field(default_factory=list)
    labels: list[Line] = field(default_factory=list)
    group: Line | None = None

    def add(self, line: Line) -> None:
        """A row with values, under the labels that wait."""
        label, values = _split(line, self.columns)
        first = line.x0
        if self.labels and (not label or label[:1].islower()):
            waiting = self.labels.pop()
            label, first = f"{waiting.text} {label}".strip(), waiting.x0
        self.flush()
        if self.group is not None and first <= self.group.x0 + SLACK:
            self.group = None
        prefix = f"{self.group.text.rstrip(':')}: " if self.group is not None and label else ""
        said = row_text(*_paired(self.headers, values))
        self.done.append(" — ".join(part for part in (prefix + label, said) if part))

    def wait(self, line: Line) -> None:
        """A line with a label and no values: the end of the last row's label, or the beginning of something."""
        if self.done and line.text[:1].islower() and not self.labels:
            label, dash, values = self.done[-1].partition(" — ")
            self.done[-1] = f"{label} {line.text}{dash}{values}"
        else:
            self.labels.append(line)

    def flush(self) -> None:
        """Labels that got no values are lines of their own; the last one is a group's."""
        self.done += [line.text for line in self.labels]
        self.group = self.labels[-1] if self.labels else self.group
        self.labels = []


def _split(line: Line, columns: Sequence[Column]) -> tuple[str, list[str]]:
    """The row's label, and the text in each column."""
    label: list[str] = []
    values: list[list[str]] = [[] for _ in columns]
    for at, cell in enumerate(line.runs):
        if cell.x1 <= columns[0][0] + SLACK or (at == 0 and not is_value(cell.text) and cell.x0 < columns[0][0]):
            label.append(cell.text)
        else:
            nearest = min(range(len(columns)), key=lambda n: _distance(cell, columns[n]))
            values[nearest].append(plain_value(cell.text))
    return _LEADERS.sub("", " ".join(label)), [" ".join(value) for value in values]


def _paired(headers: Sequence[str], values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Neighbouring columns under one name made one: an amount and its share, `1,212 (37.6%)`."""
    names: list[str] = []
    texts: list[str] = []
    for name, text in zip(headers, values, strict=True):
        if name and names and name == names[-1] and text.endswith("%") and not texts[-1].endswith("%"):
            texts[-1] = f"{texts[-1]} ({text})".strip()
        else:
            names.append(name)
            texts.append(text)
    return names, texts


def _distance(cell: Run, column: Column) -> float:
    return max(cell.x0 - column[1], column[0] - cell.x1, 0.0) * 1000 + abs(cell.x1 - column[1])
