"""`TileCache`: pictures that took some work, kept on the disk as long as there is room.

Every file could be made anew. So nothing is lost when one goes, none is flushed to the disk, and a disk that is full
or broken is no error: what cannot be kept is not kept. Any number of processes may share a cache. Those used longest
ago go first.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["TileCache"]

_SHARE_BETWEEN_SWEEPS = 16
"""A process looks for files to delete when it has written this part of the limit."""
_FULL, _TIDY = 1.0, 0.8
"""Parts of the limit at which a sweep begins to delete, and to which it does."""

_log = logging.getLogger(__name__)


class TileCache:
    """A cache in a directory.

    Parameters
    ----------
    directory : Path
        Its own; made when it is needed.
    most_bytes : int
        How large its files may be together, give or take what is written between two sweeps.
    """

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory, self._most_bytes = directory, most_bytes
        self._n_written = 0

    def find(self, key: str) -> bytes | None:
        """What is kept under a key, which may be any text."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)
        return content or None  # which is what the system may leave of a file when the power fails

    def keep(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, if there is room."""
        if len(content) > self._most_bytes:
            return
        path = self._path(key)
        made = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(content)
            os.replace(made, path)
        except OSError as error:
            _log.warning("A tile cannot be kept: %s", error)
            with suppress(OSError):
                made.unlink()
            return
        self._n_written += len(content)
        if self._n_written * _SHARE_BETWEEN_SWEEPS >= self._most_bytes:
            self._n_written = 0
            self._sweep()

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._directory / name[:2] / name[2:]

    def _sweep(self) -> None:
        """Delete what was used longest ago until there is room again."""
        found = []
        for path in self._directory.glob("??/*"):
            with suppress(OSError):
                facts = path.stat()
                found.append((facts.st_mtime_ns, facts.st_size, path))
        size = sum(size for _, size, _ in found)
        if size <= self._most_bytes * _FULL:
            return
        for _, n_bytes, path in sorted(found):
            if size <= self._most_bytes * _TIDY:
                return
            with suppress(OSError):
                path.unlink()
            size -= n_bytes
