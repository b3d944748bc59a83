"""Chat and embedding models by `provider:model`."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import httpx
from langchain.chat_models import init_chat_model
from langchain.embeddings import init_embeddings
from langchain_core.cross_encoders import BaseCrossEncoder
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from chains.embedded import ExtractiveChatModel

EMBEDDED = "embedded"
CHAT = "chat"
"""In the place of a model's name: the chat model does this as well."""
_PACKAGES = {
    "openai": ("langchain_openai", None),
    "azure_openai": ("langchain_openai", "azure"),
    "anthropic": ("langchain_anthropic", "anthropic"),
    "groq": ("langchain_groq", "groq"),
    "ollama": ("langchain_ollama", "ollama"),
}


class ModelUnavailable(ValueError):
    """A model that cannot be made from what was configured; the message says how to mend it."""


def chat_model(
    name: str, *, temperature: float, max_tokens: int, timeout: float, max_sentences: int = 4
) -> BaseChatModel:
    """`embedded`, or any chat model LangChain knows as `provider:model`. Raises `ModelUnavailable`.

    Providers' own retries are off, because one call would silently become three: the graph retries, and only
    before the first token.
    """
    if name == EMBEDDED:
        return ExtractiveChatModel(max_sentences=max_sentences)
    options: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "timeout": timeout}
    provider = _provider(name)
    if provider != "ollama":
        options["max_retries"] = 0
    if provider in ("openai", "azure_openai"):
        # a float would make all models of the process share one client, and with it one event loop
        options["timeout"] = httpx.Timeout(timeout)
        options["stream_chunk_timeout"] = 0  # its wait_for per chunk is slow and can swallow a cancellation
    try:
        model = _made(provider, name, options)
    except Exception as error:  # each provider has its own exceptions for a missing key
        raise ModelUnavailable(f"{name}: {_first_sentence(error)}") from error
    return model


def _made(provider: str, name: str, options: dict[str, Any]) -> BaseChatModel:
    """The model of LangChain's package for a provider, or ours on top of it where that leaves thoughts out."""
    if provider in ("openai", "azure_openai"):
        from chains.compatible import AzureOpenAIModel, OpenAIModel

        kind = AzureOpenAIModel if provider == "azure_openai" else OpenAIModel
        return kind(model=name.partition(":")[2], **options)
    model: BaseChatModel = init_chat_model(name, **options)
    return model


def embedding_model(name: str) -> Embeddings:
    """Any embedding model LangChain knows as `provider:model`. Raises `ModelUnavailable`."""
    options: dict[str, Any] = {}
    if _provider(name) in ("openai", "azure_openai"):
        options["check_embedding_ctx_length"] = False  # would download a tokenizer; passages are short
    try:
        return init_embeddings(name, **options)
    except Exception as error:  # each provider has its own exceptions for a missing key
        raise ModelUnavailable(f"{name}: {_first_sentence(error)}") from error


def cross_encoder(name: str) -> BaseCrossEncoder:
    """A LangChain cross-encoder: `huggingface:model`, or `module:function` of your own. Raises `ModelUnavailable`."""
    module, colon, rest = name.partition(":")
    try:
        if not colon:
            raise ModelUnavailable(f"{name}: write huggingface:model, or module:function of your own")
        if module == "huggingface":
            from langchain_community.cross_encoders import HuggingFaceCrossEncoder

            return HuggingFaceCrossEncoder(model_name=rest)
        made: BaseCrossEncoder = getattr(import_module(module), rest)()
    except ModelUnavailable:
        raise
    except Exception as error:  # a missing package, a missing model, a function that fails
        raise ModelUnavailable(f"{name}: {_first_sentence(error)}") from error
    return made


async def close_model(model: BaseChatModel) -> None:
    """Close the connections a model keeps open, in the event loop that used it."""
    for name in ("root_async_client", "_async_client"):
        client = vars(model).get(name)
        if client is not None:
            await client.close()


def _provider(name: str) -> str:
    provider, colon, _ = name.partition(":")
    if not colon:
        raise ModelUnavailable(f"{name}: write provider:model, for example openai:gpt-4o-mini, or {EMBEDDED}")
    package, extra = _PACKAGES.get(provider, (None, None))
    if package is not None and find_spec(package) is None:
        raise ModelUnavailable(
            f"{name}: its package is missing; make serve EXTRAS={extra}, or pip install 'groundswell[{extra}]'"
        )
    return provider


def _first_sentence(error: Exception) -> str:
    return str(error).split("\n")[0][:200]
