"""`/runs`: look at a run, read it again, cancel it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from server.routes.dependencies import Context, resume_point
from server.routes.query import follow_run

router = APIRouter(prefix="/runs/{request_id}", tags=["runs"])


@router.get("")
async def get_run(request_id: str, context: Context) -> Response:
    """Where a run stands; its final answer and figures once it has them, and what a person decided."""
    return JSONResponse(await context.hub.summary(request_id), headers={"X-Request-ID": request_id})


@router.get("/events")
async def get_events(
    request: Request, request_id: str, context: Context, after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """Replay after `Last-Event-ID` or `?after=`, then follow live; 204 when there is nothing more to come."""
    run = context.hub.get(request_id)
    point = resume_point(request, expected=request_id)
    return follow_run(request, context, run, after=point[1] if point else after, numbered=True)


@router.post("/finish", status_code=202)
async def finish(request_id: str, context: Context) -> dict[str, Any]:
    """Have deep research write its report now, from what is there. A run that has ended stays as it is."""
    run = context.hub.finish(request_id)
    return {"request_id": run.request_id, "state": run.state}


@router.post("/cancel", status_code=202)
async def cancel(request_id: str, context: Context) -> dict[str, Any]:
    """Stop a run; its stream ends with `error{code: "cancelled"}`. One that has ended stays as it is."""
    run = context.hub.get(request_id)
    run.cancel("cancelled by request")
    return {"request_id": run.request_id, "state": run.state}
