"""The ingestion worker: each step commits, so that whatever ends the process, the next one goes on from there.

waiting -> (read in another process) -> staged -> (embedded, some passages at a time) -> ready
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from retrieval.database import DiskFull
from retrieval.jobs import Failure, JobRecord, JobState, JobStore, Queued, Recorded, Stage, StageReport
from retrieval.library import ENCODE_AT_ONCE, Library, new_document
from retrieval.loaders import LoadError
from retrieval.parsing import Cancelled
from retrieval.passages import Passage
from retrieval.records import Embedded
from retrieval.submissions import Parse, Parsed, Submission

log = logging.getLogger(__name__)

_READ_SECONDS = 0.25
"""Reading goes on until there is a batch to embed, or this long, so that progress shows."""

Tell = Callable[[str, Sequence[Recorded]], None]
"""Called with a job and what there is to tell, after it was committed and, for `ready`, after searches find it."""

Failpoint = Callable[[str], None]
"""Called at named places between two effects; tests end the process there."""


@dataclass(slots=True)
class _Read:
    """A submission with what reading it gave."""

    queued: Queued
    submission: Submission
    parsed: Parsed | None = None
    failure: Failure | None = None


class Ingestion:
    """Works on jobs step by step. One thread at a time."""

    def __init__(
        self, library: Library, jobs: JobStore, parse: Parse, tell: Tell, failpoint: Failpoint = lambda name: None
    ) -> None:
        self._library = library
        self._stored = library.stored
        self._jobs = jobs
        self._parse = parse
        self._tell = tell
        self._failpoint = failpoint
        self._done: dict[int, int] = {}

    def step(self, job: JobRecord) -> bool:
        """Do a little of a job; whether there is more to do. Raises `DiskFull`, and `Cancelled` from the reader."""
        staged = self._jobs.queued(job.id, "staged")
        waiting = self._jobs.queued(job.id, "waiting", ENCODE_AT_ONCE)
        if waiting and self._unembedded(staged) < ENCODE_AT_ONCE:
            self._stage(job, waiting)
            staged = self._jobs.queued(job.id, "staged")
        if staged:
            moved = self._embed(job, staged)
            moved = self._publish(job, staged) or moved
            if not moved and not waiting and self._jobs.queued(job.id, "staged") == staged:
                raise RuntimeError(f"job {job.id} does not get any further")
        return bool(waiting or staged)

    def cancel(self, job: JobRecord) -> None:
        """Give up what is not ready; what is ready stays."""
        given_up: list[StageReport] = []
        with self._jobs.transaction():
            for queued in [*self._jobs.queued(job.id, "staged"), *self._jobs.queued(job.id, "waiting")]:
                self._discard(queued)
                self._jobs.mark(queued.key, "cancelled")
                given_up.append(_report(queued, "failed", 0, 1, _GIVEN_UP))
            recorded = self._jobs.record(job.id, given_up)
        self._tell(job.id, recorded)
        self._library.sweep()

    def finish(self, job: JobRecord, state: JobState, metrics: dict[str, Any]) -> None:
        """Close a job."""
        recorded = self._jobs.finish(job.id, state, metrics)
        self._tell(job.id, [recorded])

    # --- waiting -> staged

    def _stage(self, job: JobRecord, waiting: Sequence[Queued]) -> None:
        read = list(self._read(waiting))
        with self._jobs.transaction():
            reports = [report for one in read for report in self._keep(job, one)]
            recorded = self._jobs.record(job.id, reports)
        self._failpoint("staged")
        self._tell(job.id, recorded)

    def _read(self, waiting: Sequence[Queued]) -> Iterator[_Read]:
        started, passages = monotonic(), 0
        for queued in waiting:
            one = _Read(queued, self._jobs.submission(queued.key))
            try:
                one.parsed = self._parse(one.submission)
                passages += len(one.parsed.drafts)
            except LoadError as error:
                one.failure = Failure(code=error.code, message=str(error))
            except (DiskFull, Cancelled):
                raise
            except Exception:
                log.exception("document %s cannot be read", queued.document_id)
                one.failure = _INTERNAL
            self._failpoint("read")
            yield one
            if passages >= ENCODE_AT_ONCE or monotonic() - started > _READ_SECONDS:
                return

    def _keep(self, job: JobRecord, one: _Read) -> Iterator[StageReport]:
        queued = one.queued
        if not self._jobs.is_in(queued.key, "waiting"):  # somebody removed the document meanwhile
            return
        if one.failure is not None:
            self._jobs.mark(queued.key, "failed", error=one.failure)
            yield _report(queued, "failed", 0, 1, one.failure)
            return
        assert one.parsed is not None
        total = len(one.parsed.drafts)
        document = new_document(job.collection, one.submission, one.parsed)
        yield _report(queued, "parsed", 1, 1)
        yield _report(queued, "chunked", total, total)
        if self._library.holds(document) and not self._jobs.overtakes(queued.key):
            self._jobs.mark(queued.key, "ready")
            yield from _ready(queued, total)
        else:
            self._jobs.mark(queued.key, "staged", document=self._stored.stage(document, one.parsed.drafts))

    # --- staged -> embedded

    def _unembedded(self, staged: Sequence[Queued]) -> int:
        return sum(total - done for done, total in map(self._progress, staged))

    def _progress(self, queued: Queued) -> tuple[int, int]:
        """How many passages of a staged document are embedded, and how many there are."""
        assert queued.document is not None
        if queued.document not in self._done:
            self._done[queued.document] = self._stored.embedded(queued.document)
        return self._done[queued.document], self._stored.size(queued.document)

    def _embed(self, job: JobRecord, staged: Sequence[Queued]) -> bool:
        by_document = {queued.document: queued for queued in staged if queued.document is not None}
        batch = self._stored.unembedded(ENCODE_AT_ONCE, list(by_document))
        if not batch:
            return False
        for key in {passage.document for passage in batch}:
            self._progress(by_document[key])  # counted before anything is added, if an earlier process began it
        embedded, failed = self._encode(batch)
        self._failpoint("encoded")
        with self._jobs.transaction():
            self._stored.embed(embedded)
            touched = list(dict.fromkeys(passage.document for passage in batch if passage.document not in failed))
            for passage in batch:
                self._done[passage.document] += 1
            reports = [_report(by_document[key], "embedded", *self._progress(by_document[key])) for key in touched]
            recorded = self._jobs.record(job.id, reports)
        self._failpoint("embedded")
        self._tell(job.id, recorded)
        if failed:
            self._fail(job, [by_document[key] for key in sorted(failed)], _EMBEDDING_FAILED)
        return True

    def _encode(self, batch: Sequence[Passage]) -> tuple[list[Embedded], set[int]]:
        """What could be embedded, and the documents of what could not: the others are not to suffer for them."""
        try:
            return self._library.encode(batch), set()
        except Exception:  # a provider's; providers share no exception classes
            log.exception("passages cannot be embedded")
        documents = {passage.document for passage in batch}
        if len(documents) == 1:
            return [], documents
        parts = [self._encode([passage for passage in batch if passage.document == key]) for key in sorted(documents)]
        return [one for part, _ in parts for one in part], {key for _, failed in parts for key in failed}

    # --- embedded -> ready

    def _publish(self, job: JobRecord, staged: Sequence[Queued]) -> bool:
        whole = [queued for queued in staged if self._unembedded([queued]) == 0]
        recorded: list[Recorded] = []

        def make_live() -> list[int]:
            keys = []
            for queued in whole:
                if queued.document is None or not self._jobs.is_in(queued.key, "staged"):
                    continue
                if self._jobs.superseded(queued.key):
                    self._discard(queued)
                    self._jobs.mark(queued.key, "failed", error=_SUPERSEDED)
                    recorded.extend(self._jobs.record(job.id, [_report(queued, "failed", 0, 1, _SUPERSEDED)]))
                else:
                    keys.append(queued.document)
                    self._jobs.mark(queued.key, "ready")
                    recorded.extend(self._jobs.record(job.id, _ready(queued, self._progress(queued)[1])))
            self._failpoint("publishing")
            return keys

        if whole:
            self._library.publish(job.collection, make_live)
            self._failpoint("published")
            for queued in whole:
                self._done.pop(queued.document or 0, None)
            self._tell(job.id, recorded)
        return bool(whole)

    # --- what goes wrong

    def fail(self, job: JobRecord, failure: Failure) -> None:
        """Everything that is not ready has failed."""
        self._fail(job, [*self._jobs.queued(job.id, "staged"), *self._jobs.queued(job.id, "waiting")], failure)

    def _fail(self, job: JobRecord, queued: Sequence[Queued], failure: Failure) -> None:
        with self._jobs.transaction():
            wanted = [
                one for one in queued if self._jobs.is_in(one.key, "waiting") or self._jobs.is_in(one.key, "staged")
            ]
            for one in wanted:  # the others were removed meanwhile
                self._discard(one)
                self._jobs.mark(one.key, "failed", error=failure)
            recorded = self._jobs.record(job.id, [_report(one, "failed", 0, 1, failure) for one in wanted])
        self._tell(job.id, recorded)
        self._library.sweep()

    def _discard(self, queued: Queued) -> None:
        if queued.document is not None:
            self._stored.discard(queued.document)
            self._done.pop(queued.document, None)


_EMBEDDING_FAILED = Failure(code="embedding_failed", message="The embedding model failed.")
_SUPERSEDED = Failure(code="superseded", message="A version that was handed in later is indexed already.")
_GIVEN_UP = Failure(code="cancelled", message="The job was cancelled.")
_INTERNAL = Failure(code="internal", message="Something went wrong on the server.")


def _report(queued: Queued, stage: Stage, done: int, total: int, error: Failure | None = None) -> StageReport:
    return StageReport(
        document_id=queued.document_id, stage=stage, done=done, total=total, name=queued.name, error=error
    )


def _ready(queued: Queued, total: int) -> list[StageReport]:
    return [_report(queued, "indexed", total, total), _report(queued, "ready", 1, 1)]
