"""Zipped documents, examined before anything parses them."""

import io
import lzma
import re
import struct
import zipfile
import zlib

from retrieval.loaders.blocks import MAX_PARTS, MAX_UNZIPPED, LoadError, too_large

_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)
_PIECE = 2**20
# Besides its own error, zipfile lets out those of what it calls: seeking before the start, unknown compression.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def check_package(data: bytes) -> None:
    """Refuse a zip file that is damaged, encrypted, or would unpack to more than the bounds of `blocks`.

    Its XML may declare no entities: they can grow without end (https://en.wikipedia.org/wiki/Billion_laughs_attack).
    Raises `LoadError`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            _check_declared(parts)
            left = MAX_UNZIPPED
            for part in parts:
                left -= _inflate(package, part, left)
    except LoadError:
        raise
    except _BROKEN as error:
        raise LoadError("damaged", "The file is damaged or incomplete.") from error


def _check_declared(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_PARTS:
        raise too_large(f"{MAX_PARTS:,} parts")
    if sum(part.file_size for part in parts) > MAX_UNZIPPED:
        raise _unpacks_to_too_much()
    if any(part.flag_bits & 1 for part in parts):
        raise LoadError("encrypted", "The document is protected by a password.")


def _inflate(package: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Unpack a part piece by piece, whatever size it declares, and look at its XML. The number of bytes."""
    size, end_of_last = 0, b""
    is_xml = part.filename.lower().endswith((".xml", ".rels"))
    with package.open(part) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > left:
                raise _unpacks_to_too_much()
            if is_xml:
                # Without the NULs, UTF-16 reads as ASCII; the overlap finds what lies across two pieces.
                searched = end_of_last + piece.replace(b"\0", b"")
                if _DECLARATION.search(searched):
                    raise LoadError("too_complex", "The document's XML declares entities, which is refused.")
                end_of_last = searched[-16:]
    return size


def _unpacks_to_too_much() -> LoadError:
    return too_large(f"{MAX_UNZIPPED // 2**20} MiB when unpacked")
