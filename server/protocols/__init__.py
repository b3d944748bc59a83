"""One facade per file: each maps events to the frames of a protocol and computes nothing."""
