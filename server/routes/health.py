"""`/health`, `/ready`, `/metrics` and the schema of the events."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from callbacks.events import json_schema
from server.errors import problem
from server.metrics import MEDIA_TYPE, Metrics
from server.routes.dependencies import Context

router = APIRouter(tags=["server"])


@router.get("/health")
async def health(request: Request, context: Context) -> dict[str, Any]:
    """The process is alive: what it holds, which models it uses, and how its last runs stand against their targets."""
    counted: Metrics = request.app.state.metrics
    return {
        "status": "ok",
        "collections": context.library.sizes(),
        "models": {"chat": context.hub.collaborators.chat_model, "embeddings": context.library.dense_name},
        "runs": len(context.hub.active()),
        "targets": {name: standing.as_dict() for name, standing in counted.last.standings().items()},
    }


@router.get("/ready")
async def ready(context: Context) -> Response:
    """200 while the server takes questions; what an operator should know, such as an index that had to be rebuilt."""
    if context.hub.draining:
        return problem(503, "shutting_down", "The server is shutting down.")
    return JSONResponse({"status": "ready", "notes": [*context.library.notes, *await context.hub.threads.notes()]})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Figures of all runs since the start, in Prometheus' exposition format."""
    counted: Metrics = request.app.state.metrics
    return Response(counted.exposition(), media_type=MEDIA_TYPE)


@router.get("/schema/stream-event.json")
async def stream_event_schema() -> dict[str, Any]:
    """JSON Schema of the event union."""
    return json_schema()
