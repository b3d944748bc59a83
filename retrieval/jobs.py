"""Ingestion jobs as they are remembered: what was handed in, how far each document is, what was told."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from retrieval.database import Database
from retrieval.documents import now
from retrieval.submissions import Submission

JobState = Literal["running", "done", "failed", "cancelled"]
SubmissionState = Literal["waiting", "staged", "ready", "failed", "cancelled"]
Stage = Literal["received", "parsed", "chunked", "embedded", "indexed", "ready", "failed"]

_PENDING = ("waiting", "staged", "failed")
_FORGOTTEN = "data = NULL, title = NULL, metadata = '{}'"
_KEPT = 1000
"""Finished jobs that are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a document could not be indexed; both may be shown."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StageReport:
    """One stage of one document: the payload of a `document_stage`."""

    document_id: str
    stage: Stage
    done: int
    total: int
    name: str | None = None
    error: Failure | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """Something that was told of a job, in a form that survives a restart: a stage report or the closing metrics."""

    timestamp: str
    report: StageReport | None = None
    metrics: dict[str, Any] | None = None
    state: JobState | None = None
    """How the job ended; beside the metrics."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """A submission on its way."""

    key: int
    document_id: str
    name: str | None
    document: int | None
    """The staged document, once there is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """A job as `GET /jobs/{id}` shows it."""

    id: str
    collection: str
    state: JobState
    created: str
    total: int
    cancelled: bool
    """Whether somebody asked for its end; it may still be running."""
    indexed: int
    given_up: int
    """Documents that were cancelled."""
    failed: list[tuple[str, str | None, Failure]]
    """Document ids, file names, and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A document that is not searchable (yet): the newest submission of its id."""

    document_id: str
    name: str | None
    title: str | None
    state: SubmissionState
    job_id: str
    error: Failure | None


