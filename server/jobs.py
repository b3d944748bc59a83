"""Ingestion jobs: documents on their way into a collection, each stage an event in a replayable log."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

from callbacks.events import DocumentError, DocumentStage, DocumentStageName, PipelineMetric, as_dict
from callbacks.log import EventLog, LogFull
from graph.hub import Refusal, ShuttingDown, TooManyRuns, UnknownThing
from retrieval.library import DOCS_COLLECTION, Library, Submission, document_id_of
from retrieval.loaders import LoadError

log = logging.getLogger(__name__)

_KEPT = 100
_LOG_BYTES = 32 * 1024 * 1024


@dataclass(eq=False, kw_only=True)
class Job:
    """Some documents being indexed. One that fails never stops the others."""

    job_id: str
    collection: str
    submissions: Sequence[Submission]
    log: EventLog
    started: float = field(default_factory=monotonic)
    indexed: int = 0
    failed: dict[str, DocumentError] = field(default_factory=dict)
    state: str = "running"
    task: asyncio.Task[None] | None = None
    metric: PipelineMetric | None = None

    def summary(self) -> dict[str, Any]:
        """What `GET /jobs/{id}` shows."""
        return {
            "job_id": self.job_id,
            "state": self.state,
            "collection": self.collection,
            "total": len(self.submissions),
            "indexed": self.indexed,
            "failed": [{"document_id": key, "error": as_dict(error)} for key, error in self.failed.items()],
            "metrics": as_dict(self.metric) if self.metric else None,
        }

    @property
    def outcome(self) -> str:
        """How it ended, as the `end` frame says it."""
        return self.state


class Jobs:
    """All jobs of one event loop; documents are worked on one at a time, so questions keep their share of the CPU."""

    def __init__(self, library: Library, *, most: int = 8) -> None:
        self._library = library
        self._most = most
        self._jobs: dict[str, Job] = {}
        self._keys: dict[str | None, tuple[str, str]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._draining = False

    def start(self, collection: str, submissions: Sequence[Submission], *, idempotency_key: str | None = None) -> Job:
        """Begin to index, or join the job this key started. Raises `Refusal`."""
        fingerprint = _fingerprint(collection, submissions) if idempotency_key else ""
        if idempotency_key in self._keys and self._keys[idempotency_key][1] in self._jobs:
            known, job_id = self._keys[idempotency_key]
            if known != fingerprint:
                raise Refusal("This Idempotency-Key was used with another body.", field="Idempotency-Key")
            return self._jobs[job_id]
        if collection == DOCS_COLLECTION:
            raise Refusal("The built-in documentation cannot be written to.", field="collection")
        if self._draining:
            raise ShuttingDown("The server is shutting down.")
        if sum(job.state == "running" for job in self._jobs.values()) >= self._most:
            raise TooManyRuns("The server is indexing as many documents as it can; try again soon.")
        job_id = str(uuid4())
        job = Job(job_id=job_id, collection=collection, submissions=submissions, log=EventLog(job_id, limit=_LOG_BYTES))
        self._jobs[job_id] = job
        if idempotency_key is not None:
            self._keys[idempotency_key] = (fingerprint, job_id)
        for submission in submissions:
            self._say(job, submission, "received", 0, 1)
        job.task = asyncio.get_running_loop().create_task(self._run(job), name=f"job {job_id}", context=Context())
        while len(self._jobs) > _KEPT:
            oldest = next((key for key, job in self._jobs.items() if job.state != "running"), None)
            if oldest is None:
                break
            del self._jobs[oldest]
            self._keys = {key: value for key, value in self._keys.items() if value[1] != oldest}
        return job

    def get(self, job_id: str) -> Job:
        """A job under way or not yet forgotten. Raises `UnknownThing`."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownThing("There is no such job, or it has expired.", field="job_id") from None

    async def finished(self, job: Job) -> None:
        """Wait for the end of a job. Leaving does not stop it: what was acknowledged is not lost."""
        assert job.task is not None
        await asyncio.wait({job.task})

    async def drain(self, grace: float) -> None:
        """Take no new jobs; let those under way finish within `grace` seconds."""
        self._draining = True
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.wait(tasks)
        await asyncio.to_thread(self._worker.shutdown)

    async def _run(self, job: Job) -> None:
        try:
            await asyncio.to_thread(self._library.create, job.collection)
            for submission in job.submissions:
                await self._index(job, submission)
            job.state = "failed" if job.failed and not job.indexed else "done"
        except asyncio.CancelledError:
            job.state = "cancelled"
        except Exception:
            log.exception("job %s failed", job.job_id)
            job.state = "failed"
        finally:
            job.metric = self._metric(job)
            job.log.grammar.finish_job()
            job.log.append(job.metric)
            job.log.close()

    async def _index(self, job: Job, submission: Submission) -> None:
        loop = asyncio.get_running_loop()

        def progress(stage: DocumentStageName, done: int, total: int) -> None:
            loop.call_soon_threadsafe(self._say, job, submission, stage, done, total)

        try:
            await loop.run_in_executor(self._worker, self._library.add, job.collection, submission, progress)
        except LoadError as error:
            self._fail(job, submission, DocumentError(code=error.code, message=str(error)))
        except Exception:
            log.exception("document %s failed", document_id_of(submission))
            message = "Something went wrong on the server."
            self._fail(job, submission, DocumentError(code="internal", message=message))
        else:
            job.indexed += 1
            self._say(job, submission, "ready", 1, 1)

    def _fail(self, job: Job, submission: Submission, error: DocumentError) -> None:
        job.failed[document_id_of(submission)] = error
        self._say(job, submission, "failed", 0, 1, error)

    def _say(
        self,
        job: Job,
        submission: Submission,
        stage: DocumentStageName,
        done: int,
        total: int,
        error: DocumentError | None = None,
    ) -> None:
        told = DocumentStage(
            document_id=document_id_of(submission),
            stage=stage,
            done=done,
            total=total,
            error=error,
            name=submission.name,
        )
        try:
            job.log.append(told)
        except LogFull:  # the documents matter more than the telling; the summary still counts them
            log.warning("job %s: its log is full, %s is not told", job.job_id, stage)

    def _metric(self, job: Job) -> PipelineMetric:
        elapsed = round((monotonic() - job.started) * 1000)
        return PipelineMetric(
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
            indexed=job.indexed,
            failed=len(job.failed),
            collection_size=self._library.sizes().get(job.collection, 0),
            elapsed_ms=elapsed,
        )


def _fingerprint(collection: str, submissions: Sequence[Submission]) -> str:
    digest = hashlib.sha256(collection.encode())
    for submission in submissions:
        data = submission.data.encode() if isinstance(submission.data, str) else submission.data
        described = repr((submission.id, submission.name, submission.title, dict(submission.metadata), len(data)))
        digest.update(described.encode())
        digest.update(data)
    return digest.hexdigest()
