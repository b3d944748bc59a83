"""`/reviews`: questions that wait for a person, with the drafts nobody else sees, and the decisions on them."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from callbacks.events import timestamp_now
from graph.query import Text
from retrieval.reviews import AlreadyDecided, Choice, Decision, NothingDrafted, Review, UnknownReview
from server.errors import BadRequest
from server.routes.dependencies import Context, require_json
from server.routes.query import read_json

router = APIRouter(prefix="/reviews", tags=["reviews"])

MAX_ANSWER = 20_000
MAX_NOTE = 2_000
_MARKER = re.compile(r"\[(\d{1,3})\]")


class DecisionIn(BaseModel):
    """What a person decides; `answer` goes with `edit` alone, and its markers `[n]` are the sources as listed."""

    model_config = ConfigDict(extra="forbid")

    decision: Choice
    answer: Annotated[Text, Field(max_length=MAX_ANSWER)] | None = None
    note: Annotated[Text, Field(max_length=MAX_NOTE)] | None = None

    def decided(self) -> Decision:
        """The decision, made now. Raises `BadRequest`."""
        answer, note = _or_none(self.answer), _or_none(self.note)
        if self.decision == "edit" and answer is None:
            raise BadRequest(422, "invalid", "answer: an edit needs the answer as it shall be.", field="answer")
        if self.decision != "edit" and self.answer is not None:
            raise BadRequest(422, "invalid", f"answer: belongs to an edit, not to {self.decision}.", field="answer")
        return Decision(decision=self.decision, answer=answer, note=note, at=timestamp_now())


_BODY_DOCS = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": DecisionIn.model_json_schema()}}}
}


@router.get("")
async def get_reviews(
    context: Context,
    state: Literal["waiting", "decided"] = "waiting",
    after: Annotated[str, Parameter(max_length=100, description="The `next` of the page before.")] = "",
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What waits, the oldest first, or what was decided, the newest first; and how many wait."""
    desk = context.hub.reviews
    found = await desk.listed(decided=state == "decided", after=after, limit=limit + 1)
    return {
        "reviews": [_shown(review) for review in found[:limit]],
        "next": found[limit - 1].request_id if len(found) > limit else None,
        "waiting": await desk.count_waiting(),
    }


@router.post("/{request_id}", openapi_extra=_BODY_DOCS)
async def post_review(request: Request, request_id: str, context: Context) -> Response:
    """Decide: release the draft, another text, or a refusal. 409 if somebody was first."""
    require_json(request)
    decision = DecisionIn.model_validate(await read_json(request)).decided()
    await _check_markers(decision.answer or "", request_id, context)
    try:
        review = await context.hub.reviews.decide(request_id, decision)
    except UnknownReview as error:
        raise BadRequest(404, "not_found", str(error), field="request_id") from error
    except AlreadyDecided as error:
        raise BadRequest(409, "already_decided", str(error), field="decision") from error
    except NothingDrafted as error:
        raise BadRequest(422, "invalid", f"decision: {error}", field="decision") from error
    return JSONResponse(_shown(review), headers={"X-Request-ID": request_id})


async def _check_markers(answer: str, request_id: str, context: Context) -> None:
    """Refuse an edit that cites a source which is not listed: nobody would see what the number was to stand for."""
    cited = {int(number) for number in _MARKER.findall(answer)}
    review = await context.hub.reviews.find(request_id) if cited else None
    if review is None:
        return
    unknown = sorted(cited - {source["index"] for source in review.item["sources"]})
    if unknown:
        listed = ", ".join(f"[{number}]" for number in unknown)
        raise BadRequest(422, "invalid", f"answer: there is no source {listed}.", field="answer")


def _shown(review: Review) -> dict[str, Any]:
    item = {"request_id": review.request_id, "state": "waiting", "created": review.created, **review.item}
    if review.decision is None:
        return item
    decision = review.decision
    reviewed = {"decision": decision.decision, "note": decision.note, "at": decision.at}
    return {**item, "state": "decided", "reviewed": reviewed, "final_answer": review.final}


def _or_none(text: str | None) -> str | None:
    return text if text is not None and text.strip() else None
