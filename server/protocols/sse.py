"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): one data line per event."""

from collections.abc import Sequence

import orjson

from callbacks.log import Entry

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b": hb\n\n"


def frames(entries: Sequence[Entry]) -> bytes:
    """Frames of one line each, for a client that splits on blank lines and strips `data: `."""
    return b"".join([b"data: " + entry.encoded + b"\n\n" for entry in entries])


def numbered_frames(entries: Sequence[Entry]) -> bytes:
    """Frames with an id, so that an EventSource can resume after it."""
    return b"".join(
        [
            f"id: {entry.event.request_id}:{entry.event.seq}\n".encode() + b"data: " + entry.encoded + b"\n\n"
            for entry in entries
        ]
    )


def end_frame(request_id: str, last_seq: int, outcome: str) -> bytes:
    """The last frame; the only one with an event name."""
    summary = orjson.dumps({"request_id": request_id, "last_seq": last_seq, "outcome": outcome})
    return b"event: end\ndata: " + summary + b"\n\n"
