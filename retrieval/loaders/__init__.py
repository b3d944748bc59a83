"""Bytes to blocks: one function and one suffix per document type."""

from collections.abc import Callable
from pathlib import PurePosixPath

from retrieval.loaders.blocks import Block, BlockKind, Loaded, LoadError
from retrieval.loaders.csv import load_csv, load_tsv
from retrieval.loaders.docx import load_docx
from retrieval.loaders.encodings import decode
from retrieval.loaders.html import load_html
from retrieval.loaders.markdown import load_markdown, load_markdown_file
from retrieval.loaders.pdf import load_pdf
from retrieval.loaders.signatures import check_signature
from retrieval.loaders.text import load_text, load_text_file

__all__ = [
    "LOADERS",
    "Block",
    "BlockKind",
    "LoadError",
    "Loaded",
    "decode",
    "load",
    "load_markdown",
    "load_text",
]


def load(name: str, data: bytes) -> Loaded:
    """Read a file by the suffix of its `name`. Raises `LoadError`."""
    suffix = PurePosixPath(name).suffix.lower()
    loader = LOADERS.get(suffix)
    if loader is None:
        known = ", ".join(sorted(LOADERS))
        raise LoadError("unsupported_type", f"This kind of file is not supported; these are: {known}.")
    check_signature(suffix, data)
    return loader(data)


LOADERS: dict[str, Callable[[bytes], Loaded]] = {
    ".csv": load_csv,
    ".docx": load_docx,
    ".htm": load_html,
    ".html": load_html,
    ".markdown": load_markdown_file,
    ".md": load_markdown_file,
    ".pdf": load_pdf,
    ".text": load_text_file,
    ".tsv": load_tsv,
    ".txt": load_text_file,
    ".xhtml": load_html,
}
