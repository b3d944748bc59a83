"""Tables of separated values."""

import csv
import io
from collections import Counter
from itertools import islice

from retrieval.loaders.blocks import MAX_CHARACTERS, Loaded, LoadError
from retrieval.loaders.builder import TextBuilder
from retrieval.loaders.encodings import decode
from retrieval.loaders.rows import looks_like_header, row_text

_DELIMITERS = ",;\t|"
_SAMPLE = 64 * 1024
_SAMPLE_ROWS = 100


def load_csv(data: bytes) -> Loaded:
    """Every record is a row that carries the names of its columns: `Name: Ann; Age: 40`. Raises `LoadError`."""
    return _load(decode(data), _DELIMITERS, "text/csv")


def load_tsv(data: bytes) -> Loaded:
    """As `load_csv`, with tabs between the values."""
    return _load(decode(data), "\t", "text/tab-separated-values")


def _load(text: str, delimiters: str, media_type: str) -> Loaded:
    # The limit is the process's; a field can be no longer than the text, which is bounded by its bytes.
    csv.field_size_limit(max(len(text), MAX_CHARACTERS) + 1)
    builder = TextBuilder(media_type)
    delimiter = max(delimiters, key=lambda candidate: _fitness(text, candidate))
    header = _header(text, delimiter)
    try:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for record in islice(records, 1 if header else 0, None):
            builder.row(row_text(header, record))
    except csv.Error as error:
        raise LoadError("damaged", "The table cannot be read: its quotation marks or line ends are broken.") from error
    return builder.loaded()


def _fitness(text: str, delimiter: str) -> tuple[float, int]:
    """How many of the first records agree on a number of columns above one (a share), and that number."""
    counts = Counter(len(record) for record in _sample(text, delimiter) if record)
    columns, agreeing = max(counts.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return (agreeing / counts.total() if columns > 1 else 0.0, columns)


def _header(text: str, delimiter: str) -> list[str]:
    """The first record if it names the columns, or nothing."""
    rows = _sample(text, delimiter)
    return rows[0] if looks_like_header(rows) else []


def _sample(text: str, delimiter: str) -> list[list[str]]:
    return list(islice(csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter), _SAMPLE_ROWS))
