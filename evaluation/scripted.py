"""A chat model that writes a draft it was given, with the numbers of the rows the draft cites."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from chains.prompts import readable
from evaluation.corrections import Sentence

_ROW = re.compile(r"^\[(\d+\.\d+)\] (.+)$", re.MULTILINE)
_CLOSING = re.compile(r"([.!?…]+[\"”’')\]]*)$")


class ScriptedModel(BaseChatModel):
    """Whatever the question, it writes its draft; what it cites and was not given, it leaves without a number."""

    draft: tuple[Sentence, ...]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("".join(self._pieces(messages))))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self._pieces(messages):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        finish = {"finish_reason": "stop", "model_name": "scripted"}
        yield ChatGenerationChunk(
            message=AIMessageChunk(content="", response_metadata=finish, chunk_position="last"),
        )

    def _pieces(self, messages: Sequence[BaseMessage]) -> Iterator[str]:
        rows = _ROW.findall("\n".join(str(message.text) for message in messages))
        for at, sentence in enumerate(self.draft):
            body, closing = (*_CLOSING.split(sentence.text, maxsplit=1), "")[:2]
            row = _row_of(sentence.cites, rows)
            yield f"{' ' if at else ''}{body}{f' [{row}]' if row else ''}{closing}"


def _row_of(cited: str | None, rows: Sequence[tuple[str, str]]) -> str | None:
    """The first row that holds the sentence, or a part of it that was taken for a sentence."""
    if cited is None:
        return None
    wanted = readable(cited)
    held = (number for number, text in rows if wanted in text or (len(text.split()) > 2 and text in wanted))
    return next(held, None)
