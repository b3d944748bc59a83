"""`POST /documents/{id}/summary`: a long document, section by section."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi import Query as Parameter

from graph.hub import UnknownDocument
from graph.summaries import SummaryRequest
from retrieval.library import DEFAULT_COLLECTION
from server.context import AppContext
from server.errors import BadRequest
from server.protocols import sse
from server.routes.dependencies import Context, known_collection, require_json
from server.routes.documents import Within, get_document
from server.routes.query import IdempotencyKey, final_answer, follow_run, parse_json
from server.uploads import CollectionName

router = APIRouter(tags=["documents"])

_STREAM_DOCS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events as server-sent events, or the summary as JSON.", "content": {sse.MEDIA_TYPE: {}}}
}
_BODY_DOCS = {
    "requestBody": {"required": False, "content": {"application/json": {"schema": SummaryRequest.model_json_schema()}}}
}


@router.post("/documents/{document_id:path}/summary", responses=_STREAM_DOCS, openapi_extra=_BODY_DOCS)
async def post_summary(
    request: Request,
    document_id: str,
    context: Context,
    collection: Annotated[CollectionName | None, Parameter(description="Where several have such a document.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Summarise a document: its sections in order as they are done, then the abstract of the whole."""
    wanted = await _wanted(request, collection)
    if wanted.collection is not None:
        known_collection(context, wanted.collection)
    try:
        run = await context.hub.summarise(document_id, wanted, idempotency_key=idempotency_key)
    except UnknownDocument:
        _refuse_unfinished(context, document_id, wanted.collection)
        raise
    if not wanted.stream:
        return await final_answer(request, context, run)
    return follow_run(request, context, run, after=0, numbered=False)


@router.get("/documents/{document_id:path}/summary", include_in_schema=False)
def get_summary(document_id: str, context: Context, collection: Within = DEFAULT_COLLECTION) -> Any:
    """A summary is made, not kept: only a document whose id ends like the route is there to be got."""
    try:
        return get_document(f"{document_id}/summary", context, collection)
    except BadRequest as error:
        if error.code != "unknown_document":
            raise
        raise HTTPException(405, "A summary is asked for with POST.", {"Allow": "POST"}) from None


async def _wanted(request: Request, collection: str | None) -> SummaryRequest:
    """The body, which may be empty, with the collection that the address names. Raises `BadRequest`."""
    body = await request.body()
    if body:
        require_json(request)
    wanted = SummaryRequest.model_validate(parse_json(body) if body else {})
    if collection is None:
        return wanted
    if wanted.collection not in (None, collection):
        raise BadRequest(422, "invalid", "collection: is named twice, and not the same", field="collection")
    return wanted.model_copy(update={"collection": collection})


def _refuse_unfinished(context: AppContext, document_id: str, collection: str | None) -> None:
    """Say that a document is still on its way, if it is."""
    names = context.library.sizes() if collection is None else [collection]
    for name in names:
        for pending in context.jobs.store.pending(name, "processing", document_id=document_id):
            message = f"This document is not searchable yet; follow its job, {pending.job_id}."
            raise BadRequest(409, "not_ready", message, field="id")
