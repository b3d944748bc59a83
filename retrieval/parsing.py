"""Reading documents in a process of its own, so that a hostile or broken one harms nobody."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from retrieval.loaders import LoadError
from retrieval.passages import Draft
from retrieval.submissions import Parsed, Submission

log = logging.getLogger(__name__)

_LARGEST_ANSWER = 512 * 1024 * 1024
_DOCUMENTS_PER_PROCESS = 500
"""Then a fresh one, so that whatever the libraries leak stays small."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParseLimits:
    """What reading one document may take."""

    seconds: int = 120
    """Of processor time and of time."""
    memory_bytes: int = 2 * 1024**3
    """Address space of the process."""


class Cancelled(Exception):
    """Somebody no longer wants this document."""


class ParserProcess:
    """Reads one document at a time; the process starts with the first and is replaced when it dies."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._read = 0
        self._cancelled = False

    def __call__(self, submission: Submission) -> Parsed:
        """The text and passages of a document. Raises `LoadError`, and `Cancelled` after `cancel`."""
        with self._lock:
            self._cancelled = False
            try:
                return self._ask(submission)
            except (EOFError, OSError) as error:
                raise self._failure() from error

    def warm_up(self) -> None:
        """Start the process before the first document comes."""
        with self._lock:
            if self._process is None:
                self._start()

    def cancel(self) -> None:
        """Give up the document that is being read, if there is one. From any thread."""
        self._cancelled = True
        process = self._process
        if process is not None:
            process.kill()
            process.wait()  # so that the next document sees that it is gone

    def close(self) -> None:
        """End the process."""
        self.cancel()
        with self._lock:
            self._stop()

    def _ask(self, submission: Submission) -> Parsed:
        if self._process is None or self._process.poll() is not None or self._read >= _DOCUMENTS_PER_PROCESS:
            self._stop()
            self._start()
        self._read += 1
        assert self._connection is not None
        if self._cancelled:  # while the process started
            raise EOFError
        is_text = isinstance(submission.data, str)
        about = {"name": submission.name, "is_text": is_text}
        self._connection.send_bytes(json.dumps(about).encode())
        self._connection.send_bytes(submission.as_bytes)
        if not self._connection.poll(self._limits.seconds):
            raise TimeoutError
        answer = json.loads(self._connection.recv_bytes(_LARGEST_ANSWER))
        if "parsed" not in answer:
            code, message = answer["error"]
            raise LoadError(str(code), str(message))
        return self._received(answer["parsed"])

    def _received(self, about: dict[str, Any]) -> Parsed:
        """The text and the passages follow in pieces: one large one would keep every other thread waiting."""
        assert self._connection is not None
        text = self._connection.recv_bytes(_LARGEST_ANSWER).decode("utf-8", "surrogatepass")
        drafts: list[Draft] = []
        while len(drafts) < about["drafts"]:
            drafts.extend(map(_draft, json.loads(self._connection.recv_bytes(_LARGEST_ANSWER))))
        return Parsed(
            text=text, title=about["title"], media_type=about["media_type"], pages=about["pages"], drafts=drafts
        )

    def _failure(self) -> Exception:
        """Why the process did not answer; it is gone afterwards."""
        late = self._process is not None and self._process.poll() is None
        self._stop()
        if self._cancelled:
            return Cancelled()
        log.warning("the reader of documents %s", "took too long" if late else "died")
        return LoadError("too_complex", "Reading this document needs more time or memory than is allowed.")

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            limits = [str(theirs.fileno()), str(self._limits.memory_bytes), str(self._limits.seconds)]
            self._process = subprocess.Popen(  # noqa: S603 - no part of the command comes from outside
                [sys.executable, "-I", "-m", "retrieval.parser", *limits],
                env={"PATH": os.defpath, "TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self._read = 0

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _draft(row: list[Any]) -> Draft:
    """What `retrieval.parser` sent."""
    start, end, section, page, header, sentences = row
    return Draft(
        start=start,
        end=end,
        section=section,
        page=page,
        header=header,
        sentences=tuple((begin, stop) for begin, stop in sentences),
    )
