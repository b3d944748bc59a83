"""Index files that are whole or not used: written aside, flushed, renamed, and hashed in a manifest."""

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path

from retrieval.dense import FaissBase

log = logging.getLogger(__name__)

_FORMAT = 1
_MANIFEST = "manifest.json"
_INDEX, _KEYS = "index.faiss", "keys.npy"


class Damaged(Exception):
    """Index files are there and cannot be trusted."""


class Checkpoints:
    """One folder of index files per collection. They are a cache: SQLite holds the truth."""

    def __init__(self, folder: Path, model: str) -> None:
        """`model` names what made the vectors; files of another model are not used."""
        self._folder = folder
        self._model = model

    def read(self, collection: str) -> FaissBase | None:
        """The base as it was written, if there is one. Raises `Damaged`."""
        folder = self._of(collection)
        if not folder.exists():
            return None
        try:
            manifest = json.loads((folder / _MANIFEST).read_bytes())
            if (manifest["format"], manifest["model"]) != (_FORMAT, self._model):
                return None
            if manifest["collection"] != collection or manifest["files"] != _hashes(folder):
                raise Damaged(f"the index files of {collection} are damaged")
            return FaissBase.read(folder / _INDEX, folder / _KEYS)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise Damaged(f"the index files of {collection} cannot be read") from error

    def write(self, collection: str, base: FaissBase) -> None:
        """Put a base in place of the former one. Raises `OSError`."""
        folder = self._of(collection)
        aside, former = _beside(folder)
        for leftover in (aside, former):
            shutil.rmtree(leftover, ignore_errors=True)
        aside.mkdir(parents=True)
        base.write(aside / _INDEX, aside / _KEYS)
        manifest = {"format": _FORMAT, "model": self._model, "collection": collection, "files": _hashes(aside)}
        (aside / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        for file in (*aside.iterdir(), aside):
            _flush(file)
        if folder.exists():
            folder.rename(former)
        aside.rename(folder)
        _flush(self._folder)
        shutil.rmtree(former, ignore_errors=True)

    def remove(self, collection: str) -> None:
        """Forget the files of a collection."""
        folder = self._of(collection)
        for path in (folder, *_beside(folder)):
            shutil.rmtree(path, ignore_errors=True)

    def _of(self, collection: str) -> Path:
        return self._folder / hashlib.sha256(collection.encode()).hexdigest()[:24]


def _beside(folder: Path) -> tuple[Path, Path]:
    """Where the next files are written, and where the former ones are until then."""
    return folder.with_suffix(".new"), folder.with_suffix(".old")


def _hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (_INDEX, _KEYS)}


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
