"""What a file is by its first bytes, whatever its name says."""

from retrieval.loaders.blocks import LoadError

_KNOWN = (
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted office document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"{\\rtf", "a Rich Text document"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PDF_WITHIN = 1024
_WORD_PART = b"word/document.xml"


def check_signature(suffix: str, data: bytes) -> None:
    """Refuse a file that is not what its suffix says.

    Raises `LoadError`: `mislabelled` with what it seems to be, `encrypted` for a protected office document, or `empty`.
    """
    if not data:
        raise LoadError("empty", "The file is empty.")
    seems = _seems(data)
    if suffix == ".pdf":
        _require(b"%PDF-" in data[:_PDF_WITHIN], "a PDF", seems)
    elif suffix == ".docx":
        _check_word(data, seems)
    else:
        _require(seems is None, "text", seems)


def _check_word(data: bytes, seems: str | None) -> None:
    if data.startswith(_OLE) and "WordDocument".encode("utf-16-le") not in data:
        raise LoadError("encrypted", "The document is protected by a password.")
    _require(data.startswith(b"PK"), "a Word document (.docx)", seems)
    # Part names stand in clear in the directory at the end; a file cut short has lost it, and is damaged instead.
    other = next((what for part, what in _OTHER_PARTS if part in data), "a zip archive")
    _require(_WORD_PART in data or b"word/" in data, "a Word document (.docx)", other)


_OTHER_PARTS = (
    (b"xl/workbook", "an Excel workbook"),
    (b"ppt/presentation", "a PowerPoint presentation"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file"),
    (b"META-INF/container.xml", "an e-book"),
)


def _seems(data: bytes) -> str | None:
    """What the first bytes are known for; None for text and whatever else has no mark."""
    if data[:_PDF_WITHIN].lstrip(b"\xef\xbb\xbf\r\n\t \0").startswith(b"%PDF-"):
        return "a PDF"
    return next((what for mark, what in _KNOWN if data.startswith(mark)), None)


def _require(fits: bool, named: str, seems: str | None) -> None:
    if not fits:
        found = f"seems to be {seems}" if seems else "does not look like one"
        raise LoadError("mislabelled", f"The file is named as {named}, but {found}.")
