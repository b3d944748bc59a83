"""`/documents`: hand in documents, see what there is, remove it."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse

from retrieval.jobs import Pending
from retrieval.library import DEFAULT_COLLECTION, DOCS_COLLECTION
from retrieval.records import StoredDocument
from server.context import AppContext
from server.errors import BadRequest
from server.protocols import sse
from server.routes.dependencies import Context, known_collection, require_room, wants_ndjson
from server.routes.jobs import follow_job
from server.routes.query import IdempotencyKey
from server.uploads import BODY_DOCS, CollectionName, submissions_of

router = APIRouter(tags=["documents"])

Status = Literal["ready", "processing", "failed"]
Within = Annotated[CollectionName, Parameter(description="The collection.")]

_SHOWN_INLINE = ("application/pdf", "text/plain", "text/markdown", "text/csv")


@router.post("/documents", status_code=202, openapi_extra=BODY_DOCS)
async def post_documents(
    request: Request,
    context: Context,
    collection: Annotated[CollectionName | None, Parameter(description="The same as in the body.")] = None,
    wait: Annotated[bool, Parameter()] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Index documents: 202 with a job, its stages as a stream, or with `?wait=true` its summary at the end."""
    require_room(request, context)
    named, submissions = await submissions_of(request)
    if named and collection and named != collection:
        raise BadRequest(422, "invalid", "collection: the address and the body name different ones", field="collection")
    within = named or collection or DEFAULT_COLLECTION
    job = await context.jobs.start(within, submissions, idempotency_key=idempotency_key)
    if wait:
        await context.jobs.finished(job)
        return JSONResponse(await context.jobs.summary(job), headers={"X-Request-ID": job.job_id})
    if sse.MEDIA_TYPE in request.headers.get("accept", "") or wants_ndjson(request):
        return follow_job(request, context, job, after=0, numbered=False)
    return JSONResponse({"job_id": job.job_id}, 202, headers={"X-Request-ID": job.job_id})


@router.get("/documents")
def get_documents(
    context: Context,
    collection: Within = DEFAULT_COLLECTION,
    status: Annotated[Status | None, Parameter(description="Only these.")] = None,
    after: Annotated[str, Parameter(max_length=500, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The documents of a collection by id, some at a time: searchable ones, those under way, those that failed."""
    known_collection(context, collection)
    stored, jobs = context.library.stored, context.jobs.store
    found: list[dict[str, Any]] = []
    if status in (None, "ready"):
        found += [_described(one) for one in stored.documents(collection, after=after, limit=limit + 1)]
    if status != "ready":
        live = {one["id"] for one in found}
        pending = jobs.pending(collection, status, after=after, limit=limit + 1)
        found += [_pending(collection, one) for one in pending if one.document_id not in live]
    found.sort(key=lambda one: str(one["id"]))
    more = len(found) > limit
    return {
        "collection": collection,
        "documents": found[:limit],
        "next": found[limit - 1]["id"] if more else None,
        "counts": {"ready": stored.count(collection), **jobs.pending_counts(collection)},
        "passages": context.library.sizes().get(collection, 0),
    }


@router.delete("/documents", status_code=204)
def delete_documents(context: Context, collection: Within) -> Response:
    """Remove every document of a collection, and whatever is under way into it."""
    _require_own(context, collection)
    context.jobs.store.withdraw(collection)
    context.library.clear(collection)
    context.library.sweep()
    return Response(status_code=204)


@router.get("/files/{document_id:path}")
def get_file(document_id: str, context: Context, collection: Within = DEFAULT_COLLECTION) -> Response:
    """The file a document was made of, as it was handed in; a text as it was sent."""
    if context.library.stored.document(collection, f"{document_id}/file"):  # an id that ends like this route
        return JSONResponse(get_document(f"{document_id}/file", context, collection))
    document = _find(context, collection, document_id)
    stored = context.library.stored
    original = stored.original(document.key)
    body = original if original is not None else stored.content(document.key).encode("utf-8", "replace")
    name = quote((document.uri or document.id).rpartition("/")[2], safe="")
    shown = "inline" if document.media_type in _SHOWN_INLINE else "attachment"
    headers = {  # somebody else wrote this: it must not run as a page of ours
        "Content-Disposition": f"{shown}; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    media_type = document.media_type if document.media_type == "application/pdf" or shown != "inline" else "text/plain"
    return Response(body, media_type=media_type, headers=headers)


@router.get("/documents/{document_id:path}")
def get_document(document_id: str, context: Context, collection: Within = DEFAULT_COLLECTION) -> dict[str, Any]:
    """What is known of a document, and of a newer version that is under way or has failed."""
    known_collection(context, collection)
    document = context.library.stored.document(collection, document_id)
    pending = context.jobs.store.pending(collection, document_id=document_id)
    if document is None and not pending:
        raise BadRequest(404, "unknown_document", "There is no such document.", field="id")
    if document is None:
        return _pending(collection, pending[0])
    return _described(document) | ({"newer": _pending(collection, pending[0])} if pending else {})


@router.delete("/documents/{document_id:path}", status_code=204)
def delete_document(document_id: str, context: Context, collection: Within = DEFAULT_COLLECTION) -> Response:
    """Remove a document: no later search finds it, and within a minute nothing is left of it."""
    _require_own(context, collection)
    withdrawn = context.jobs.store.withdraw(collection, document_id)
    removed = context.library.remove(collection, document_id)
    context.library.sweep()
    if not removed and not withdrawn:
        raise BadRequest(404, "unknown_document", "There is no such document.", field="id")
    return Response(status_code=204)


def _find(context: AppContext, collection: str, document_id: str) -> StoredDocument:
    known_collection(context, collection)
    document = context.library.stored.document(collection, document_id)
    if document is None:
        raise BadRequest(404, "unknown_document", "There is no such document.", field="id")
    return document


def _require_own(context: AppContext, collection: str) -> None:
    known_collection(context, collection)
    if collection == DOCS_COLLECTION:
        raise BadRequest(422, "invalid", "The built-in documentation cannot be changed.", field="collection")


def _described(document: StoredDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "collection": document.collection,
        "title": document.title,
        "status": "ready",
        "passages": document.passages,
        "characters": document.characters,
        "pages": document.pages,
        "bytes": document.bytes,
        "media_type": document.media_type,
        "uri": document.uri,
        "metadata": document.metadata,
        "created": document.created,
    }


def _pending(collection: str, pending: Pending) -> dict[str, Any]:
    error = pending.error
    return {
        "id": pending.document_id,
        "collection": collection,
        "title": pending.title or pending.name or pending.document_id,
        "status": "failed" if pending.state == "failed" else "processing",
        "job_id": pending.job_id,
        "error": {"code": error.code, "message": error.message} if error else None,
    }
