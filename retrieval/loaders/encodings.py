"""Bytes to characters."""

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from retrieval.loaders.blocks import LoadError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings in use on the web and in old files; offered the whole list, the detector finds exotic ones in short texts.
_CANDIDATES = """
    cp1252 cp932 euc_jp gb18030 big5 euc_kr cp1250 cp1251 koi8_r cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874
    iso8859_2 iso8859_15 iso2022_jp cp437 cp850 mac_roman
""".split()
_FEWEST_BYTES = 12
_SAMPLE = 16 * 1024
_AROUND = 120
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The characters of a text file: by its byte order mark, as UTF-8, as `declared`, or by what it looks like.

    Raises `LoadError("undecodable")` for binary data, and where a few bytes leave the encoding to guesswork.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(_attempt(data, encoding))
    if b"\0" in data[:_SAMPLE]:
        return _checked(_attempt(data, _wide(data)))
    return _checked(_attempt(data, "utf-8") or _attempt(data, declared) or _attempt(data, _detected(data)))


def _attempt(data: bytes, encoding: str | None) -> str | None:
    try:
        return None if encoding is None else data.decode(encoding)
    except (LookupError, ValueError):
        return None


def _checked(text: str | None) -> str:
    if text is None:
        raise LoadError("undecodable", "The file is not text in an encoding that can be told; save it as UTF-8.")
    if "\0" in text:
        raise LoadError("undecodable", "The file holds NUL characters: it is not text.")
    return text


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, where every other byte of Western text is NUL."""
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    if len(data) % 2 or max(even, odd) * 3 < len(data[:_SAMPLE]):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _detected(data: bytes) -> str | None:
    """What the pieces around the bytes outside ASCII look like, if they are enough to tell."""
    sample = b" ".join(_pieces(data))
    if len(sample) < _FEWEST_BYTES or len(_CONTROL.findall(sample)) * 100 > len(sample):
        return None
    matches = list(from_bytes(sample, cp_isolation=_CANDIDATES, preemptive_behaviour=False))
    likely = [match for match in matches if match.chaos == matches[0].chaos]
    # Of equally likely readings the Western one: the detector sorts ties by name.
    if not matches or any("cp1252" in match.could_be_from_charset for match in likely):
        return "cp1252"
    return likely[0].encoding


def _pieces(data: bytes) -> Iterator[bytes]:
    """Lines, or parts of long lines, that hold a byte outside ASCII, `_SAMPLE` bytes at most."""
    at = taken = 0
    while taken < _SAMPLE and (found := re.compile(rb"[\x80-\xff]").search(data, at)):
        start = max(at, data.rfind(b"\n", at, found.start()) + 1, found.start() - _AROUND)
        line_end = data.find(b"\n", found.start(), found.start() + _SAMPLE)
        at = line_end if line_end >= 0 else min(len(data), found.start() + _SAMPLE)
        yield data[start:at]
        taken += at - start
