"""Questions that wait for a person, as they are remembered: what the queue shows, what was decided, what released."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from retrieval.database import Database
from retrieval.documents import now

ReviewState = Literal["waiting", "decided", "released"]
Choice = Literal["approve", "edit", "reject"]

_COLUMNS = "request_id, state, created, told, item, decision, answer, note, decided, final"
_KEPT = 1000
"""Released reviews that are remembered."""


class UnknownReview(LookupError):
    """There is no such review."""


class AlreadyDecided(RuntimeError):
    """Somebody was first."""


class NothingDrafted(ValueError):
    """There is no draft to approve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a person made of a question."""

    decision: Choice
    answer: str | None = None
    """In the person's own words; only where the draft is edited."""
    note: str | None = None
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """One question of the queue."""

    request_id: str
    state: ReviewState
    """`decided` only for the moment, or the crash, between the decision and the release."""
    created: str
    told: str
    """What the asker reads until somebody has decided."""
    item: dict[str, Any]
    """What a reviewer sees: question, draft, sources, and why."""
    decision: Decision | None
    final: dict[str, Any] | None
    """The answer that was released."""


class ReviewStore:
    """The queue's table. A decision is made once, and so is a release."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request_id: str, *, told: str, item: dict[str, Any], drafted: bool) -> None:
        """Put a question into the queue; one that is there already stays as it is. Raises `DiskFull`."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO reviews (request_id, state, created, told, item, drafted)"
                " VALUES (?, 'waiting', ?, ?, ?, ?)",
                (request_id, now(), told, json.dumps(item), drafted),
            )
            self._database.require_room()

    def find(self, request_id: str) -> Review | None:
        """One review."""
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM reviews WHERE request_id = ?", request_id)
        return _review(rows[0]) if rows else None

    def waiting(self, *, after: str = "", limit: int) -> list[Review]:
        """What waits, the oldest first, from behind the review `after`."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM reviews WHERE state = 'waiting' AND key >"
            " (CASE ? WHEN '' THEN 0 ELSE (SELECT key FROM reviews WHERE request_id = ?) END) ORDER BY key LIMIT ?",
            after,
            after,
            limit,
        )
        return [_review(row) for row in rows]

    def decided(self, *, after: str = "", limit: int) -> list[Review]:
        """What was decided, the newest question first, from behind the review `after`."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM reviews WHERE state != 'waiting' AND (? = '' OR key <"
            " (SELECT key FROM reviews WHERE request_id = ?)) ORDER BY key DESC LIMIT ?",
            after,
            after,
            limit,
        )
        return [_review(row) for row in rows]

    def count_waiting(self) -> int:
        """How many wait."""
        count: int = self._database.rows("SELECT count(*) FROM reviews WHERE state = 'waiting'")[0][0]
        return count

    def unreleased(self) -> dict[str, ReviewState]:
        """What waits, and what was decided and is not released yet."""
        return dict(self._database.rows("SELECT request_id, state FROM reviews WHERE state != 'released'"))

    def decide(self, request_id: str, decision: Decision) -> None:
        """Remember a decision: from here on it stands. Of several at once, one wins.

        Raises `UnknownReview`, `AlreadyDecided` and `NothingDrafted`.
        """
        with self._database.transaction() as connection:
            won = connection.execute(
                "UPDATE reviews SET state = 'decided', decision = ?, answer = ?, note = ?, decided = ?"
                " WHERE request_id = ? AND state = 'waiting' AND (drafted OR ? != 'approve')",
                (decision.decision, decision.answer, decision.note, decision.at, request_id, decision.decision),
            )
            if won.rowcount == 0:
                found = connection.execute("SELECT state FROM reviews WHERE request_id = ?", (request_id,)).fetchone()
                raise _why_not(found[0] if found else None)

    def release(self, request_id: str, final: dict[str, Any]) -> None:
        """Keep the answer to a decided question; what was released before stands."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE reviews SET state = 'released', final = ? WHERE request_id = ? AND state = 'decided'",
                (json.dumps(final), request_id),
            )
            connection.execute(
                "DELETE FROM reviews WHERE state = 'released' AND key NOT IN"
                " (SELECT key FROM reviews WHERE state = 'released' ORDER BY decided DESC, key DESC LIMIT ?)",
                (_KEPT,),
            )


def _why_not(state: ReviewState | None) -> Exception:
    if state is None:
        return UnknownReview("There is no such review.")
    if state == "waiting":
        return NothingDrafted("There is no draft to approve.")
    return AlreadyDecided("Somebody has decided this already.")


def _review(row: tuple[Any, ...]) -> Review:
    request_id, state, created, told, item, choice, answer, note, at, final = row
    return Review(
        request_id=request_id,
        state=state,
        created=created,
        told=told,
        item=json.loads(item),
        decision=Decision(decision=choice, answer=answer, note=note, at=at) if choice else None,
        final=json.loads(final) if final else None,
    )
