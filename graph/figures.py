"""Figures about an answer and its citations."""

from collections.abc import Sequence

from callbacks.answer import Judge
from callbacks.events import CitationAttached, PartialAnswer
from graph.lines import ACCEPTABLE, without_markers


def coverage(citations: Sequence[CitationAttached], sentences: int) -> float:
    """The share of sentences with a citation."""
    return min(1.0, round(len({citation.sentence for citation in citations}) / sentences, 4)) if sentences else 0.0


def precision(citations: Sequence[CitationAttached], sentences: Sequence[PartialAnswer], judge: Judge) -> float:
    """The share of citations whose own words speak for their sentence, if only for a part of it (Gao et al., 2023)."""
    speak = [
        judge(without_markers(sentences[citation.sentence].text), [citation.quote]).support in ACCEPTABLE
        for citation in citations
    ]
    return mean(speak)


def mean(scores: Sequence[float]) -> float:
    """Their mean, 0 of none."""
    return round(sum(scores) / len(scores), 4) if scores else 0.0
