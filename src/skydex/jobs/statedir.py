"""`StateDirectory`: where a server keeps its jobs, and who may.

Below it lie the ledger and, for each job, a directory with the files that came with it and its result. A result is
written by a worker under a temporary name, flushed and renamed. Its name holds the number of the attempt, so that a
worker that outlives its server by a moment cannot disturb the next attempt.

One process keeps it at a time: it holds a lock (flock) that the kernel lets go of however the process ends. Other
processes of the same server may use the ledger beside it; in the lock's file stands which server that is. Processes of
another server may not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from skydex.errors import JobsUnavailableError
from skydex.jobs.job import Job, JobInput

__all__ = ["StateDirectory"]

_LEDGER = "jobs.sqlite"
_FOLDERS = "jobs"
_LOCK = "runner.lock"


class StateDirectory:
    """The jobs of one archive on the disk.

    Parameters
    ----------
    path : Path
        Where; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def claim(self, server: str = "") -> bool:
        """Become its keeper.

        Parameters
        ----------
        server : str
            What all processes of one server call it, and no other server.

        Returns
        -------
        is_heir : bool
            Whether another process of the same server kept it before.

        Raises
        ------
        JobsUnavailableError
            Another process keeps it, or it cannot be written.
        """
        try:
            self._folders.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JobsUnavailableError("This server runs no jobs: it cannot write where they are kept.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise JobsUnavailableError(
                "This server runs no jobs at present: another server of the same archive does. Ask that one."
            ) from error
        self._lock = lock
        return bool(server) and self._kept_by() == server

    def announce(self, server: str) -> None:
        """Let the other processes of a server use it: it is in order."""
        assert self._lock is not None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, server.encode(), 0)

    def is_kept_by(self, server: str) -> bool:
        """Whether a process of a server has put it in order and no other server has kept it since."""
        return bool(server) and self._kept_by() == server

    def release(self) -> None:
        """Let another server be its keeper."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _kept_by(self) -> str:
        try:
            return (self.path / _LOCK).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.path / _LEDGER

    def folder(self, job_id: str) -> Path:
        """The directory of a job."""
        return self._folders / job_id

    def result(self, job_id: str, attempt: int) -> Path:
        """The file into which one attempt at a job puts its result."""
        return self.folder(job_id) / f"result-{attempt}"

    def has_whole_result(self, job: Job) -> bool:
        """Whether the result of a completed job is as long as it was."""
        assert job.result is not None
        try:
            return self.result(job.id, job.attempt).stat().st_size == job.result.size
        except OSError:
            return False

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def drop_inputs(self, job_id: str, inputs: Iterable[JobInput]) -> None:
        """Remove files that came with a job."""
        for dropped in inputs:
            file = self.folder(job_id) / dropped.file
            with contextlib.suppress(OSError):
                file.unlink()
                file.parent.rmdir()  # which fails as long as there are others

    def clear(self, job: Job) -> None:
        """Remove the files of a job that do not belong to it as it is now."""
        folder = self.folder(job.id)
        kept = {kept.file.partition("/")[0] for kept in job.inputs}
        if job.result:
            kept.add(self.result(job.id, job.attempt).name)
        with contextlib.suppress(FileNotFoundError):
            for file in folder.iterdir():
                if file.name not in kept:
                    _remove(file)
            if not kept:
                folder.rmdir()

    def clear_strangers(self, known: Iterable[str], *, older_s: float = 0.0) -> None:
        """Remove whatever belongs to no job, and was last changed so many seconds ago: files for a job come first."""
        kept, latest = set(known), time.time() - older_s
        for folder in self._folders.iterdir():
            if folder.name not in kept and (not older_s or _changed(folder) < latest):
                _remove(folder)

    @property
    def _folders(self) -> Path:
        return self.path / _FOLDERS


def _changed(folder: Path) -> float:
    """When something was last changed in a directory, or in those below it."""
    with contextlib.suppress(OSError):
        return max(place.stat().st_mtime for place in (folder, *folder.rglob("*")))
    return time.time()  # it is just being changed


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
