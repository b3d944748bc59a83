"""The last step of a chain that writes text."""

from collections.abc import AsyncIterator, Iterator
from typing import cast

from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import Generation

from language.thoughts import Piece, Reader, said


class TextParser(StrOutputParser):
    """The text of a message, without the model's thoughts and without its other content blocks.

    A stream yields an empty text for each chunk that holds thoughts alone: a sign of life, and nothing to read.
    LangChain's own parser hands every token of an asynchronous stream to a thread and back, which costs more than the
    rest of the chain together.
    """

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> str:
        message = getattr(result[0], "message", None)
        return said(result[0].text) if message is None else said(message.content, message.additional_kwargs)

    async def aparse_result(self, result: list[Generation], *, partial: bool = False) -> str:
        return self.parse_result(result, partial=partial)

    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[str]:
        reader = Reader()
        for chunk in input:
            yield from _texts(_read(reader, chunk))
        yield from _texts(reader.flush())

    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[str]:
        async for text in self.read(input):
            yield text

    async def read(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[str]:
        """The texts of the chunks of a stream."""
        reader = Reader()
        async for chunk in input:
            if isinstance(chunk, BaseMessage) and not chunk.additional_kwargs and reader.passes(chunk.content):
                yield cast(str, chunk.content)
                continue
            for text in _texts(_read(reader, chunk)):
                yield text
        for text in _texts(reader.flush()):
            yield text


def _read(reader: Reader, chunk: str | BaseMessage) -> tuple[Piece, ...]:
    return reader.feed(chunk) if isinstance(chunk, str) else reader.feed(chunk.content, chunk.additional_kwargs)


def _texts(pieces: tuple[Piece, ...]) -> tuple[str, ...]:
    """What some pieces say, as one text; nothing only where there are none."""
    if not pieces:
        return ()
    return ("".join(piece.text for piece in pieces if piece.kind is None),)
