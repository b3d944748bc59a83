"""`/threads`: conversations, with what was said in them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from graph.conversation import Turn
from graph.hub import UnknownThing
from graph.query import Text
from language.invisible import visible
from retrieval.threads import Place, Thread, UnknownThread
from server.context import AppContext
from server.errors import BadRequest
from server.routes.dependencies import Context, require_json
from server.routes.query import read_json

router = APIRouter(prefix="/threads", tags=["conversations"])

MAX_TITLE = 200
_DIGITS = 18
_AFTER = "after: is no `next` of a page before; leave it out for the first page."


def _on_one_line(title: str) -> str:
    line = " ".join(visible(title).split())
    if not line:
        raise ValueError("is empty")
    if len(line) > MAX_TITLE:
        raise ValueError(f"has more than {MAX_TITLE} characters")
    return line


_LENGTHS = {"minLength": 1, "maxLength": MAX_TITLE}
Title = Annotated[Text, AfterValidator(_on_one_line), Field(json_schema_extra=_LENGTHS)]


class NewThread(BaseModel):
    """A conversation to be made; without a title it is called by its first question."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None


class Renaming(BaseModel):
    """What a conversation is to be called."""

    model_config = ConfigDict(extra="forbid")

    title: Title


def _body(model: type[BaseModel], *, required: bool) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": required, "content": content}}


@router.post("", status_code=201, openapi_extra=_body(NewThread, required=False))
async def post_thread(request: Request, context: Context) -> Response:
    """Begin a conversation. The body may be left out."""
    given: Any = {}
    if await request.body():
        require_json(request)
        given = await read_json(request)
    thread = await context.hub.threads.create(NewThread.model_validate(given).title)
    return JSONResponse(_shown(thread), 201, headers={"Location": f"/threads/{thread.thread_id}"})


@router.get("")
async def get_threads(
    context: Context,
    after: Annotated[str, Parameter(max_length=200, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Conversations, the one used last first."""
    found = await context.hub.threads.listed(after=_place(after), limit=limit + 1)
    return {
        "threads": [_shown(thread) for thread in found[:limit]],
        "next": _cursor(found[limit - 1]) if len(found) > limit else None,
    }


@router.get("/{thread_id:path}")
async def get_thread(
    thread_id: str,
    context: Context,
    after: Annotated[str, Parameter(max_length=200, description="The `next` of the page before: older turns.")] = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = 100,
) -> dict[str, Any]:
    """A conversation with its last turns, or those before them, the first one first; of questions for a person, what
    was decided since.
    """
    before = _number(after)
    with _told():
        thread = context.hub.threads.known(thread_id)
        found = await context.hub.threads.page(thread_id, before=before, limit=limit + 1)
    page = found[-limit:]
    said = [await _as_it_stands(turn, context) for _, turn in page]
    return {**_shown(thread), "turns": said, "next": str(page[0][0]) if len(found) > limit else None}


@router.patch("/{thread_id:path}", openapi_extra=_body(Renaming, required=True))
async def patch_thread(request: Request, thread_id: str, context: Context) -> dict[str, Any]:
    """Give a conversation another title."""
    require_json(request)
    title = Renaming.model_validate(await read_json(request)).title
    with _told():
        return _shown(await context.hub.threads.rename(thread_id, title))


@router.delete("/{thread_id:path}", status_code=204)
async def delete_thread(thread_id: str, context: Context) -> Response:
    """Forget a conversation and all that was said in it. 409 while a question of it is being answered."""
    await context.hub.forget(thread_id)
    return Response(status_code=204)


@contextmanager
def _told() -> Iterator[None]:
    """A conversation that is not there is told as a problem."""
    try:
        yield
    except UnknownThread as error:
        raise UnknownThing(str(error), field="thread_id") from error


def _shown(thread: Thread) -> dict[str, Any]:
    return {name: value for name, value in asdict(thread).items() if name != "key"}


def _cursor(thread: Thread) -> str:
    """The place of a conversation in the list, which stays where it is when the conversation moves or goes."""
    return urlsafe_b64encode(f"{thread.key} {thread.updated}".encode()).decode().rstrip("=")


def _place(cursor: str) -> Place | None:
    if not cursor:
        return None
    try:
        key, updated = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        datetime.fromisoformat(updated)
        return updated, int(key[:_DIGITS])
    except ValueError:
        raise BadRequest(422, "invalid", _AFTER, field="after") from None


def _number(cursor: str) -> int | None:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _DIGITS):
        raise BadRequest(422, "invalid", _AFTER, field="after")
    return int(cursor) if cursor else None


async def _as_it_stands(turn: Turn, context: AppContext) -> dict[str, Any]:
    """A turn; one that was handed to a person, with what that person has released."""
    review = await context.hub.reviews.find(turn["request_id"]) if turn["outcome"] == "review" else None
    if review is None or review.final is None or review.decision is None:
        return dict(turn)
    told = {key: review.final[key] for key in ("answer", "outcome", "citations", "sources")}
    told["sentences"] = review.final.get("sentences", [])
    decided = {"decision": review.decision.decision, "note": review.decision.note, "at": review.decision.at}
    return {**turn, **told, "reviewed": decided}
