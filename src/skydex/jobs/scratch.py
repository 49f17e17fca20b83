"""`Scratch`: a directory that ends with its owner, and is swept away by the next one if its owner was killed.

The owner holds a lock (flock) on a file inside for as long as it lives. The kernel lets go of it however the owner
ends, so that a directory whose lock can be taken belongs to nobody any more; a process number would not tell, since
it may by then be another's.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["Scratch"]

_PREFIX = "skydex-scratch-"
_LOCK = "owner.lock"
_log = logging.getLogger(__name__)


class Scratch:
    """A directory of this process's own, made where temporary files go.

    Parameters
    ----------
    parent : str, optional
        Where to make it; by default where the system has temporary files.
    """

    def __init__(self, parent: str | None = None) -> None:
        sweep(Path(parent or tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock: int | None = _locked(self.path / f"{_LOCK}.new")
        os.rename(self.path / f"{_LOCK}.new", self.path / _LOCK)  # so that nobody ever sees it unlocked

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep(parent: Path) -> None:
    """Remove what owners that were killed have left in a directory."""
    for place in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another's, or in use, or swept by somebody else meanwhile
            if place.is_symlink() or place.stat().st_uid != os.getuid():
                continue
            lock = os.open(place / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(place)
                _log.info("Removed what a server that was killed had left in %s", place)
            finally:
                os.close(lock)


def _locked(file: Path) -> int:
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock
