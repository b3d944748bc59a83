"""The classification chain: which domains a question may belong to, by the model."""

import re
from collections.abc import Mapping
from typing import TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import CLASSIFY


class ClassifyInput(TypedDict):
    """A question and the descriptions of the domains, by name."""

    question: str
    domains: Mapping[str, str]


def classify_chain(model: BaseChatModel) -> Runnable[ClassifyInput, list[str]]:
    """`ClassifyInput` in, the names of every domain the question may belong to out: those that are known, in order."""

    async def classify(given: ClassifyInput) -> list[str]:
        listed = "\n".join(f"- {name}: {' '.join(about.split())}" for name, about in given["domains"].items())
        messages = CLASSIFY.format_messages(domains=listed, question=given["question"])
        written = await (model | TextParser()).ainvoke(ChatPromptValue(messages=messages))
        return named(written, given["domains"])

    return RunnableLambda(classify, name="classify_chain")


def named(text: str, domains: Mapping[str, str]) -> list[str]:
    """The names of domains that occur in a text."""
    return [name for name in domains if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]