class JobStore:
    """Jobs, their submissions and what was told of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.transaction = database.transaction

    def create(
        self,
        job_id: str,
        collection: str,
        submissions: Sequence[Submission],
        *,
        idempotency_key: str | None = None,
        fingerprint: str | None = None,
    ) -> None:
        """Remember what was handed in: from here on it is not lost. Raises `DiskFull`."""
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO collections VALUES (?, ?)", (collection, now()))
            connection.execute(
                "INSERT INTO jobs (id, collection, state, created, idempotency_key, fingerprint)"
                " VALUES (?, ?, 'running', ?, ?, ?)",
                (job_id, collection, now(), idempotency_key, fingerprint),
            )
            connection.executemany(
                "INSERT INTO submissions (job, document_id, name, title, metadata, data, is_text, explicit_id, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                (_row(job_id, submission) for submission in submissions),
            )
            received = [
                StageReport(document_id=one.document_id, stage="received", done=0, total=1, name=one.name)
                for one in submissions
            ]
            self.record(job_id, received)
            connection.execute(
                "DELETE FROM jobs WHERE state != 'running' AND id NOT IN"
                " (SELECT id FROM jobs ORDER BY created DESC LIMIT ?)",
                (_KEPT,),
            )
            self._database.require_room()

    def by_key(self, idempotency_key: str) -> tuple[str, str] | None:
        """The job an idempotency key started, and the fingerprint of its body."""
        rows = self._database.rows("SELECT id, fingerprint FROM jobs WHERE idempotency_key = ?", idempotency_key)
        return (rows[0][0], rows[0][1]) if rows else None

    def running(self) -> list[str]:
        """Jobs that are not finished, oldest first."""
        return [row[0] for row in self._database.rows("SELECT id FROM jobs WHERE state = 'running' ORDER BY created")]

    def record_of(self, job_id: str) -> JobRecord | None:
        """Where a job stands."""
        rows = self._database.rows("SELECT id, collection, state, created, cancelled FROM jobs WHERE id = ?", job_id)
        if not rows:
            return None
        counts: dict[str, int] = dict(
            self._database.rows("SELECT state, count(*) FROM submissions WHERE job = ? GROUP BY 1", job_id)
        )
        failed = self._database.rows(
            "SELECT document_id, name, error_code, error_message FROM submissions WHERE job = ? AND state = 'failed'"
            " ORDER BY key",
            job_id,
        )
        return JobRecord(
            id=rows[0][0],
            collection=rows[0][1],
            state=rows[0][2],
            created=rows[0][3],
            total=sum(counts.values()),
            cancelled=bool(rows[0][4]),
            indexed=counts.get("ready", 0),
            given_up=counts.get("cancelled", 0),
            failed=[(row[0], row[1], Failure(code=row[2], message=row[3])) for row in failed],
        )

    def queued(self, job_id: str, state: SubmissionState, limit: int = -1) -> list[Queued]:
        """Submissions of a job in a state, in the order they came."""
        rows = self._database.rows(
            "SELECT key, document_id, name, document FROM submissions WHERE job = ? AND state = ? ORDER BY key LIMIT ?",
            job_id,
            state,
            limit,
        )
        return [Queued(key=row[0], document_id=row[1], name=row[2], document=row[3]) for row in rows]

    def submission(self, key: int) -> Submission:
        """What was handed in."""
        document_id, name, title, metadata, data, is_text, explicit = self._database.rows(
            "SELECT document_id, name, title, metadata, data, is_text, explicit_id FROM submissions WHERE key = ?", key
        )[0]
        return Submission(
            data=data.decode("utf-8", "surrogatepass") if is_text else bytes(data),
            name=name,
            id=document_id if explicit else None,
            title=title,
            metadata=json.loads(metadata),
        )

    def superseded(self, key: int) -> bool:
        """Whether a document that was handed in later, under the same id, is ready; asked inside a transaction."""
        with self.transaction() as connection:
            return _exists(
                connection, f"SELECT 1 {_SAME_DOCUMENT} AND other.key > s.key AND other.state = 'ready'", key
            )

    def overtakes(self, key: int) -> bool:
        """Whether a document that was handed in before, under the same id, is still under way."""
        with self.transaction() as connection:
            under_way = "other.key < s.key AND other.state IN ('waiting', 'staged')"
            return _exists(connection, f"SELECT 1 {_SAME_DOCUMENT} AND {under_way}", key)

    def mark(
        self, key: int, state: SubmissionState, *, document: int | None = None, error: Failure | None = None
    ) -> None:
        """A submission got further. What was handed in is kept until it is of no more use."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, document = ?, error_code = ?, error_message = ? WHERE key = ?",
                (state, document, error and error.code, error and error.message, key),
            )
            if state == "ready":  # nobody will try it again, nor the versions before it that failed
                former = f"SELECT other.key {_SAME_DOCUMENT} AND other.key < s.key AND other.state = 'failed'"
                connection.execute(
                    f"UPDATE submissions SET {_FORGOTTEN} WHERE key = :key OR key IN ({former})", {"key": key}
                )

    def is_in(self, key: int, state: SubmissionState) -> bool:
        """Whether a submission is in a state; inside a transaction, nobody changes it meanwhile."""
        with self.transaction() as connection:
            row = connection.execute("SELECT state FROM submissions WHERE key = ?", (key,)).fetchone()
            return row is not None and row[0] == state

    def finish(self, job_id: str, state: JobState, metrics: dict[str, Any]) -> Recorded:
        """Close a job, with what was measured of it."""
        with self.transaction() as connection:
            connection.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, job_id))
            recorded = Recorded(timestamp=_timestamp(), metrics=metrics, state=state)
            self._record(job_id, [recorded])
            return recorded

    def record(self, job_id: str, reports: Iterable[StageReport]) -> list[Recorded]:
        """Remember what is about to be told, in order."""
        recorded = [Recorded(timestamp=_timestamp(), report=report) for report in reports]
        self._record(job_id, recorded)
        return recorded

    def _record(self, job_id: str, recorded: Sequence[Recorded]) -> None:
        with self.transaction() as connection:
            last = connection.execute("SELECT max(seq) FROM job_events WHERE job = ?", (job_id,)).fetchone()[0] or 0
            connection.executemany(
                "INSERT INTO job_events VALUES (?, ?, ?, ?)",
                (
                    (job_id, seq, one.timestamp, json.dumps(_payload(one)))
                    for seq, one in enumerate(recorded, start=last + 1)
                ),
            )

    def told(self, job_id: str) -> list[Recorded]:
        """Everything told of a job, in order."""
        rows = self._database.rows("SELECT timestamp, payload FROM job_events WHERE job = ? ORDER BY seq", job_id)
        return [_recorded(timestamp, json.loads(payload)) for timestamp, payload in rows]

    def not_through(self, job_id: str) -> list[Submission]:
        """What was handed in and did not get through, unless something newer under the same id did or may."""
        rows = self._database.rows(
            "SELECT s.key FROM submissions s JOIN jobs j ON j.id = s.job"
            " WHERE s.job = ? AND s.state IN ('failed', 'cancelled') AND s.data IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM submissions n JOIN jobs k ON k.id = n.job WHERE n.document_id = s.document_id"
            " AND n.key > s.key AND k.collection = j.collection AND n.state IN ('waiting', 'staged', 'ready'))"
            " ORDER BY s.key",
            job_id,
        )
        return [self.submission(row[0]) for row in rows]

    def forget_data(self, job_id: str) -> None:
        """What did not get through is in another job now."""
        with self.transaction() as connection:
            connection.execute(
                f"UPDATE submissions SET {_FORGOTTEN} WHERE job = ? AND state IN ('failed', 'cancelled')", (job_id,)
            )

    def wish_cancelled(self, job_id: str) -> None:
        """Remember that somebody wants a job to end."""
        with self.transaction() as connection:
            connection.execute("UPDATE jobs SET cancelled = 1 WHERE id = ? AND state = 'running'", (job_id,))

    def pending(
        self,
        collection: str,
        status: Literal["processing", "failed"] | None = None,
        *,
        document_id: str | None = None,
        after: str = "",
        limit: int = 100,
    ) -> list[Pending]:
        """Documents whose newest submission is not searchable: under way or failed, by id."""
        states = {None: _PENDING, "processing": ("waiting", "staged"), "failed": ("failed",)}[status]
        only, values = ("", []) if document_id is None else (" AND s.document_id = ?", [document_id])
        rows = self._database.rows(
            "SELECT s.document_id, s.name, s.title, s.state, s.job, s.error_code, s.error_message, max(s.key)"
            " FROM submissions s JOIN jobs j ON j.id = s.job WHERE j.collection = ? AND s.document_id > ?"
            f"{only} AND s.state != 'cancelled' GROUP BY s.document_id"
            f" HAVING s.state IN ({','.join('?' * len(states))}) ORDER BY s.document_id LIMIT ?",
            collection,
            after,
            *values,
            *states,
            limit,
        )
        return [
            Pending(
                document_id=row[0],
                name=row[1],
                title=row[2],
                state=row[3],
                job_id=row[4],
                error=Failure(code=row[5], message=row[6]) if row[5] else None,
            )
            for row in rows
        ]

    def pending_counts(self, collection: str) -> dict[str, int]:
        """Of how many documents the newest version is under way, and of how many it has failed."""
        rows = self._database.rows(
            "SELECT state, count(*) FROM (SELECT s.state AS state, max(s.key) FROM submissions s"
            " JOIN jobs j ON j.id = s.job WHERE j.collection = ? AND s.state != 'cancelled' GROUP BY s.document_id)"
            " GROUP BY state",
            collection,
        )
        counts: dict[str, int] = dict(rows)
        return {"processing": counts.get("waiting", 0) + counts.get("staged", 0), "failed": counts.get("failed", 0)}

    def withdraw(self, collection: str, document_id: str | None = None) -> int:
        """Give up whatever is under way or has failed of a document, or of a whole collection; how many there were.

        Nothing of what was handed in is left then, of cancelled ones neither: they cannot be tried again.
        """
        only, values = (
            ("", [collection]) if document_id is None else (" AND document_id = ?", [collection, document_id])
        )
        whose = f"AND job IN (SELECT id FROM jobs WHERE collection = ?){only}"
        which = f"WHERE state IN ('waiting', 'staged', 'failed') {whose}"
        with self.transaction() as connection:
            connection.execute(
                "UPDATE documents SET state = 'dead' WHERE state = 'staged'"
                f" AND key IN (SELECT document FROM submissions {which})",
                values,
            )
            withdrawn = connection.execute(f"UPDATE submissions SET state = 'cancelled' {which}", values).rowcount
            forgotten = connection.execute(
                f"UPDATE submissions SET {_FORGOTTEN} WHERE state = 'cancelled' AND data IS NOT NULL {whose}", values
            ).rowcount
        if forgotten:
            self._database.truncate_log()
        return withdrawn


