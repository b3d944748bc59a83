"""The last step of a chain that writes text."""

from collections.abc import AsyncIterator

from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser


class TextParser(StrOutputParser):
    """The text of a message, without its other content blocks.

    LangChain's own parser hands every token of an asynchronous stream to a thread and back, which costs more than the
    rest of the chain together.
    """

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[str]:
        async for chunk in input:
            yield chunk if isinstance(chunk, str) else str(chunk.text)
