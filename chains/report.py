"""The report of deep research: which rows each part of it is written from, as one prompt for any model."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage

from chains.embedded import PARTS_KEY
from chains.headings import heading
from chains.prompts import REPORT, material, rows


class Part(TypedDict):
    """A section of a report: what it answers, and what was found for it."""

    question: str
    titled: bool
    """Whether the question is its heading: a report of one section needs none."""
    searches: Sequence[tuple[str, Sequence[Document]]]
    """Each query, the sub-question itself first, with the passages it found, best first."""


def report_messages(question: str, parts: Sequence[Part], passages: Sequence[Document]) -> list[BaseMessage]:
    """The messages of the report prompt. `passages` are all the evidence there is; what a part names besides is unread.

    The last message carries which rows belong to which part, with the scores of the search, which the embedded model
    reads and providers never see.
    """
    numbers = {passage.metadata["source_id"]: number for number, passage in enumerate(passages, start=1)}
    headings = headings_of(parts)
    messages = REPORT.format_messages(
        sections="\n".join(f"## {line}" for line in headings) or "(none: one short answer)",
        evidence=material(rows(passages)),
        question=question,
    )
    layout = [_laid_out(part, numbers) for part in parts]
    return [*messages[:-1], HumanMessage(messages[-1].content, additional_kwargs={PARTS_KEY: layout})]


def headings_of(parts: Sequence[Part]) -> list[str]:
    """The headings of the sections, in order, as they are written."""
    return [titled for titled in map(_heading, parts) if titled]


def _heading(part: Part) -> str:
    """The question of a part, as far as a heading may hold it; empty if the part needs none."""
    return (heading(part["question"]) or "A further part") if part["titled"] else ""


def _laid_out(part: Part, numbers: Mapping[str, int]) -> dict[str, Any]:
    searches = []
    for query, found in part["searches"]:
        scores = {
            f"{numbers[passage.metadata['source_id']]}.{at}": score
            for passage in found
            if passage.metadata["source_id"] in numbers
            for at, score in enumerate(passage.metadata["sentence_scores"], start=1)
        }
        if scores:
            searches.append({"query": query, "scores": scores})
    return {"question": part["question"], "heading": _heading(part), "searches": searches}
