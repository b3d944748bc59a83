"""Kill a process at every named place of a review, and check what the next one makes of it.

    python -m tests.support.review_crashes

Each round asks a question that a person answers, and approves its draft, in a process that is killed on the way. The
next process starts as a server does. Then the question waits with its draft, or the draft is released; it is never
both, never neither, and a second decision is refused once there was a first.
"""

import asyncio
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from callbacks.answer import AnswerStream
from callbacks.metrics import Meter
from callbacks.sources import SourceBook
from chains.verify import lexical_judge
from graph.checkpoints import CHECKPOINTS
from graph.context import RagContext
from graph.desk import ReviewDesk
from graph.drafting import PendingDraft
from graph.lanes import Lanes
from graph.policy import BUILT_IN
from graph.rewriting import PendingRewrite
from retrieval.embeddings import MiniLM
from retrieval.reviews import AlreadyDecided, Decision
from server.bootstrap import build_collaborators, library_in
from server.settings import Settings
from tests.support.corpus import fill

WAITING = ("drafted", "queued")
RELEASED = ("decided", "resumed", "kept", "released")
QUESTION = "Who built the Aldermoor lighthouse?"
SAYS = "Greta Holm"
APPROVE = Decision(decision="approve", at="2026-01-01T00:00:00Z")


def main() -> None:
    """A round for each place."""
    for place in (*WAITING, *RELEASED):
        with tempfile.TemporaryDirectory() as folder:
            in_child(partial(_work, Path(folder), place), killed=True)
            in_child(partial(_check, Path(folder), place in RELEASED), killed=False)
            in_child(partial(_check, Path(folder), True), killed=False)
    sys.stdout.write(f"{len(WAITING + RELEASED)} crashes, nothing lost\n")


def in_child(work: Callable[[], None], *, killed: bool) -> None:
    """Run something in a process of its own. Raises `AssertionError` unless it ends as expected."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (-signal.SIGKILL if killed else 0)


def _work(folder: Path, place: str) -> None:
    def failpoint(name: str) -> None:
        if name == place:
            os.kill(os.getpid(), signal.SIGKILL)

    async def ask_and_approve() -> None:
        library = library_in(folder, MiniLM())
        fill(library)
        collaborators = build_collaborators(Settings(_env_file=None, data_dir=folder), library)
        desk = ReviewDesk(collaborators, failpoint)
        state: Any = {
            "question": QUESTION,
            "collection": "default",
            "domain": "rate_quotes",
            "policy": BUILT_IN["rate_quotes"],
            "rule": None,
            "top_k": 6,
            "filters": None,
        }
        stream = AnswerStream(SourceBook(), lexical_judge(library.idf("default")))
        spawn: Any = asyncio.create_task
        context = RagContext(
            collaborators=collaborators,
            stream=stream,
            book=stream.book,
            rewriting=PendingRewrite(spawn),
            draft=PendingDraft(spawn),
            opened=asyncio.Event(),
            lanes=Lanes(),
            meter=Meter(),
            request_id="r",
        )
        await desk.hand_over(state, context, "A person will look at it.")
        await desk.decide("r", APPROVE)

    asyncio.run(ask_and_approve())


def _check(folder: Path, released: bool) -> None:
    async def start_and_look() -> None:
        library = library_in(folder, MiniLM())
        desk = ReviewDesk(build_collaborators(Settings(_env_file=None, data_dir=folder), library))
        await desk.resume()
        review = await desk.find("r")
        assert review is not None, "lost"
        assert SAYS in review.item["draft"]["answer"]
        assert review.state == ("released" if released else "waiting"), review.state
        if released:
            try:
                await desk.decide("r", Decision(decision="reject", at="2026-01-02T00:00:00Z"))
            except AlreadyDecided:
                review = await desk.find("r")
            else:
                raise AssertionError("decided twice")
        else:
            review = await desk.decide("r", APPROVE)
        assert review is not None
        assert review.final is not None
        assert SAYS in review.final["answer"]
        assert review.final["citations"]
        assert b"Aldermoor" not in (folder / CHECKPOINTS).read_bytes(), "left behind"
        library.close()

    asyncio.run(start_and_look())


if __name__ == "__main__":
    main()
