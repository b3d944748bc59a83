"""Newline-delimited JSON: the same envelopes, one per line."""

from collections.abc import Sequence

from callbacks.log import Entry

MEDIA_TYPE = "application/x-ndjson"


def lines(entries: Sequence[Entry]) -> bytes:
    """A line per event."""
    return b"".join([entry.encoded + b"\n" for entry in entries])