_SAME_DOCUMENT = (
    "FROM submissions s JOIN jobs j ON j.id = s.job JOIN submissions other ON other.document_id = s.document_id"
    " JOIN jobs k ON k.id = other.job AND k.collection = j.collection WHERE s.key = :key"
)


def _exists(connection: sqlite3.Connection, query: str, key: int) -> bool:
    return connection.execute(f"{query} LIMIT 1", {"key": key}).fetchone() is not None


def _row(job_id: str, submission: Submission) -> tuple[object, ...]:
    return (
        job_id,
        submission.document_id,
        submission.name,
        submission.title,
        json.dumps(dict(submission.metadata)),
        submission.as_bytes,
        isinstance(submission.data, str),
        submission.id is not None,
    )


def _payload(recorded: Recorded) -> dict[str, Any]:
    if recorded.report is not None:
        return asdict(recorded.report)
    return {"metrics": recorded.metrics, "state": recorded.state}


def _recorded(timestamp: str, payload: dict[str, Any]) -> Recorded:
    if "stage" not in payload:
        return Recorded(timestamp=timestamp, metrics=payload["metrics"], state=payload["state"])
    error = payload.pop("error")
    return Recorded(timestamp=timestamp, report=StageReport(**payload, error=Failure(**error) if error else None))


def _timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
