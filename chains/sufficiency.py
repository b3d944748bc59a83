"""The sufficiency check: whether passages answer a question, in one word of the model."""

import re

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.answer import AnswerInput
from chains.parsing import TextParser
from chains.prompts import SUFFICIENT, fitting, rows

_WORDS = {"SUFFICIENT": True, "INSUFFICIENT": False, "NOT": False, "NO": False}
_FIRST_WORD = re.compile(r"\W*(\w+)(?=\W)")


def sufficiency_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[AnswerInput, bool | None]:
    """`AnswerInput` in; whether the passages suffice, or None if the model says neither.

    The call is given up after its first word, so it takes no longer than the model's time to first token. Joren et
    al., "Sufficient Context" (2025), is where the question is from.
    """

    async def check(given: AnswerInput) -> bool | None:
        evidence = rows(fitting(given["passages"], context_tokens))
        messages = SUFFICIENT.format_messages(rows=evidence, question=given["question"])
        said = ""
        async for piece in (model | TextParser()).astream(ChatPromptValue(messages=messages)):
            said += piece
            if _FIRST_WORD.match(said):
                break
        return sufficient(said)

    return RunnableLambda(check, name="sufficiency_chain")


def sufficient(text: str) -> bool | None:
    """What the first word of a text says."""
    word = _FIRST_WORD.match(f"{text} ")
    return _WORDS.get(word.group(1).upper()) if word else None
