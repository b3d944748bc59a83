"""`/jobs`: follow documents on their way in, stop them, try again."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter
from fastapi.responses import JSONResponse

from server.context import AppContext
from server.jobs import Job
from server.routes.dependencies import Context, require_room, resume_point
from server.streaming import follow

router = APIRouter(tags=["documents"])


@router.get("/jobs/{job_id}")
async def get_job(job_id: str, context: Context) -> Response:
    """Where a job stands."""
    job = await context.jobs.find(job_id)
    return JSONResponse(await context.jobs.summary(job), headers={"X-Request-ID": job.job_id})


@router.get("/jobs/{job_id}/events")
async def get_job_events(
    request: Request, job_id: str, context: Context, after: Annotated[int, Parameter(ge=0)] = 0
) -> Response:
    """Replay a job's stages after `Last-Event-ID` or `?after=`, then follow live, over restarts of the server."""
    job = await context.jobs.find(job_id)
    point = resume_point(request, expected=job_id)
    return follow_job(request, context, job, after=point[1] if point else after, numbered=True)


@router.post("/jobs/{job_id}/cancel", status_code=202)
async def cancel_job(job_id: str, context: Context) -> Response:
    """Give up the documents that are not indexed yet; those that are stay."""
    job = await context.jobs.cancel(job_id)
    return JSONResponse({"job_id": job.job_id}, 202, headers={"X-Request-ID": job.job_id})


@router.post("/jobs/{job_id}/retry", status_code=202)
async def retry_job(request: Request, job_id: str, context: Context) -> Response:
    """Another job with the documents of this one that failed or were cancelled."""
    require_room(request, context)
    job = await context.jobs.retry(job_id)
    return JSONResponse({"job_id": job.job_id}, 202, headers={"X-Request-ID": job.job_id})


def follow_job(request: Request, context: AppContext, job: Job, *, after: int, numbered: bool) -> Response:
    """A job's log as a response."""
    batches = job.log.follow(after, idle=context.settings.heartbeat_seconds)
    return follow(request, job.log, batches, after=after, numbered=numbered, outcome=lambda: job.state)
