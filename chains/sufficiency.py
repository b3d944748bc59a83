"""The sufficiency check: whether passages answer a question, in one word of the model."""

import re

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.answer import AnswerInput
from chains.parsing import TextParser
from chains.prompts import SUFFICIENT, fitting, material, rows

_WORDS = {"SUFFICIENT": True, "INSUFFICIENT": False, "NOT": False, "NO": False}
_FIRST_WORD = re.compile(r"\W*(\w+)")


def sufficiency_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[AnswerInput, bool | None]:
    """`AnswerInput` in; whether the passages suffice, or None if the model says neither.

    Joren et al., "Sufficient Context" (2025), is where the question is from. The reply is not streamed, though only its
    first word counts: a stream that is left behind stays for the garbage collector to close.
    """

    async def check(given: AnswerInput) -> bool | None:
        evidence = material(rows(fitting(given["passages"], context_tokens)))
        messages = SUFFICIENT.format_messages(rows=evidence, question=given["question"])
        said = await (model | TextParser()).ainvoke(ChatPromptValue(messages=messages))
        return sufficient(said)

    return RunnableLambda(check, name="sufficiency_chain")


def sufficient(text: str) -> bool | None:
    """What the first word of a text says."""
    word = _FIRST_WORD.match(text)
    return _WORDS.get(word.group(1).upper()) if word else None
