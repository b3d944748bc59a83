"""LangServe: `/rag` yields the events, `/rag-chat` plain text. Both only read the hub.

The graph itself is never served: LangServe's `stream_log` and `stream_events` would show suppressed drafts, prompts
and passages. Here the outermost runnable is all that LangServe's tracer can see, since runs begin in a clean context.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

from fastapi import APIRouter, Depends, Request
from langchain_core.callbacks import AsyncCallbackManagerForChainRun
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langserve import add_routes
from langserve.serialization import WellKnownLCSerializer
from pydantic import BaseModel, ConfigDict, Field

from callbacks.events import Error, FinalAnswer, RefinementUpdate, Token, as_dict, escape_line_breaks
from graph.hub import Hub, ThreadBusy
from graph.query import Query
from server.context import AppContext
from server.errors import BadRequest, RunFailed
from server.routes.query import finished_or_left, read_json

ENDPOINTS = (
    "invoke",
    "batch",
    "stream",
    "stream_log",
    "playground",
    "input_schema",
    "output_schema",
    "config_schema",
    "config_hashes",  # the playgrounds fetch their schemas there
)


_REQUEST = "groundswell_request"
"""Where LangServe's request is found in the configuration, to see its client leave."""


def _with_request(config: dict[str, Any], request: Request) -> dict[str, Any]:
    return {**config, "configurable": {**config.get("configurable", {}), _REQUEST: request}}


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Without the metadata that callers store: remote clients revive some shapes as objects of their own."""
    payload = value.get("payload", value)
    for source in [payload, *payload.get("sources", [])]:
        source.pop("metadata", None)
    return value


class _LineSerializer(WellKnownLCSerializer):
    """LangServe's own, with every event on one line for clients that split lines as Unicode does."""

    def dumps(self, obj: Any) -> bytes:
        return escape_line_breaks(super().dumps(obj))


class _HubRunnable(Runnable[Any, Any]):
    """A runnable whose stream and whose result both come from one run of the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        raise NotImplementedError("the hub lives in an event loop: use ainvoke")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        return await self._acall_with_config(self._finish, input, config)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        async def once() -> AsyncIterator[Any]:
            yield input

        async for chunk in self._atransform_stream_with_config(once(), self._stream, config):
            yield chunk

    async def _stream(self, inputs: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for given in inputs:
            async for chunk in self._chunks(self._query(given)):
                yield chunk

    async def _finish(self, given: Any, run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig) -> Any:
        run = self._hub.start(self._query(given))
        request: Request | None = config.get("configurable", {}).get(_REQUEST)
        if request is None:
            await self._hub.finished(run)
        else:
            await finished_or_left(request, self._hub, run)
        if run.final is None:
            raise RunFailed(run.error)
        return self._result(run.final)

    def check(self, given: Any) -> None:
        """Raises `ValidationError` or `Refusal` for an input that can start no run."""
        self._hub.check(self._query(given))

    def _query(self, given: Any) -> Query:
        raise NotImplementedError

    def _result(self, final: FinalAnswer) -> Any:
        raise NotImplementedError

    def _chunks(self, query: Query) -> AsyncIterator[Any]:
        raise NotImplementedError


class EventRunnable(_HubRunnable):
    """`/rag`: the body of `POST /query` in, envelopes out; `invoke` returns the `final_answer` payload."""

    def _query(self, given: Any) -> Query:
        return given if isinstance(given, Query) else Query.model_validate(given)

    def _result(self, final: FinalAnswer) -> dict[str, Any]:
        return _plain(as_dict(final))

    async def _chunks(self, query: Query) -> AsyncIterator[dict[str, Any]]:
        async for event in self._hub.ask(query):
            yield _plain(as_dict(event))


class ChatInput(BaseModel):
    """The messages of a chat; the last one from a person is the question."""

    model_config = ConfigDict(extra="forbid")

    messages: list[HumanMessage | AIMessage | SystemMessage] = Field(
        ..., json_schema_extra={"extra": {"widget": {"type": "chat", "input": "messages"}}}
    )


class ChatRunnable(_HubRunnable):
    """`/rag-chat`: messages in, text out. A correction comes as a paragraph of its own after the draft."""

    def _query(self, given: Any) -> Query:
        asked = [m for m in ChatInput.model_validate(given).messages if isinstance(m, HumanMessage)]
        return Query.model_validate({"query": asked[-1].text if asked else ""})

    def _result(self, final: FinalAnswer) -> str:
        return final.answer

    async def _chunks(self, query: Query) -> AsyncIterator[str]:
        said = False
        async for event in self._hub.ask(query):
            match event.payload:
                case Token():
                    said = True
                    yield event.payload.token
                case RefinementUpdate(action="patch" | "replace" | "retract"):
                    yield f"\n\n{event.payload.message}:\n\n{event.payload.refined_answer}"
                case FinalAnswer() if not said:
                    yield event.payload.answer
                case Error(fatal=True):
                    yield f"\n\n{event.payload.message}" if said else event.payload.message


def langserve_router(context: AppContext) -> APIRouter:
    """Both facades, without the endpoints that show more than events."""
    router = APIRouter()
    for runnable, path, given, result, playground in (
        (EventRunnable(context.hub), "/rag", Query, dict[str, Any], "default"),
        (ChatRunnable(context.hub), "/rag-chat", ChatInput, str, "chat"),
    ):
        add_routes(
            router,
            runnable.with_types(input_type=given, output_type=result),
            path=path,
            enabled_endpoints=cast(Sequence[Any], ENDPOINTS),
            playground_type=cast(Any, playground),
            serializer=_LineSerializer(),
            per_req_config_modifier=_with_request,
            dependencies=[Depends(_check_body(runnable, context))],
        )
    return router


def _check_body(runnable: _HubRunnable, context: AppContext) -> Callable[[Request], Any]:
    """Refuse before a stream begins what LangServe would not: odd bytes, bad questions, too many inputs."""
    most = context.settings.max_batch

    async def check(request: Request) -> None:
        if request.method != "POST":
            return
        body = await read_json(request)
        inputs = body.get("inputs") if isinstance(body, dict) else None
        if isinstance(inputs, list) and len(inputs) > most:
            raise BadRequest(422, "invalid", f"inputs: at most {most} at once", field="inputs")
        asked = inputs if isinstance(inputs, list) else [body.get("input")] if isinstance(body, dict) else []
        for given in asked:
            if isinstance(given, dict):
                runnable.check(given)
        threads = [given["thread_id"] for given in asked if isinstance(given, dict) and given.get("thread_id")]
        if len(set(threads)) < len(threads):
            raise ThreadBusy("A conversation goes on one question at a time, also in a batch.", field="thread_id")

    return check
