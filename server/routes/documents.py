"""`/documents` and `/jobs`: hand in documents and watch them become searchable."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from graph.query import Text
from retrieval.library import DEFAULT_COLLECTION, Submission
from server.context import AppContext
from server.errors import BadRequest
from server.jobs import Job
from server.protocols import sse
from server.routes.dependencies import Context, resume_point, wants_ndjson
from server.routes.query import IdempotencyKey, read_json
from server.streaming import follow

router = APIRouter(tags=["documents"])

CollectionName = Annotated[Text, Field(min_length=1, max_length=200, pattern=r"^[^/:\s]+$")]


MAX_DOCUMENTS = 10_000
_METADATA_BYTES = 16 * 1024
_METADATA_DEPTH = 6


def _modest(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata goes out with every source, so it has to be small and flat."""
    if _depth(metadata) > _METADATA_DEPTH:
        raise ValueError(f"is nested deeper than {_METADATA_DEPTH} levels")
    if len(orjson.dumps(metadata)) > _METADATA_BYTES:
        raise ValueError(f"is larger than {_METADATA_BYTES} bytes")
    return metadata


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    level, deepest = (inner is not None), 0
    stack = [(item, 1) for item in inner or ()]
    while stack:
        item, depth = stack.pop()
        deepest = max(deepest, depth)
        inside = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack.extend((each, depth + 1) for each in inside)
    return deepest + level


class DocumentIn(BaseModel):
    """A text, kept verbatim."""

    model_config = ConfigDict(extra="forbid")

    content: Text
    id: Annotated[Text, Field(min_length=1, max_length=500)] | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_modest)] = {}


class DocumentsIn(BaseModel):
    """The JSON body of `POST /documents`."""

    model_config = ConfigDict(extra="forbid")

    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    collection: CollectionName = DEFAULT_COLLECTION


class UploadIn(BaseModel):
    """The form fields beside the files of a multipart body; an `id` belongs to a single file."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    id: Annotated[Text, Field(min_length=1, max_length=500)] | None = None


_BODY_DOCS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": DocumentsIn.model_json_schema(ref_template="#/components/schemas/{model}")},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "collection": {"type": "string"},
                    },
                }
            },
        },
    }
}


@router.post("/documents", status_code=202, openapi_extra=_BODY_DOCS)
async def post_documents(
    request: Request,
    context: Context,
    wait: Annotated[bool, Parameter()] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Index documents: 202 with a job, its stages as a stream, or with `?wait=true` its summary at the end."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        collection, submissions = await _from_form(request)
    elif media_type == "application/json":
        collection, submissions = _from_json(DocumentsIn.model_validate(await read_json(request)))
    else:
        raise BadRequest(
            415, "unsupported_media_type", "Send application/json or multipart/form-data.", field="Content-Type"
        )
    job = context.jobs.start(collection, submissions, idempotency_key=idempotency_key)
    if wait:
        await context.jobs.finished(job)
        return JSONResponse(job.summary(), headers={"X-Request-ID": job.job_id})
    if sse.MEDIA_TYPE in request.headers.get("accept", "") or wants_ndjson(request):
        return _follow(request, context, job, after=0, numbered=False)
    return JSONResponse({"job_id": job.job_id}, 202, headers={"X-Request-ID": job.job_id})


@router.get("/jobs/{job_id}")
async def get_job(job_id: str, context: Context) -> Response:
    """Where a job stands."""
    job = context.jobs.get(job_id)
    return JSONResponse(job.summary(), headers={"X-Request-ID": job.job_id})


@router.get("/jobs/{job_id}/events")
async def get_job_events(
    request: Request, job_id: str, context: Context, after: Annotated[int, Parameter(ge=0)] = 0
) -> Response:
    """Replay a job's stages after `Last-Event-ID` or `?after=`, then follow live."""
    job = context.jobs.get(job_id)
    point = resume_point(request, expected=job_id)
    return _follow(request, context, job, after=point[1] if point else after, numbered=True)


def _follow(request: Request, context: AppContext, job: Job, *, after: int, numbered: bool) -> Response:
    batches = job.log.follow(after, idle=context.settings.heartbeat_seconds)
    return follow(request, job.log, batches, after=after, numbered=numbered, outcome=lambda: job.outcome)


def _from_json(body: DocumentsIn) -> tuple[str, list[Submission]]:
    return body.collection, [
        Submission(
            data=document.content,
            id=document.id,
            title=_title(document.metadata, f"documents.{at}.metadata.title"),
            metadata=document.metadata,
        )
        for at, document in enumerate(body.documents)
    ]


def _title(metadata: dict[str, Any], field: str) -> str | None:
    title = metadata.get("title")
    if title is not None and not isinstance(title, str):
        raise BadRequest(422, "invalid", f"{field}: is not a string", field=field)
    return title or None


async def _from_form(request: Request) -> tuple[str, Sequence[Submission]]:
    async with request.form(max_files=1000, max_fields=100) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        upload = UploadIn.model_validate(fields)
        if not files:
            raise BadRequest(422, "invalid", "files: send at least one file", field="files")
        if upload.id is not None and len(files) > 1:
            raise BadRequest(422, "invalid", "id: belongs to a single file", field="id")
        return upload.collection, [
            Submission(data=await file.read(), name=file.filename or "", id=upload.id) for file in files
        ]
