"""Chat models that think in blocks: what LangChain's own packages hand over for providers that are not scripted."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from tests.support.scripted import row_of

Shape = Callable[[str], dict[str, Any]]
"""What a chunk with a piece of a thought has in it: `content`, `additional_kwargs`."""


class PonderingModel(BaseChatModel):
    """Thinks in pieces of some shape, then answers word by word; `{row}` is the row that holds `words`."""

    shape: Any
    thoughts: Sequence[str]
    answer: str
    words: str = "Greta Holm"
    blocks: bool = False
    """Whether the answer, too, comes in blocks."""
    pace: Any = None
    """Awaited before each piece of a thought."""

    @property
    def _llm_type(self) -> str:
        return "pondering"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        made = self.shape("".join(self.thoughts))
        if isinstance(made.get("content", ""), list):
            made["content"] = [*made["content"], {"type": "text", "text": self._answer(messages)}]
        else:
            made["content"] = self._answer(messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(**made))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for thought in self.thoughts:
            if self.pace is not None:
                await self.pace()
            yield ChatGenerationChunk(message=AIMessageChunk(**{"content": "", **self.shape(thought)}))
        for at, word in enumerate(self._answer(messages).split(" ")):
            text = word if at == 0 else f" {word}"
            content: Any = [{"type": "text", "text": text, "index": 1}] if self.blocks else text
            yield ChatGenerationChunk(message=AIMessageChunk(content=content))
        done = AIMessageChunk(content="", response_metadata={"finish_reason": "stop"}, chunk_position="last")
        yield ChatGenerationChunk(message=done)

    def _answer(self, messages: Sequence[BaseMessage]) -> str:
        prompt = {"messages": [{"content": message.text} for message in messages]}
        return self.answer.replace("{row}", row_of(prompt, self.words))
