"""`/threads`: conversations, with what was said in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from graph.conversation import Turn
from graph.hub import UnknownThing
from graph.query import Text
from language.invisible import visible
from retrieval.threads import Thread, UnknownThread
from server.context import AppContext
from server.routes.dependencies import Context, require_json
from server.routes.query import read_json

router = APIRouter(prefix="/threads", tags=["conversations"])

MAX_TITLE = 200


def _on_one_line(title: str) -> str:
    line = " ".join(visible(title).split())
    if not line:
        raise ValueError("is empty")
    return line


Title = Annotated[Text, Field(min_length=1, max_length=MAX_TITLE), AfterValidator(_on_one_line)]


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
    after: Annotated[str, Parameter(max_length=100, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Conversations, the one used last first."""
    found = await context.hub.threads.listed(after=after, limit=limit + 1)
    return {
        "threads": [_shown(thread) for thread in found[:limit]],
        "next": found[limit - 1].thread_id if len(found) > limit else None,
    }


@router.get("/{thread_id}")
async def get_thread(thread_id: str, context: Context) -> dict[str, Any]:
    """A conversation with its turns, the first one first; of questions for a person, what was decided since."""
    with _told():
        thread, turns = context.hub.threads.known(thread_id), await context.hub.threads.turns(thread_id)
    said = [await _as_it_stands(turn, context) for turn in turns]
    return {**_shown(thread), "turns": said}


@router.patch("/{thread_id}", openapi_extra=_body(Renaming, required=True))
async def patch_thread(request: Request, thread_id: str, context: Context) -> dict[str, Any]:
    """Give a conversation another title."""
    require_json(request)
    title = Renaming.model_validate(await read_json(request)).title
    with _told():
        return _shown(await context.hub.threads.rename(thread_id, title))


@router.delete("/{thread_id}", status_code=204)
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
    return asdict(thread)


async def _as_it_stands(turn: Turn, context: AppContext) -> dict[str, Any]:
    """A turn; one that was handed to a person, with what that person has released."""
    review = await context.hub.reviews.find(turn["request_id"]) if turn["outcome"] == "review" else None
    if review is None or review.final is None or review.decision is None:
        return dict(turn)
    told = {key: review.final[key] for key in ("answer", "outcome", "citations", "sources")}
    decided = {"decision": review.decision.decision, "note": review.decision.note, "at": review.decision.at}
    return {**turn, **told, "reviewed": decided}
