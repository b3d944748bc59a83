"""OpenAI's chat models, also of compatible servers that tell their thoughts beside the text.

DeepSeek, vLLM, SGLang and Qwen's server write `reasoning_content`, OpenRouter and newer servers `reasoning`; neither is
in OpenAI's own protocol, so langchain-openai leaves them out. Here they stay in `additional_kwargs`.
"""

from collections.abc import Mapping
from typing import Any

import openai
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI

_KEYS = ("reasoning_content", "reasoning")


class _Telling(BaseChatOpenAI):
    """Keeps what a message says of thoughts; all else is langchain-openai's."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices")
        if made is not None and choices and (delta := choices[0].get("delta")):
            made.message.additional_kwargs.update(_thoughts(delta))
        return made

    def _create_chat_result(
        self, response: dict[str, Any] | openai.BaseModel, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        told = response if isinstance(response, dict) else response.model_dump(warnings=False)
        for generation, choice in zip(result.generations, told["choices"], strict=True):
            generation.message.additional_kwargs.update(_thoughts(choice["message"]))
        return result


class OpenAIModel(_Telling, ChatOpenAI):
    """`openai:...`"""


class AzureOpenAIModel(_Telling, AzureChatOpenAI):
    """`azure_openai:...`"""


def _thoughts(message: Mapping[str, Any]) -> dict[str, str]:
    """The first of the keys that says something: some servers fill both with the same text."""
    found = next((message[key] for key in _KEYS if message.get(key)), None)
    return {"reasoning_content": found} if isinstance(found, str) else {}
