"""What `POST /documents` takes, as submissions."""

import asyncio
from collections.abc import Sequence
from itertools import zip_longest
from typing import Annotated, Any

import orjson
from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.types import Message

from graph.query import Text
from retrieval.library import DEFAULT_COLLECTION
from retrieval.submissions import Submission
from server.errors import BadRequest
from server.routes.query import parse_json


def _a_name(value: str) -> str:
    """In an address, `.` and `..` are no names."""
    if value in (".", ".."):
        raise ValueError("is not a name")
    return value


CollectionName = Annotated[Text, Field(min_length=1, max_length=200, pattern=r"^[^/:\s]+$"), AfterValidator(_a_name)]
DocumentId = Annotated[
    Text, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_a_name)
]

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
    id: DocumentId | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_modest)] = {}


class DocumentsIn(BaseModel):
    """The JSON body of `POST /documents`."""

    model_config = ConfigDict(extra="forbid")

    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=MAX_DOCUMENTS)]
    collection: CollectionName = DEFAULT_COLLECTION


class UploadIn(BaseModel):
    """The form fields beside the files of a multipart body; `id`, if there is one, once for each file, in order."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName = DEFAULT_COLLECTION
    id: list[DocumentId] = []


BODY_DOCS = {
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
                        "id": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
        },
    }
}


async def submissions_of(request: Request) -> tuple[str | None, Sequence[Submission]]:
    """The collection that the body of a request names, if it does, and its documents.

    Raises `BadRequest` and pydantic's `ValidationError`.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return await _from_form(request)
    if media_type == "application/json":
        return await asyncio.to_thread(_from_json, await request.body())  # 64 MiB are not for the event loop
    raise BadRequest(
        415, "unsupported_media_type", "Send application/json or multipart/form-data.", field="Content-Type"
    )


def _from_json(data: bytes) -> tuple[str | None, list[Submission]]:
    body = DocumentsIn.model_validate(parse_json(data))
    return _named(body), [
        Submission(
            data=document.content,
            id=document.id,
            title=_title(document.metadata, f"documents.{at}.metadata.title"),
            metadata=document.metadata,
        )
        for at, document in enumerate(body.documents)
    ]


def _named(body: DocumentsIn | UploadIn) -> str | None:
    return body.collection if "collection" in body.model_fields_set else None


def _title(metadata: dict[str, Any], field: str) -> str | None:
    title = metadata.get("title")
    if title is not None and not isinstance(title, str):
        raise BadRequest(422, "invalid", f"{field}: is not a string", field=field)
    return title or None


class _Whole:
    """Sees whether a multipart body ends as it should; the parser takes a cut one for a shorter one."""

    def __init__(self, request: Request) -> None:
        _, options = parse_options_header(request.headers.get("content-type", ""))
        self._closing = b"--" + options.get(b"boundary", b"") + b"--"
        self._receive = request.receive
        self._tail = b""

    async def __call__(self) -> Message:
        message = await self._receive()
        self._tail = (self._tail + message.get("body", b"")[-1024:])[-1024:]
        return message

    def require(self) -> None:
        """Raises `BadRequest`."""
        if self._closing not in self._tail:
            raise BadRequest(400, "invalid_multipart", "The body breaks off before its last part ends.", field="body")


async def _from_form(request: Request) -> tuple[str | None, Sequence[Submission]]:
    whole = _Whole(request)
    async with Request(request.scope, whole).form(max_files=1000, max_fields=1100) as form:
        whole.require()
        fields: dict[str, Any] = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        ids = [value for value in form.getlist("id") if isinstance(value, str)]
        upload = UploadIn.model_validate(fields | {"id": ids})
        if not files:
            raise BadRequest(422, "invalid", "files: send at least one file", field="files")
        if ids and len(ids) != len(files):
            raise BadRequest(422, "invalid", "id: send one for each file, in the same order", field="id")
        return _named(upload), [
            Submission(data=await file.read(), name=file.filename or "", id=document_id)
            for file, document_id in zip_longest(files, upload.id)
        ]
