"""What a reader has to know of how a report came about, in words of the server that claim nothing of the matter."""

from collections.abc import Sequence

from callbacks.spending import BudgetName, Spending
from graph.branches import Finding, Research

_UNITS: dict[BudgetName, tuple[str, str]] = {
    "seconds": ("second", "seconds"),
    "model_calls": ("model call", "model calls"),
    "tokens": ("token", "tokens"),
    "sources": ("source", "sources"),
}


def remarks(findings: Sequence[Finding], answered: Sequence[Finding], research: Research) -> list[str]:
    """Which parts nothing was found for, which were not looked into, and what cut the work short."""
    numbers = {finding.branch.number for finding in answered}
    unanswered = [finding for finding in findings if finding.branch.number not in numbers]
    searched = [finding for finding in unanswered if finding.hops]
    skipped = [finding for finding in unanswered if not finding.hops]
    told = []
    if searched and len(findings) > 1:
        told.append(f"Not found in the documents: {_quoted(searched)}.")
    if skipped:
        told.append(f"Not looked into: {_quoted(skipped)}.")
    return [*told, *cut_short(research)]


def cut_short(research: Research) -> list[str]:
    """What ended the work before it was done, if anything did."""
    if research.finishing.is_set():
        return ["Written early, as you asked."]
    spending = research.spending
    if not spending.stopped_by:
        return []
    budgets = " and ".join(_budget(name, spending) for name in spending.stopped_by)
    return [f"The research was cut short: its budget of {budgets} was spent."]


def _budget(name: BudgetName, spending: Spending) -> str:
    limit = getattr(spending.allowance, name)
    one, more = _UNITS[name]
    return f"{limit:g} {one if limit == 1 else more}"


def _quoted(findings: Sequence[Finding]) -> str:
    return "; ".join(f"“{finding.branch.question}”" for finding in findings)
