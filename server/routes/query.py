"""`POST` and `GET /query`: start a run and follow it."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from callbacks.events import as_dict
from graph.hub import Hub
from graph.query import Query
from graph.run import Run
from server.context import AppContext
from server.errors import BadRequest, failed
from server.protocols import sse
from server.routes.dependencies import Context, require_json, resume_point
from server.streaming import follow

router = APIRouter(tags=["questions"])

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
_STREAM_DOCS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as server-sent events, or the final answer as JSON.", "content": {sse.MEDIA_TYPE: {}}}
}
_BODY_DOCS = {"requestBody": {"required": True, "content": {"application/json": {"schema": Query.model_json_schema()}}}}


@router.post("/query", responses=_STREAM_DOCS, openapi_extra=_BODY_DOCS)
async def post_query(request: Request, context: Context, idempotency_key: IdempotencyKey = None) -> Response:
    """Ask a question; the answer streams while it is found, written and checked."""
    require_json(request)
    query = Query.model_validate(await read_json(request))
    run = context.hub.start(query, idempotency_key=idempotency_key)
    if not query.stream:
        return await final_answer(request, context, run)
    return follow_run(request, context, run, after=0, numbered=False)


@router.get(
    "/query",
    responses=_STREAM_DOCS,
    openapi_extra={
        "parameters": [
            {"name": "query", "in": "query", "required": True, "schema": {"type": "string"}},
        ]
    },
)
async def get_query(request: Request, context: Context) -> Response:
    """The same for a browser's EventSource; a reconnect with `Last-Event-ID` resumes and never starts another run."""
    point = resume_point(request)
    if point is not None:
        return follow_run(request, context, context.hub.get(point[0]), after=point[1], numbered=True)
    query = _from_parameters(request)
    run = context.hub.start(query)
    if not query.stream:
        return await final_answer(request, context, run)
    return follow_run(request, context, run, after=0, numbered=True)


def follow_run(request: Request, context: AppContext, run: Run, *, after: int, numbered: bool) -> Response:
    """The events of a run after `after`; while they are read, the run is wanted."""
    batches = context.hub.follow(run, after, idle=context.settings.heartbeat_seconds)
    return follow(request, run.log, batches, after=after, numbered=numbered, outcome=lambda: run.outcome)


async def read_json(request: Request) -> Any:
    """The body as JSON. Raises `BadRequest`."""
    return parse_json(await request.body())


def parse_json(data: bytes) -> Any:
    """Bytes as JSON. Raises `BadRequest`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadRequest(400, "invalid_json", "The body is not valid JSON.", field="body") from None


def _from_parameters(request: Request) -> Query:
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise BadRequest(422, "invalid", f"{name}: is given twice", field=name)
        values[name] = value
    for name in {"filters", "budget"} & set(values):
        try:
            values[name] = orjson.loads(values[name])
        except orjson.JSONDecodeError:
            raise BadRequest(422, "invalid", f"{name}: is not valid JSON", field=name) from None
    if str(values.get("top_k", "")).isdecimal():
        values["top_k"] = int(values["top_k"][:6])
    return Query.model_validate(values)


async def final_answer(request: Request, context: AppContext, run: Run) -> Response:
    """Wait for the end and answer with it."""
    await finished_or_left(request, context.hub, run)
    headers = {"X-Request-ID": run.request_id}
    if run.final is not None:
        sections = {} if run.work.answers else {"sections": run.sections}
        return JSONResponse({**as_dict(run.final), **sections, "request_id": run.request_id}, headers=headers)
    error = run.error
    code, message = ("cancelled", "The client left.") if error is None else (error.code, error.message)
    response = failed(code, message, request_id=run.request_id, retryable=error is None or error.retryable)
    response.headers.update(headers)
    return response


async def finished_or_left(request: Request, hub: Hub, run: Run) -> None:
    """Wait for the end of a run, or until the client is gone and is a reader who left."""
    waiting = asyncio.ensure_future(hub.finished(run))
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiting, leaving):
            task.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
