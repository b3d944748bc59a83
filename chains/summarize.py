"""Summaries by a model: the bullets of a section, and the abstract of a document, from numbered rows."""

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from chains.parsing import TextParser
from chains.prompts import ABSTRACT, SUMMARY, material, rows_in_order

Summarize = Runnable[list[BaseMessage], str]


def summary_chain(model: BaseChatModel) -> Summarize:
    """The messages of one of the prompts in, the text out, with `[2.3]` for sentence 3 of passage 2."""
    chain: Summarize = model | TextParser()
    return chain.with_config(run_name="summary_chain")


def section_messages(passages: Sequence[Document]) -> list[BaseMessage]:
    """Asks for the bullets of a section, whose passages come in reading order."""
    return SUMMARY.format_messages(rows=material(rows_in_order(passages)))


def abstract_messages(passages: Sequence[Document]) -> list[BaseMessage]:
    """Asks for the abstract of a document, from passages cut down to their telling sentences."""
    return ABSTRACT.format_messages(rows=material(rows_in_order(passages)))
