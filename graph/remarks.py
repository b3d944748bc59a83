"""What a reader has to know of how a report came about, in words of the server that claim nothing of the matter."""

from collections.abc import Iterator, Sequence

from callbacks.spending import BudgetName, Spending
from chains.headings import heading as heading_of
from graph.branches import Branch, Finding, Research
from graph.lines import Line, without_markers
from language.words import content_terms

_UNITS: dict[BudgetName, tuple[str, str]] = {
    "seconds": ("second", "seconds"),
    "model_calls": ("model call", "model calls"),
    "tokens": ("token", "tokens"),
    "sources": ("source", "sources"),
}
_TOLD = 0.7
"""Of the words of a part, in a sentence of the report with what that rests on."""


def remarks(
    lines: Sequence[Line], findings: Sequence[Finding], answered: Sequence[Finding], research: Research
) -> list[str]:
    """Of which parts the report says nothing, and why; and what cut the work short."""
    silent = [finding for finding in findings if not _tells(lines, finding)] if len(findings) > 1 else []
    with_evidence = {finding.branch.number for finding in answered}
    unfinished = research.cut_short or bool(research.spending.stopped_by)
    why: dict[str, list[str]] = {}
    for finding in silent:
        if not finding.hops:
            reason = "Not looked into on its own"
        elif finding.branch.number in with_evidence:
            reason = "Left open, though something was found for it"
        else:
            reason = "Not settled" if unfinished or finding.failed else "Not found in the documents"
        why.setdefault(reason, []).append(f"“{finding.branch.question}”")
    return [*(f"{reason}: {'; '.join(parts)}." for reason, parts in why.items()), *cut_short(research)]


def left_out(branches: Sequence[Branch]) -> list[str]:
    """The parts that nobody has looked into, as far as they are in the words of the question."""
    parts = [f"“{branch.question}”" for branch in branches if branch.own_words]
    return [f"Not looked into: {'; '.join(parts)}."] if parts else []


def cut_short(research: Research) -> list[str]:
    """What ended the work before it was done, if anything did."""
    if research.cut_short:
        return ["Written early, as you asked."]
    spending = research.spending
    if not spending.stopped_by:
        return []
    budgets = " and ".join(_budget(name, spending) for name in spending.stopped_by)
    return [f"The research was cut short: its budget of {budgets} was spent."]


def _tells(lines: Sequence[Line], finding: Finding) -> bool:
    """Whether a sentence that rests on a source stands under a part's heading, or has the words of the part."""
    question = finding.branch.question
    wanted = set(content_terms(question))
    own = f"## {heading_of(question)}"
    return any(heading == own or len(wanted & said) >= _TOLD * len(wanted) for heading, said in _said(lines))


def _said(lines: Sequence[Line]) -> Iterator[tuple[str, set[str]]]:
    """The heading over each sentence that rests on a source, and the words of both."""
    heading = ""
    for line in lines:
        if not line.claims:
            heading = line.text if line.text.startswith("## ") else heading
        elif line.citations or line.rests_on is not None:
            quotes = [f"{citation.source} {citation.quote}" for citation in line.citations]
            piece = [] if line.rests_on is None else [line.rests_on.title, line.rests_on.text]
            yield heading, set(content_terms(" ".join([without_markers(line.text), *quotes, *piece])))


def _budget(name: BudgetName, spending: Spending) -> str:
    limit = getattr(spending.allowance, name)
    one, more = _UNITS[name]
    return f"{limit:g} {one if limit == 1 else more}"
