"""Async callback handlers: each turns one kind of LangChain notification into events.

All of them run inline, so events keep the order of what happened, and raise: LangChain would swallow a refused event.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, GenerationChunk, LLMResult

from callbacks.answer import AnswerStream
from callbacks.events import Payload, StatusUpdate
from callbacks.metrics import Meter
from callbacks.sources import SourceBook
from callbacks.thinking import Occasion, ThinkingStream, Thoughts
from language.boundary import key_of
from language.thoughts import Piece, Reader, ends_a_block, whole

ANSWER_TAG = "answer"
"""Only model calls with this tag are heard: every other draft, judgement or rewrite stays inside."""
THINKING_TAG = "thinking"
"""Of calls with this tag only the thoughts are heard; their metadata may name a `step` and a `branch`."""
SOURCES_EVENT = "sources"
"""The custom event by which a node announces passages it held back or found another way."""

Publish = Callable[[Payload], None]
_CUT_SHORT = frozenset({"length", "max_tokens", "content_filter", "refusal", "safety"})


class InlineHandler(AsyncCallbackHandler):
    """Runs at once, in order, and is not swallowed when it raises."""

    run_inline = True
    raise_error = True


@dataclass(slots=True)
class _Call:
    """A call under way that is heard."""

    thoughts: Thoughts
    reader: Reader
    model: str
    streamed: bool = False

    def hear(self, pieces: Iterable[Piece]) -> None:
        """Its thoughts, where nothing else of it matters."""
        for piece in pieces:
            if piece.kind is not None:
                self.thoughts.feed(piece.text, piece.kind)


class SourceHandler(InlineHandler):
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
            self.announce(data["documents"], data["wave"], data.get("branch"))

    def announce(self, documents: Sequence[Document], wave: int, branch: str | None = None) -> None:
        """Show passages, each once."""
        for source in self._book.announce(documents, wave, branch):
            self._publish(source)


class AnswerHandler(InlineHandler):
    """Token callbacks of calls tagged `answer` to tokens, citations and verdicts, by way of the `AnswerStream`.

    The call's metadata holds `rows`: the source ids of its context, row 1 first. Before `opened` is set nothing is
    said: the model waits, and with it the connection to its provider. Its thoughts are handed to `thinking`.
    """

    def __init__(
        self,
        stream: AnswerStream,
        publish: Publish,
        meter: Meter,
        opened: asyncio.Event,
        thinking: ThinkingStream | None = None,
    ) -> None:
        self._opened = opened
        self._stream = stream
        self._publish = publish
        self._meter = meter
        self._thinking = thinking or ThinkingStream(publish, opened, wanted=False)
        self._calls: dict[UUID, _Call] = {}

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
            told = metadata or {}
            key = _key_of(messages)
            passages = partial(self._stream.passages_of, told["rows"])
            self._calls[run_id] = _Call(
                self._thinking.begin(_occasion(told), passages=passages, key=key),
                Reader(inside=self._thinking.manners.begins_inside(_model(told))),
                _model(told),
            )
            self._stream.headings = told.get("headings", ())
            self._stream.begin(told["rows"], key)

    async def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        call = self._calls.get(run_id)
        if call is None:
            return
        extra = _extra_of(chunk)
        if not extra and not call.thoughts.going and call.reader.passes(token):
            self._publish_all(self._stream.feed(cast(str, token)))
            return
        for piece in call.reader.feed(token, extra):
            if piece.kind is not None:
                call.thoughts.feed(piece.text, piece.kind)
            else:
                await self._say(piece.text, call)

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        call = self._calls.get(run_id)
        if call is not None:
            if not self._opened.is_set():
                await self._opened.wait()
            del self._calls[run_id]
            self._stream.truncated = _cut_short(response)
            for piece in call.reader.flush(cut=self._stream.truncated):
                if piece.kind is None:
                    await self._say(piece.text, call)
                else:
                    call.thoughts.feed(piece.text, piece.kind)
            call.thoughts.end()
            if call.reader.mistaken:
                self._thinking.manners.learn(call.model, inside=False)
            self._publish_all(self._stream.finish(cut=self._stream.truncated))

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        call = self._calls.pop(run_id, None)
        if call is not None:
            call.thoughts.drop()
            self._stream.truncated = bool(self._stream.text)
            if self._stream.text and isinstance(error, Exception):  # a cancelled run says no more
                self._publish_all(self._stream.finish(cut=True))

    async def _say(self, text: str, call: "_Call") -> None:
        if not self._opened.is_set():
            await self._opened.wait()
        call.thoughts.pause()
        self._publish_all(self._stream.feed(text))

    def _publish_all(self, payloads: Any) -> None:
        for payload in payloads:
            silent = self._meter.first_token is None
            self._publish(payload)
            if silent and self._meter.first_token is not None:
                first = self._meter.first_token
                self._publish(StatusUpdate(stage="drafting", message="Answering", time_to_first_token_ms=first))


class ThinkingHandler(InlineHandler):
    """The thoughts of calls tagged `thinking`, and what every complete message tells of its model's manners."""

    def __init__(self, thinking: ThinkingStream) -> None:
        self._thinking = thinking
        self._models: dict[UUID, str] = {}
        self._calls: dict[UUID, _Call] = {}

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
        told = metadata or {}
        model = self._models[run_id] = _model(told)
        if THINKING_TAG in (tags or ()):
            inside = self._thinking.manners.begins_inside(model)
            thoughts = self._thinking.begin(_occasion(told), key=_key_of(messages))
            self._calls[run_id] = _Call(thoughts, Reader(inside=inside), model)

    async def on_llm_new_token(
        self,
        token: str | list[str | dict[str, Any]],
        *,
        chunk: GenerationChunk | ChatGenerationChunk | None = None,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        call = self._calls.get(run_id)
        if call is not None:
            call.streamed = True
            call.hear(call.reader.feed(token, _extra_of(chunk)))

    async def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        model = self._models.pop(run_id, "")
        call = self._calls.pop(run_id, None)
        message = getattr(response.generations[0][0], "message", None)
        if message is None:
            return
        if ends_a_block(message.text):
            self._thinking.manners.learn(model, inside=True)
        if call is not None:
            read = call.reader.flush if call.streamed else partial(whole, message.content, message.additional_kwargs)
            call.hear(read())
            call.thoughts.end()

    async def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._models.pop(run_id, None)
        call = self._calls.pop(run_id, None)
        if call is not None:
            call.thoughts.drop()


class ReportHandler(InlineHandler):
    """Custom events whose data is a payload are published as they are: how nodes report."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        if isinstance(data, Payload):
            self._publish(data)


class StageHandler(InlineHandler):
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


def _extra_of(chunk: GenerationChunk | ChatGenerationChunk | None) -> dict[str, Any] | None:
    """Where adapters put thoughts that are no part of the content."""
    return chunk.message.additional_kwargs if isinstance(chunk, ChatGenerationChunk) else None


def _model(metadata: Mapping[str, Any]) -> str:
    """What tells models apart."""
    return f"{metadata.get('ls_provider')}:{metadata.get('ls_model_name')}"


def _occasion(metadata: Mapping[str, Any]) -> Occasion:
    return Occasion(step=metadata.get("step"), branch=metadata.get("branch"))


def _cut_short(response: LLMResult) -> bool:
    """Whether the model stopped before it was done; a stream without any reason to stop was cut."""
    message = getattr(response.generations[0][0], "message", None)
    known: dict[str, Any] = getattr(message, "response_metadata", {})
    reasons = [str(value).lower() for key, value in known.items() if key.lower().endswith("reason") and value]
    return not reasons or any(reason in _CUT_SHORT for reason in reasons)
