"""The answer chain: a draft from numbered evidence, with a citation for each sentence."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NotRequired, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig

from chains.embedded import SCORES_KEY
from chains.followup import Exchange
from chains.history import said_before
from chains.prompts import ANSWER, ANSWER_IN_CONVERSATION, fitting, material, rows
from chains.text import TextOf
from language.boundary import fresh_key


class AnswerInput(TypedDict):
    """A question and the passages to answer it from; their metadata keys are the retriever's."""

    question: str
    passages: Sequence[Document]
    messages: NotRequired[Sequence[BaseMessage]]
    """The prompt, where it is assembled already."""


def answer_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[AnswerInput, str]:
    """`AnswerInput` in, the answer out, with `[2.3]` for sentence 3 of passage 2: prompt, model, parser."""
    return _Answering(model, context_tokens)


class _Answering(Runnable[AnswerInput, str]):
    """Prompt, model and parser."""

    def __init__(self, model: BaseChatModel, context_tokens: int) -> None:
        self._text = TextOf(model)
        self._context_tokens = context_tokens

    def invoke(self, input: AnswerInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return self._text.invoke(self._messages(input), config)

    async def ainvoke(self, input: AnswerInput, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return await self._text.ainvoke(self._messages(input), config)

    def astream(self, input: AnswerInput, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[str]:
        return self._text.astream(self._messages(input), config)

    def _messages(self, given: AnswerInput) -> list[BaseMessage]:
        assembled = given.get("messages")
        if assembled is None:
            assembled = answer_messages(given["question"], fitting(given["passages"], self._context_tokens))
        return list(assembled)


def _holds(question: str, wording: str) -> bool:
    """Whether a question that stands alone is the words that were typed, with something behind them."""
    return question.startswith(wording.rstrip("?!. "))


def answer_messages(
    question: str, passages: Sequence[Document], history: Sequence[Exchange] = (), wording: str | None = None
) -> list[BaseMessage]:
    """The messages of the answer prompt; in a conversation with its last turns, and the question as it was written.

    The last one carries the retriever's score of each row as `row_scores`, which the embedded model reads and
    providers never see.
    """
    evidence, key = rows(passages), fresh_key()
    if history:
        messages = ANSWER_IN_CONVERSATION.format_messages(
            history=material(said_before(history), key),
            evidence=material(evidence, key),
            question=question if wording is None or _holds(question, wording) else f"{wording} ({question})",
        )
    else:
        messages = ANSWER.format_messages(evidence=material(evidence, key), question=question)
    scores = {
        f"{number}.{at}": score
        for number, passage in enumerate(passages, start=1)
        for at, score in enumerate(passage.metadata.get("sentence_scores", ()), start=1)
    }
    last = messages[-1]
    return [*messages[:-1], HumanMessage(last.content, additional_kwargs={SCORES_KEY: scores})]
