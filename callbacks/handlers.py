"""Async callback handlers: each turns one kind of LangChain notification into events.

All of them run inline, so events keep the order of what happened, and raise: LangChain would swallow a refused event.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk, LLMResult

from callbacks.answer import AnswerStream
from callbacks.events import Payload, StatusUpdate
from callbacks.metrics import Meter
from callbacks.sources import SourceBook
from language.boundary import key_of

ANSWER_TAG = "answer"
"""Only model calls with this tag are heard: every other draft, judgement or rewrite stays inside."""
SOURCES_EVENT = "sources"
"""The custom event by which a node announces passages it held back or found another way."""

Publish = Callable[[Payload], None]
_CUT_SHORT = frozenset({"length", "max_tokens", "content_filter", "refusal", "safety"})


class _Handler(AsyncCallbackHandler):
    run_inline = True
    raise_error = True


class SourceHandler(_Handler):
    """Retriever callbacks to `source` events, for retrievals whose metadata names a `wave`.

    `announce` in the metadata bounds how many are shown; the graph may look at more of them.
    """

    def __init__(self, book: SourceBook, publish: Publish, meter: Meter) -> None:
        self._book = book
        self._publish = publish
        self._meter = meter
        self._announced: dict[UUID, tuple[int, int | None]] = {}
        self._began: dict[UUID, float] = {}

    async def on_retriever_start(
        self,
        serialized: dict[str, Any],
        query: str,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._began[run_id] = monotonic()
        if metadata and "wave" in metadata:
            self._announced[run_id] = (metadata["wave"], metadata.get("announce"))

    async def on_retriever_end(self, documents: Sequence[Document], *, run_id: UUID, **kwargs: Any) -> None:
        self._meter.searched(round((monotonic() - self._began.pop(run_id)) * 1000))
        if run_id in self._announced:
            wave, most = self._announced.pop(run_id)
            self.announce(documents[:most], wave)

    async def on_retriever_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._began.pop(run_id, None)
        self._announced.pop(run_id, None)

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        if name == SOURCES_EVENT:
            self.announce(data["documents"], data["wave"])

    def announce(self, documents: Sequence[Document], wave: int) -> None:
        """Show passages, each once."""
        for source in self._book.announce(documents, wave):
            self._publish(source)


class AnswerHandler(_Handler):
    """Token callbacks of calls tagged `answer` to tokens, citations and verdicts, by way of the `AnswerStream`.

    The call's metadata holds `rows`: the source ids of its context, row 1 first. Before `opened` is set nothing is
    heard: the model waits, and with it the connection to its provider.
    """

    def __init__(self, stream: AnswerStream, publish: Publish, meter: Meter, opened: asyncio.Event) -> None:
        self._opened = opened
        self._stream = stream
        self._publish = publish
        self._meter = meter
        self._calls: set[UUID] = set()

    async def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._meter.model_calls += 1
        if ANSWER_TAG in (tags or ()):
            self._calls.add(run_id)
            self._stream.begin((metadata or {})["rows"], _key_of(messages))

    async def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        if run_id in self._calls and token:
            if not self._opened.is_set():
                await self._opened.wait()
            self._publish_all(self._stream.feed(token if isinstance(token, str) else _text_of(token)))

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._calls:
            if not self._opened.is_set():
                await self._opened.wait()
            self._calls.discard(run_id)
            self._stream.truncated = _cut_short(response)
            self._publish_all(self._stream.finish(cut=self._stream.truncated))

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._calls:
            self._calls.discard(run_id)
            self._stream.truncated = bool(self._stream.text)
            if self._stream.text and isinstance(error, Exception):  # a cancelled run says no more
                self._publish_all(self._stream.finish(cut=True))

    def _publish_all(self, payloads: Any) -> None:
        for payload in payloads:
            silent = self._meter.first_token is None
            self._publish(payload)
            if silent and self._meter.first_token is not None:
                first = self._meter.first_token
                self._publish(StatusUpdate(stage="drafting", message="Answering", time_to_first_token_ms=first))


class ReportHandler(_Handler):
    """Custom events whose data is a payload are published as they are: how nodes report."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        if isinstance(data, Payload):
            self._publish(data)


class StageHandler(_Handler):
    """How long each node of the graph took."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._began: dict[UUID, tuple[str, float]] = {}

    async def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        node = (metadata or {}).get("langgraph_node")
        if node is not None and kwargs.get("name") == node:
            self._began[run_id] = (node, monotonic())

    async def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        if run_id in self._began:
            node, began = self._began.pop(run_id)
            self._meter.stage(node, round((monotonic() - began) * 1000))


def _key_of(batches: Sequence[Sequence[BaseMessage]]) -> str | None:
    """The key of the marks in a prompt, if it has any."""
    return next((key for messages in batches for message in messages if (key := key_of(message.text))), None)


def _text_of(blocks: Sequence[str | dict[str, Any]]) -> str:
    """The text among content blocks; reasoning and tool calls are not an answer."""
    parts = (block if isinstance(block, str) else block.get("text", "") for block in blocks)
    return "".join(part for part in parts if isinstance(part, str))


def _cut_short(response: LLMResult) -> bool:
    """Whether the model stopped before it was done; a stream without any reason to stop was cut."""
    message = getattr(response.generations[0][0], "message", None)
    known: dict[str, Any] = getattr(message, "response_metadata", {})
    reasons = [str(value).lower() for key, value in known.items() if key.lower().endswith("reason") and value]
    return not reasons or any(reason in _CUT_SHORT for reason in reasons)
