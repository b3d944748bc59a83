"""The answer chain: a draft from numbered evidence, with a citation for each sentence."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from chains.embedded import SCORES_KEY
from chains.followup import Exchange
from chains.history import said_before
from chains.parsing import TextParser
from chains.prompts import ANSWER, ANSWER_IN_CONVERSATION, fitting, material, rows
from language.boundary import fresh_key


class AnswerInput(TypedDict):
    """A question and the passages to answer it from; their metadata keys are the retriever's."""

    question: str
    passages: Sequence[Document]
    messages: NotRequired[Sequence[BaseMessage]]
    """The prompt, where it is assembled already."""


def answer_chain(model: BaseChatModel, *, context_tokens: int = 6000) -> Runnable[AnswerInput, str]:
    """`AnswerInput` in, the answer out, with `[2.3]` for sentence 3 of passage 2: prompt, model, parser."""

    def prompt(given: AnswerInput) -> ChatPromptValue:
        assembled = given.get("messages")
        if assembled is None:
            assembled = answer_messages(given["question"], fitting(given["passages"], context_tokens))
        return ChatPromptValue(messages=assembled)

    return (RunnableLambda(prompt, name="answer_prompt") | model | TextParser()).with_config(run_name="answer_chain")


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
            question=question if wording in (None, question) else f"{wording} ({question})",
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
