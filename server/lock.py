"""One process at a time holds a data folder, and says where it can be reached."""

import json
from pathlib import Path

from filelock import FileLock, Timeout


class DataFolderHeld(RuntimeError):
    """Another process holds the data folder; `url` is where it listens, if it does."""

    def __init__(self, folder: Path, url: str | None) -> None:
        where = f" at {url}" if url else ""
        super().__init__(f"the data folder {folder} is in use by another process{where}")
        self.url = url


class DataLock:
    """The lock of a data folder; released when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = FileLock(folder / "groundswell.lock")
        self._address = folder / "server.json"

    def acquire(self) -> None:
        """Take the folder. Raises `DataFolderHeld`."""
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise DataFolderHeld(self._folder, self._url()) from None
        self._address.unlink(missing_ok=True)

    def announce(self, url: str) -> None:
        """Tell other processes where to ask instead."""
        self._address.write_text(json.dumps({"url": url}), encoding="utf-8")

    def release(self) -> None:
        """Give the folder back."""
        self._address.unlink(missing_ok=True)
        self._lock.release()

    def _url(self) -> str | None:
        try:
            url = json.loads(self._address.read_text(encoding="utf-8"))["url"]
        except (OSError, ValueError, KeyError):
            return None
        return str(url)
