"""A model as a runnable of texts, whose streams are closed by whoever opened them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from chains.parsing import TextParser

_Closable = AsyncGenerator[Any]
"""What LangChain types as an iterator is a generator."""


class TextOf(Runnable[Sequence[BaseMessage], str]):
    """The messages of a prompt in, what a model says out, without its thoughts.

    LangChain's sequences leave the closing of inner streams to the garbage collector where a stream is left between two
    chunks, and with it the connection to the provider.
    """

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model
        self._parser = TextParser()

    def invoke(self, input: Sequence[BaseMessage], config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return self._parser.invoke(self._model.invoke(list(input), config))

    async def ainvoke(self, input: Sequence[BaseMessage], config: RunnableConfig | None = None, **kwargs: Any) -> str:
        return await self._parser.ainvoke(await self._model.ainvoke(list(input), config))

    async def astream(
        self, input: Sequence[BaseMessage], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncGenerator[str]:
        async with (
            aclosing(cast(_Closable, self._model.astream(list(input), config))) as chunks,
            aclosing(cast(_Closable, self._parser.read(chunks))) as texts,
        ):
            async for text in texts:
                yield text
