"""The process that reads documents: nothing it does can take the server with it.

Started by `retrieval.parsing` as `python -m retrieval.parser`, with a socket, and limits on memory and time.
"""

import json
import os
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from retrieval.loaders import LoadError
from retrieval.passages import Draft
from retrieval.submissions import Submission, parse
from retrieval.tokens import PieceCounter

_AT_ONCE = 500


def main() -> None:
    """Read one document after the other until the other end closes."""
    descriptor, memory_bytes, seconds = (int(value) for value in sys.argv[1:4])
    _limit_memory(memory_bytes)
    count_pieces = PieceCounter()
    with Connection(descriptor) as connection:
        while True:
            try:
                about = json.loads(connection.recv_bytes())
                data = connection.recv_bytes()
            except EOFError:
                return
            _limit_time(seconds)
            for piece in _answer(about, data, count_pieces):
                connection.send_bytes(piece)


def _answer(about: dict[str, Any], data: bytes, count_pieces: PieceCounter) -> Iterator[bytes]:
    """What is sent back: an error, or the heading, the text, and the passages some at a time."""
    content: bytes | str = data.decode("utf-8", "surrogatepass") if about["is_text"] else data
    try:
        parsed = parse(Submission(data=content, name=about["name"]), count_pieces)
    except LoadError as error:
        yield _json({"error": [error.code, str(error)]})
        return
    except (MemoryError, RecursionError):
        yield _json({"error": ["too_complex", "Reading this document needs more memory than is allowed."]})
        return
    drafts = parsed.drafts
    heading = {"title": parsed.title, "media_type": parsed.media_type, "pages": parsed.pages, "drafts": len(drafts)}
    yield _json({"parsed": heading})
    yield parsed.text.encode("utf-8", "surrogatepass")
    for start in range(0, len(drafts), _AT_ONCE):
        yield _json([_row(draft) for draft in drafts[start : start + _AT_ONCE]])


def _row(draft: Draft) -> list[Any]:
    return [draft.start, draft.end, draft.section, draft.page, draft.header, draft.sentences]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows; there the time limit is what remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: int) -> None:
    try:
        import resource
    except ImportError:
        return
    used = sum(os.times()[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
