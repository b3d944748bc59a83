"""The expansion chain: other wordings of a question and, on demand, a made-up answer, to search with."""

import asyncio
from typing import NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import HYPOTHESIS, WORDINGS
from chains.rewrite import faithful

_MOST = 3
_LONGEST = 400


class Expansion(NamedTuple):
    """What else to search with."""

    wordings: list[str]
    """The question in other words, none of which has lost a number, a name or a negation."""
    hypothesis: str | None
    """What an answer might look like (HyDE, Gao et al., 2022): finds passages, and is no evidence itself."""


def expand_chain(model: BaseChatModel, *, hyde: bool = False) -> Runnable[str, Expansion]:
    """A question in, what else to search with out."""

    async def expand(question: str) -> Expansion:
        writer = model | TextParser()
        wordings = writer.ainvoke(ChatPromptValue(messages=WORDINGS.format_messages(question=question)))
        if not hyde:
            return Expansion(_wordings(question, await wordings), None)
        hypothesis = writer.ainvoke(ChatPromptValue(messages=HYPOTHESIS.format_messages(question=question)))
        written, made_up = await asyncio.gather(wordings, hypothesis)
        return Expansion(_wordings(question, written), made_up.strip()[: 2 * _LONGEST] or None)

    return RunnableLambda(expand, name="expand_chain")


def _wordings(question: str, written: str) -> list[str]:
    lines = (line.strip(" \t-*•0123456789.)\"'“”") for line in written.splitlines())
    return [line for line in lines if line and len(line) <= _LONGEST and faithful(question, line)][:_MOST]
