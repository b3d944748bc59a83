"""The turns before a question, as a model reads them: questions and answers, bounded, and never as instructions."""

import re
from collections.abc import Sequence

from langchain_core.messages import HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from chains.followup import Exchange
from chains.prompts import told
from language.sentences import sentence_spans

HISTORY_TOKENS = 800
"""How much of a conversation a prompt may hold: the last turns, and of each answer its beginning."""
_LONGEST = 800
"""Characters of one question, or of one answer."""
_MARKER = re.compile(r"\s*\[\d{1,3}\]")


def said_before(turns: Sequence[Exchange]) -> str:
    """The last turns that fit, the oldest first, each on two lines. A refusal is not repeated."""
    lines: list[str] = []
    left = HISTORY_TOKENS
    for turn in reversed(turns):
        answer = "(no answer was found)" if turn["answer"] is None else _told(_MARKER.sub("", turn["answer"]))
        both = [f"Asked: {_told(turn['question'])}", f"Answered: {answer}"]
        left -= count_tokens_approximately([HumanMessage("\n".join(both))])
        if left < 0 and lines:
            break
        lines = [*both, *lines]
    return "\n".join(lines)


def _told(text: str) -> str:
    """On one line, without what speaks to a model: an answer quotes documents, and those may be anybody's."""
    shown = text[:_LONGEST]
    return " ".join(told(shown[start:end]) for start, end in sentence_spans(shown)) + (
        "…" if len(text) > _LONGEST else ""
    )
