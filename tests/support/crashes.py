"""Kill an ingesting process at random, many times over one data folder, and check after each what is left.

    python -m tests.support.crashes COUNT [SEED]

Each round forks a process that hands in documents, new versions of some, unreadable ones, and removes others; it says
so once an operation is acknowledged, and is killed at a named place or at a random moment. Another process then opens
the folder: what searches find must be whole, and once the jobs are finished, everything that was acknowledged is there.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from retrieval.ingest import Ingestion
from retrieval.jobs import JobStore
from retrieval.library import Library
from retrieval.submissions import Parsed, Submission, parse
from server.bootstrap import library_in
from tests.support.encoder import WordVectors

PLACES = ["created", "read", "staged", "encoded", "embedded", "publishing", "published", "removed", "saved", None, None]
Version = str
"""A document's text; it begins with words that nothing else holds."""


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    chance = random.Random(seed)
    known: dict[str, Version | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            orders = _orders(chance, number, known)
            place = chance.choice(PLACES)
            acknowledged = _crash(Path(folder), orders, place, chance.randint(1, 4), chance.uniform(0, 0.25))
            possible = _after(known, orders[:acknowledged]), _after(known, orders[: acknowledged + 1])
            known = _check(Path(folder), possible, _versions(known, orders))
    sys.stdout.write(f"{count} crashes, nothing lost\n")


Order = tuple[str, dict[str, Version]]
"""`add` some documents or `remove` one."""


def _orders(chance: random.Random, number: int, known: dict[str, Version | None]) -> list[Order]:
    orders: list[Order] = []
    for part in range(chance.randint(1, 3)):
        if known and chance.random() < 0.25:
            orders.append(("remove", {chance.choice(sorted(known)): ""}))
            continue
        ids = [f"d{chance.randint(0, 12)}" for _ in range(chance.randint(1, 5))]
        orders.append(("add", {name: _version(name, number, part, chance) for name in ids}))
    return orders


def _version(name: str, number: int, part: int, chance: random.Random) -> Version:
    mark = f"{name}x{number}x{part}"
    return "\n\n".join(f"Mark{mark} paragraph {at} speaks. " + "word " * 120 for at in range(chance.randint(1, 60)))


def _after(known: dict[str, Version | None], orders: list[Order]) -> dict[str, Version | None]:
    state = dict(known)
    for what, documents in orders:
        state |= documents if what == "add" else dict.fromkeys(documents)
    return state


def _versions(known: dict[str, Version | None], orders: list[Order]) -> dict[str, set[Version | None]]:
    """Every version that may be visible now: the one from before, and each that was handed in since."""
    found: dict[str, set[Version | None]] = {name: {version} for name, version in known.items()}
    for what, documents in orders:
        for name, version in documents.items():
            found.setdefault(name, {None}).add(version if what == "add" else None)
    return found


def _crash(folder: Path, orders: list[Order], place: str | None, times: int, seconds: float) -> int:
    """Run the orders in a process that is killed; how many were acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(lambda: _work(folder, orders, place, times, writing))
    os.close(writing)
    if place is None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        return len(pipe.read())


def _work(folder: Path, orders: list[Order], place: str | None, times: int, writing: int) -> None:
    left = times

    def failpoint(name: str) -> None:
        nonlocal left
        left -= name == place
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    library = library_in(folder, WordVectors())
    jobs = JobStore(library.stored.database)
    ingestion = Ingestion(library, jobs, _parse, lambda *_: None, failpoint)
    for number, (what, documents) in enumerate(orders):
        if what == "add":
            job_id = f"{time.time_ns()}-{number}"
            broken = Submission(data=b"\xff\xfe\xff", name="broken.txt", id="broken")
            submissions = [Submission(data=text, id=name) for name, text in documents.items()]
            jobs.create(job_id, "default", [broken, *submissions])
        else:
            (name,) = documents
            jobs.withdraw("default", name)
            failpoint("removed")
            library.remove("default", name)
        os.write(writing, b"!")
        failpoint("created")
        for job_id in jobs.running():
            record = jobs.record_of(job_id)
            assert record is not None
            while ingestion.step(record):
                pass
            ingestion.finish(record, "done", {})
    library.close()
    failpoint("saved")


def _check(
    folder: Path, possible: tuple[dict[str, Version | None], ...], visible: dict[str, set[Version | None]]
) -> dict[str, Version | None]:
    """What is there in the end. Raises `AssertionError` in another process, told here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(lambda: os.write(writing, json.dumps(_state(folder, visible)).encode()))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the check failed, see above"
    state: dict[str, Version | None] = json.loads(said)
    wanted = [{name: version for name, version in one.items() if version is not None} for one in possible]
    assert state in wanted, f"there are {_short(state)}, expected {_short(wanted[0])} or {_short(wanted[1])}"
    return state


def _state(folder: Path, visible: dict[str, set[Version | None]]) -> dict[str, Version]:
    library = library_in(folder, WordVectors())
    for name, version in _live(library).items():
        assert version in visible.get(name, set()), f"{name} is neither old nor new"
    agree(library)
    jobs = JobStore(library.stored.database)
    ingestion = Ingestion(library, jobs, _parse, lambda *_: None)
    for job_id in jobs.running():
        record = jobs.record_of(job_id)
        assert record is not None
        while ingestion.step(record):
            pass
        ingestion.finish(record, "done", {})
    agree(library)
    live = _live(library)
    for name, version in live.items():
        mark = version.split()[0]
        found = {
            hit.passage.document_id for hit in library.search_now("default", mark, 200).hits if mark in hit.passage.text
        }
        assert found == {name}, f"{name} is not found"  # how high is the ranking's business
    library.close()
    reopened = library_in(folder, WordVectors())
    agree(reopened)
    rows = reopened.stored.database.rows
    assert rows("SELECT count(*) FROM documents WHERE state != 'live'") == [(0,)], "leftovers"
    assert rows("SELECT count(*) FROM passages") == rows("SELECT count(*) FROM vectors"), "orphans"
    assert rows("SELECT count(*) FROM passages")[0][0] == sum(reopened.sizes().values()), "orphans"
    reopened.close()
    return live


def agree(library: Library) -> None:
    """SQLite, the dense leg, the lexical leg and the snapshot hold the same passages."""
    for name in library.sizes():
        snapshot = library.snapshot(name)
        stored = library.stored.live_passages(name)[0].tolist()
        assert snapshot.keys.tolist() == stored, "the snapshot and the store differ"
        dense: Any = snapshot.dense
        assert dense.keys.tolist() == stored, "the dense leg and the store differ"
        assert snapshot.lexical.size == len(stored), "the lexical leg and the store differ"
        assert set(snapshot.members) == set(snapshot.owners.tolist()), "documents without passages"
        assert sorted(library.stored.scorable(stored).keys) == stored, "passages without vectors"


def _live(library: Library) -> dict[str, Version]:
    found = {}
    for document in library.stored.documents("default", limit=1000):
        text = library.stored.content(document.key)
        count = library.stored.database.rows("SELECT count(*) FROM passages WHERE document = ?", document.key)[0][0]
        assert document.passages == count, "half a document"
        found[document.id] = text
    return found


def _parse(submission: Submission) -> Parsed:
    return parse(submission, WordVectors().count_pieces)


def _in_child(work: Any) -> None:
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _short(state: dict[str, Version | None]) -> dict[str, str]:
    return {name: (version or "").split()[0] for name, version in sorted(state.items())}


if __name__ == "__main__":
    main()
