"""Ingestion jobs on the event loop: what the worker does in its thread, as replayable logs."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from callbacks.events import DocumentError, DocumentStage, Payload, PipelineMetric, as_dict
from callbacks.log import EventLog, LogFull
from graph.hub import Refusal, ShuttingDown, TooManyRuns, UnknownThing
from retrieval.database import DiskFull
from retrieval.ingest import Ingestion
from retrieval.jobs import Failure, JobRecord, JobState, JobStore, Recorded, StageReport
from retrieval.library import DOCS_COLLECTION, Library
from retrieval.parsing import Cancelled, ParserProcess
from retrieval.submissions import Parsed, Submission

log = logging.getLogger(__name__)

_EVENTS_IN_MEMORY = 20_000
"""Of finished jobs; an event takes about two kilobytes."""
_PAUSE_SECONDS = 2.0
_LOG_BYTES = 32 * 1024 * 1024
_DISK_FULL = Failure(code="disk_full", message="There is no room left on the server's disk; retry when there is.")
_INTERNAL = Failure(code="internal", message="Something went wrong on the server.")


@dataclass(eq=False, kw_only=True)
class Job:
    """Some documents being indexed. One that fails never stops the others."""

    job_id: str
    collection: str
    log: EventLog
    state: JobState = "running"
    cancelled: bool = False
    metrics: dict[str, Any] | None = None
    """At the end."""

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return not self.log.closed


class Jobs:
    """All jobs of one event loop. They take turns in one thread, so questions keep their share of the CPU."""

    def __init__(
        self,
        library: Library,
        store: JobStore,
        parser: ParserProcess,
        *,
        most: int = 8,
        afterwards: Callable[[str], None] = lambda collection: None,
    ) -> None:
        """`afterwards` is called in a thread of its own with the collection of each job that ended."""
        self._library = library
        self.store = store
        self._parser = parser
        self._most = most
        self._afterwards = afterwards
        self._jobs: dict[str, Job] = {}
        self._ingestion = Ingestion(library, store, self._parse, self._tell)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._after = ThreadPoolExecutor(1, thread_name_prefix="after-ingest")
        self._working: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._current: Job | None = None
        self._draining = False
        self._starting = asyncio.Lock()

    async def resume(self) -> None:
        """Go on with what an earlier process left unfinished."""
        for job_id in self.store.running():
            await self._remember(job_id)
        self._work()

    async def start(
        self, collection: str, submissions: Sequence[Submission], *, idempotency_key: str | None = None
    ) -> Job:
        """Take documents in, for good, or join the job this key started. Raises `Refusal` and `DiskFull`."""
        fingerprint = await asyncio.to_thread(_fingerprint, collection, submissions) if idempotency_key else None
        async with self._starting:  # the same key may come twice at once
            return await self._start(collection, submissions, idempotency_key, fingerprint)

    async def _start(
        self, collection: str, submissions: Sequence[Submission], idempotency_key: str | None, fingerprint: str | None
    ) -> Job:
        if idempotency_key is not None and (known := self.store.by_key(idempotency_key)):
            if known[1] != fingerprint:
                raise Refusal("This Idempotency-Key was used with another body.", field="Idempotency-Key")
            return await self.find(known[0])
        if collection == DOCS_COLLECTION:
            raise Refusal("The built-in documentation cannot be written to.", field="collection")
        if self._draining:
            raise ShuttingDown("The server is shutting down.")
        if sum(job.running for job in self._jobs.values()) >= self._most:
            raise TooManyRuns("The server is indexing as many documents as it can; try again soon.")
        job_id = str(uuid4())
        await asyncio.to_thread(
            self.store.create,
            job_id,
            collection,
            submissions,
            idempotency_key=idempotency_key,
            fingerprint=fingerprint,
        )
        await asyncio.to_thread(self._library.create, collection)
        job = await self._remember(job_id)
        self._work()
        return job

    async def retry(self, job_id: str) -> Job:
        """Another job with the documents of this one that did not get through. Raises `Refusal`."""
        job = await self.find(job_id)
        again = await asyncio.to_thread(self.store.not_through, job_id)
        if job.running or not again:
            reason = "is not finished" if job.running else "has no document to try again"
            raise Refusal(f"This job {reason}.", field="job_id")
        following = await self.start(job.collection, again)
        await asyncio.to_thread(self.store.forget_data, job_id)
        return following

    async def cancel(self, job_id: str) -> Job:
        """Give up what is not indexed yet; the job ends soon. Raises `UnknownThing`."""
        job = await self.find(job_id)
        if job.running:
            await asyncio.to_thread(self.store.wish_cancelled, job_id)
            job.cancelled = True
        if self._current is job:
            self._parser.cancel()
        return job

    async def find(self, job_id: str) -> Job:
        """A job under way or remembered. Raises `UnknownThing`."""
        return self._jobs.get(job_id) or await self._remember(job_id)

    async def summary(self, job: Job) -> dict[str, Any]:
        """What `GET /jobs/{id}` shows."""
        record = await asyncio.to_thread(self._record, job)
        return {
            "job_id": record.id,
            "state": job.state,
            "collection": record.collection,
            "created": record.created,
            "total": record.total,
            "indexed": record.indexed,
            "cancelled": record.given_up,
            "failed": [
                {"document_id": key, "name": name, "error": {"code": error.code, "message": error.message}}
                for key, name, error in record.failed
            ],
            "metrics": job.metrics,
        }

    async def finished(self, job: Job) -> None:
        """Wait for the end of a job. Leaving does not stop it: what was acknowledged is not lost."""
        async for _ in job.log.follow(len(job.log)):
            pass

    async def drain(self, grace: float) -> None:
        """Take no new jobs; let those under way finish within `grace` seconds; the next process does the rest."""
        self._draining = True
        if self._working is not None and not self._working.done():
            await asyncio.wait({self._working}, timeout=grace)
            self._parser.cancel()
            self._working.cancel()
            await asyncio.wait({self._working})
        await asyncio.to_thread(self._worker.shutdown)
        await asyncio.to_thread(self._after.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._parser.close)
        for job in self._jobs.values():  # readers come back with the last they saw, and the next process goes on
            job.log.close()

    async def _remember(self, job_id: str) -> Job:
        """A job with everything that was told of it. Raises `UnknownThing`."""
        record = await asyncio.to_thread(self.store.record_of, job_id)
        if record is None:
            raise UnknownThing("There is no such job, or it has expired.", field="job_id")
        told = await asyncio.to_thread(self.store.told, job_id)
        told_to = EventLog(job_id, limit=_LOG_BYTES)
        job = Job(job_id=job_id, collection=record.collection, log=told_to, cancelled=record.cancelled)
        if job_id in self._jobs:  # somebody else remembered it meanwhile
            return self._jobs[job_id]
        self._jobs[job_id] = job
        self._append(job, told)
        self._forget()
        return job

    def _forget(self) -> None:
        """Let go of finished jobs, the oldest first; they can be read from the store."""
        finished = [one for one in self._jobs.values() if not one.running]
        size = sum(len(one.log) for one in finished)
        for job in finished[:-1]:
            if size <= _EVENTS_IN_MEMORY:
                return
            size -= len(job.log)
            del self._jobs[job.job_id]

    def _record(self, job: Job) -> JobRecord:
        record = self.store.record_of(job.job_id)
        assert record is not None
        return record

    # --- the work

    def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        if self._working is None or self._working.done():
            self._working = self._loop.create_task(self._work_on(), name="ingestion", context=Context())

    async def _work_on(self) -> None:
        """Jobs take turns until none is left."""
        assert self._loop is not None
        while running := [job for job in self._jobs.values() if job.running]:
            for job in running:
                self._current = job
                moved = await self._loop.run_in_executor(self._worker, self._step, job)
                self._current = None
                if not moved and self._draining:
                    return
                if not moved:  # the disk is full, or somebody else holds the database
                    await asyncio.sleep(_PAUSE_SECONDS)

    def _step(self, job: Job) -> bool:
        """Work on a job for a moment; False if not even a failure could be written down, so that it stays as it is."""
        try:
            if self._advance(job):
                self._finish(job)
        except Exception:
            log.exception("job %s stands still", job.job_id)
            return False
        return True

    def _advance(self, job: Job) -> bool:
        """Whether the job is at its end."""
        record = self._record(job)
        try:
            if job.cancelled:
                self._ingestion.cancel(record)
                return True
            return not self._ingestion.step(record)
        except Cancelled:
            return False
        except Exception as error:  # no document is to blame for it
            log.error("job %s failed", job.job_id, exc_info=error)
            self._ingestion.fail(record, _DISK_FULL if isinstance(error, DiskFull) else _INTERNAL)
            return True

    def _parse(self, submission: Submission) -> Parsed:
        if self._current is not None and self._current.cancelled:
            raise Cancelled
        return self._parser(submission)

    def _finish(self, job: Job) -> None:
        record = self._record(job)
        state: JobState = "cancelled" if job.cancelled else closing_state(record)
        self._ingestion.finish(record, state, closing_metrics(record, self._library))
        self._after.submit(self._afterwards, job.collection)

    # --- what is told

    def _tell(self, job_id: str, recorded: Sequence[Recorded]) -> None:
        """From the worker's thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._append, self._jobs[job_id], recorded)

    def _append(self, job: Job, recorded: Sequence[Recorded]) -> None:
        for one in recorded:
            if one.report is not None:
                self._say(job, _stage(one.report), one.timestamp)
            elif one.metrics is not None:
                job.metrics = one.metrics
                job.state = one.state or "done"
                job.log.grammar.finish_job()
                self._say(job, PipelineMetric.model_validate(one.metrics), one.timestamp)
                job.log.close()

    def _say(self, job: Job, payload: Payload, timestamp: str) -> None:
        try:
            job.log.append(payload, timestamp)
        except LogFull:  # the documents matter more than the telling; the summary still counts them
            log.warning("job %s: its log is full", job.job_id)


