"""What routes share: the application's parts, and how a client says where it wants to go on."""

import shutil
from typing import Annotated, cast

from fastapi import Depends, Request

from retrieval.database import DiskFull
from server.context import AppContext
from server.errors import BadRequest


def app_context(request: Request) -> AppContext:
    """The collaborators `create_app` was given."""
    return cast(AppContext, request.app.state.context)


Context = Annotated[AppContext, Depends(app_context)]


def known_collection(context: AppContext, name: str) -> None:
    """Refuse a collection that does not exist."""
    if name not in context.library.sizes():
        raise BadRequest(404, "unknown_collection", "There is no such collection.", field="collection")


def require_room(request: Request, context: AppContext) -> None:
    """Refuse uploads while there is still room for everything else. Raises `DiskFull`."""
    folder = context.library.stored.database.path.parent
    wanted = int(request.headers.get("content-length", 0)) + context.settings.min_free_bytes
    if shutil.disk_usage(folder).free < wanted:
        raise DiskFull("less than min_free_bytes would be left")


def resume_point(request: Request, expected: str | None = None) -> tuple[str, int] | None:
    """The run and `seq` of `Last-Event-ID` (`<request_id>:<seq>`), if the client sent one."""
    header = request.headers.get("last-event-id")
    if not header:
        return None
    request_id, _, seq = header.rpartition(":")
    if not request_id or not seq.isdecimal() or len(seq) > 12:
        raise BadRequest(422, "invalid", "Last-Event-ID is <request_id>:<seq>.", field="Last-Event-ID")
    if expected is not None and request_id != expected:
        raise BadRequest(422, "invalid", "Last-Event-ID belongs to another run.", field="Last-Event-ID")
    return request_id, int(seq)


def wants_ndjson(request: Request) -> bool:
    """Whether the client asks for lines of JSON rather than server-sent events."""
    return "application/x-ndjson" in request.headers.get("accept", "")


def require_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadRequest(415, "unsupported_media_type", "Send application/json.", field="Content-Type")
