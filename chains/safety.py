"""The safety check: whether a text is fit to be shown to whoever asked, in a word of the model."""

import re
from typing import Literal, NamedTuple, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from chains.parsing import TextParser
from chains.prompts import SAFETY, material

_WORDS: dict[str, Literal["safe", "unsafe"]] = {"SAFE": "safe", "UNSAFE": "unsafe"}
_UNSAFE = re.compile(r"\bunsafe\b", re.IGNORECASE)
_SAID = re.compile(r"[\s*_`\"'#>-]*([A-Za-z]+)(?:\W+(.*))?", re.DOTALL)
_LONGEST_CATEGORY = 40


class SafetyInput(TypedDict):
    """A question and what is to be checked: the passages an answer would be written from, or the answer."""

    question: str
    text: str


class SafetyVerdict(NamedTuple):
    """What the model says of a text; `category` is a few plain words, empty where none was named."""

    safe: bool
    category: str


_CALL: RunnableConfig = {"run_name": "safety_chain", "tags": ["safety"]}
"""By the tag it is known that no budget may leave it out."""


def safety_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[SafetyInput, SafetyVerdict | None]:
    """`SafetyInput` in, the verdict out; None if the model says neither word.

    Of a text of more than about `context_tokens` tokens the beginning is checked. What the question asks for is
    material as well, so it stands between the marks.
    """

    async def check(given: SafetyInput) -> SafetyVerdict | None:
        checked = f"Question: {given['question']}\n\nText:\n{given['text'][: 4 * context_tokens]}"
        messages = SAFETY.format_messages(material=material(checked))
        said = await (model | TextParser()).ainvoke(ChatPromptValue(messages=messages), _CALL)
        return safety_verdict(said)

    return RunnableLambda(check, name="safety_chain")


def safety_verdict(text: str) -> SafetyVerdict | None:
    """What the first word of a text says: SAFE or UNSAFE, and nothing like them."""
    said = _SAID.match(text)
    word = _WORDS.get(said.group(1).upper()) if said else None
    if said is None or word is None or (word == "safe" and _UNSAFE.search(text)):
        return None
    return SafetyVerdict(True, "") if word == "safe" else SafetyVerdict(False, _category(said.group(2) or ""))


def _category(text: str) -> str:
    """The first line after the word, as plain letters: it is shown, and a model wrote it."""
    line = text.split("\n")[0]
    return " ".join(re.sub(r"[^A-Za-z ]", " ", line).lower().split())[:_LONGEST_CATEGORY].strip()
