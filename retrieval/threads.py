"""Conversations as they are listed: whose they are, what they are called, when they were last used."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from retrieval.database import Database
from retrieval.documents import now

_COLUMNS = "key, thread_id, title, created, updated, turns, collection"


Place = tuple[str, int]
"""In the list: when a conversation was last used, and its key."""


class UnknownThread(LookupError):
    """There is no such conversation, or it is somebody else's: nobody is told which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """One conversation, without what was said in it."""

    key: int
    """Grows with each new one."""
    thread_id: str
    title: str | None
    """None until somebody has named it or asked its first question."""
    created: str
    updated: str
    """When the last turn ended."""
    turns: int
    collection: str | None
    """Where the last turn was answered from."""


class ThreadStore:
    """The table of conversations. Every look takes the owner, None where there are no keys to tell owners by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, owner: str | None, title: str | None = None) -> Thread:
        """A new conversation. Raises `DiskFull`."""
        thread_id, at = str(uuid4()), now()
        with self._database.transaction() as connection:
            key = connection.execute(
                "INSERT INTO threads (thread_id, owner, title, created, updated) VALUES (?, ?, ?, ?, ?)",
                (thread_id, owner, title, at, at),
            ).lastrowid
            assert key is not None
            self._database.require_room()
        return Thread(key=key, thread_id=thread_id, title=title, created=at, updated=at, turns=0, collection=None)

    def find(self, owner: str | None, thread_id: str) -> Thread:
        """One conversation. Raises `UnknownThread`."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM threads WHERE thread_id = ? AND owner IS ?", thread_id, owner
        )
        if not rows:
            raise UnknownThread("There is no such conversation.")
        return _thread(rows[0])

    def listed(self, owner: str | None, *, after: Place | None = None, limit: int) -> list[Thread]:
        """Conversations, the one used last first, from behind the place `after`, where none needs to be any more."""
        updated, key = after or (None, None)
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM threads WHERE owner IS ? AND (? IS NULL OR (updated, key) < (?, ?))"
            " ORDER BY updated DESC, key DESC LIMIT ?",
            owner,
            updated,
            updated,
            key,
            limit,
        )
        return [_thread(row) for row in rows]

    def rename(self, owner: str | None, thread_id: str, title: str) -> Thread:
        """Give a conversation another title. Raises `UnknownThread`."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE threads SET title = ? WHERE thread_id = ? AND owner IS ?", (title, thread_id, owner)
            )
        return self.find(owner, thread_id)

    def turned(
        self, thread_id: str, *, turns: int, title: str | None, collection: str | None, at: str | None = None
    ) -> None:
        """Take note of what is remembered, since `at` or else now; `title` is for a conversation that has none."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE threads SET turns = ?, title = coalesce(title, ?), collection = coalesce(?, collection),"
                " updated = max(updated, ?) WHERE thread_id = ?",
                (turns, title, collection, at or now(), thread_id),
            )

    def delete(self, owner: str | None, thread_id: str) -> None:
        """Forget a conversation; nothing of its title stays in the file. Raises `UnknownThread`."""
        with self._database.transaction() as connection:
            gone = connection.execute("DELETE FROM threads WHERE thread_id = ? AND owner IS ?", (thread_id, owner))
            if gone.rowcount == 0:
                raise UnknownThread("There is no such conversation.")
        self._database.truncate_log()

    def turns(self) -> dict[str, int]:
        """Of all conversations, whoever owns them: how many turns each is listed with."""
        return dict(self._database.rows("SELECT thread_id, turns FROM threads"))


def _thread(row: tuple[Any, ...]) -> Thread:
    key, thread_id, title, created, updated, turns, collection = row
    return Thread(
        key=key,
        thread_id=thread_id,
        title=title,
        created=created,
        updated=updated,
        turns=turns,
        collection=collection,
    )
