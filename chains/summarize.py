"""Summaries by a model: the bullets of a section, and the abstract of a document, from numbered rows."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from chains.prompts import ABSTRACT, SUMMARY, material, rows_in_order
from chains.text import TextOf

Summarize = Runnable[list[BaseMessage], str]

MOST_READ = 8_000
"""Characters of what a model writes of a section, or of a document, that are read."""
_BOLD = re.compile(r"\*\*|__(?=\S)|(?<=\S)__")
_MARK = re.compile(r"[ \t]*(?:[-*+•–]|\(?\d{1,3}[.)])[ \t]+|[ \t]*#{1,6}[ \t]+")
_LEAD_IN = re.compile(
    r"\s*(?:(?:sure|certainly|of course|okay|ok|absolutely)\b[,.!:]?\s*)?"
    r"(?:(?:here|below)(?:['’]s| is| are| you (?:go|have))|the following|(?:in )?summary|abstract|tl;dr|key points|"
    r"bullet points)\b[^:\[\]\n]{0,100}:\s*|\s*(?:sure|certainly|of course|absolutely)[,.!]\s+",
    re.IGNORECASE,
)


def summary_chain(model: BaseChatModel) -> Summarize:
    """The messages of one of the prompts in, the text out, with `[2.3]` for sentence 3 of passage 2."""
    return TextOf(model)


def bulleted(text: str) -> str:
    """What a model wrote, its items behind hyphens, without bold marks and what only leads in."""
    lines = []
    for line in _BOLD.sub("", text).splitlines():
        line = line[lead_in(line) :]
        mark = _MARK.match(line)
        said = line[mark.end() if mark else 0 :].strip()
        if said and not said.endswith(":"):
            lines.append(f"- {said}" if mark else said)
    return "\n".join(lines)


def lead_in(text: str) -> int:
    """How many characters at the beginning of a text only announce the rest."""
    found = _LEAD_IN.match(text)
    return found.end() if found else 0


def writing(chain: Summarize, messages: list[BaseMessage]) -> aclosing[AsyncGenerator[str]]:
    """What the chain writes, piece by piece; the call ends with the context."""
    return aclosing(cast(AsyncGenerator[str], chain.astream(messages)))


def section_messages(passages: Sequence[Document]) -> list[BaseMessage]:
    """Asks for the bullets of a section, whose passages come in reading order."""
    return SUMMARY.format_messages(rows=material(rows_in_order(passages)))


def abstract_messages(passages: Sequence[Document]) -> list[BaseMessage]:
    """Asks for the abstract of a document, from passages cut down to their telling sentences."""
    return ABSTRACT.format_messages(rows=material(rows_in_order(passages)))