def closing_state(record: JobRecord) -> JobState:
    """How a job ends that nobody cancelled: it failed if nothing came of it."""
    return "failed" if record.total and not record.indexed else "done"


def closing_metrics(record: JobRecord, library: Library) -> dict[str, Any]:
    """The `pipeline_metric` a job ends with."""
    elapsed = round((datetime.now(UTC) - datetime.fromisoformat(record.created)).total_seconds() * 1000)
    return as_dict(
        PipelineMetric(
            time_to_first_token_ms=None,
            time_to_first_source_ms=None,
            time_to_first_useful_answer_ms=None,
            retrieval_ms=None,
            total_pipeline_ms=elapsed,
            chunks_used=0,
            tokens=0,
            tokens_per_second=None,
            model_calls=0,
            refined=False,
            stages={},
            indexed=record.indexed,
            failed=len(record.failed),
            collection_size=library.sizes().get(record.collection, 0),
            elapsed_ms=elapsed,
        )
    )


def _stage(report: StageReport) -> DocumentStage:
    error = report.error and DocumentError(code=report.error.code, message=report.error.message)
    return DocumentStage(
        document_id=report.document_id,
        stage=report.stage,
        done=report.done,
        total=report.total,
        error=error,
        name=report.name,
    )


def _fingerprint(collection: str, submissions: Sequence[Submission]) -> str:
    digest = hashlib.sha256(collection.encode())
    for submission in submissions:
        data = submission.as_bytes
        described = repr((submission.id, submission.name, submission.title, dict(submission.metadata), len(data)))
        digest.update(described.encode())
        digest.update(data)
    return digest.hexdigest()
